internal import ArgumentParser
internal import SiltEvents
internal import SiltFindings
internal import SiltPlan

/// What of a check the command line says about limits, suppressions and the baseline.
struct CheckRules: ParsableArguments {
    @Option(help: ArgumentHelp("Bytes per request that a phase may lose over all its call sites.", valueName: "bytes"))
    var maxBytesPerRequest: ByteAmount?

    @Option(help: ArgumentHelp("Bytes per request that each call site may lose.", valueName: "bytes"))
    var maxSiteBytesPerRequest: ByteAmount?

    @OptionGroup private var maxObjectsPerRequest: OptionTable<Resource>

    @Option(
        help: ArgumentHelp(
            "A LeakSanitizer suppression file, or one line of it; may be repeated.",
            valueName: "file|leak:pattern"
        )
    )
    var allow: [String] = []

    @Option(help: ArgumentHelp("Let pass what grows in this baseline, and no faster.", valueName: "file"))
    var baseline: String?

    @Option(help: ArgumentHelp("Write what grows now to this baseline; it passes.", valueName: "file"))
    var writeBaseline: String?

    @Option(help: ArgumentHelp("How much faster than in the baseline a call site may grow.", valueName: "percent"))
    var tolerance: Percentage = Percentage(value: 20)

    @Flag(help: "Let findings of low confidence fail as well.")
    var strict = false

    /// With the plan's limits where the command line has none.
    func settings(_ plan: HuntLimits) throws -> CheckSettings {
        var settings = CheckSettings()
        settings.bytesPerRequest = maxBytesPerRequest?.bytes ?? plan.maxBytesPerRequest
        settings.siteBytesPerRequest = maxSiteBytesPerRequest?.bytes ?? plan.maxSiteBytesPerRequest
        settings.objectsPerRequest = plan.maxObjectsPerRequest
        for (resource, amount) in maxObjectsPerRequest.given { settings.objectsPerRequest[resource] = amount.count }
        settings.tolerance = tolerance.value / 100
        settings.isStrict = strict
        do {
            for line in plan.allow { try settings.suppressions.add(line, from: Refusal.ofThePlan) }
            if let file = plan.allowFile { try settings.suppressions.read(path: file) }
            for text in allow {
                if text.hasPrefix("leak:") {
                    try settings.suppressions.add(text, from: "--allow")
                } else {
                    try settings.suppressions.read(path: text)
                }
            }
            settings.baseline = try baseline.map { path in try GrowthBaseline(path: path) }
            if let writeBaseline { try GrowthBaseline.checkThatMayReplace(writeBaseline) }
        } catch {
            Terminal.message(.error(error))
            throw SiltExit.usage
        }
        return settings
    }
}

extension Resource: OptionRow {
    typealias Value = CountAmount

    static var rows: [Resource] { counted }

    var optionName: String { "max-" + limitName.map { $0 == "_" ? "-" : $0 } }
    var optionHelp: ArgumentHelp {
        ArgumentHelp("What a phase may leave of \(units) per request over all its call sites.", valueName: "count")
    }
    var optionValues: CompletionKind? { nil }
}
