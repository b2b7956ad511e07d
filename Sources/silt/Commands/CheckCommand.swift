internal import ArgumentParser
internal import Glibc
internal import SiltFindings
internal import SiltPlan
internal import SiltRecording
internal import SiltReports
internal import SiltSystem
internal import SiltText

/// `silt check`: hunts, or reads a recording, and ends with a status that a build can be stopped by.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "The gate for continuous integration: fails when something grows that may not.",
        discussion: """
            silt check plan.yml
            silt check plan.yml --max-bytes-per-request 64 --junit silt.xml
            silt check plan.yml --allow lsan.supp --allow leak:session_cache
            silt check plan.yml --write-baseline growth.json   what grows now is known
            silt check plan.yml --baseline growth.json         and fails if faster
            silt check --phase orders='hey -n 2000 http://127.0.0.1:8080/orders' \\
                -- ./server --port 8080
            silt check hunt.silt --json | jq '.findings[] | select(.outcome=="failed")'

            Without a limit nothing may grow. Limits count bytes per request; what grows at idle, or in a recording \
            without requests, fails in any case unless it is allowed. A call site is allowed by a line leak:PATTERN \
            (LeakSanitizer's syntax: * stands for anything, ^ and $ for the ends) that matches a function, source file \
            or module of its stacks, or by a baseline: a file of call sites known by their functions, so that a new \
            build or other lines do not matter. What is of low confidence is shown and does not fail (--strict: it does); \
            in a phase of fewer than six rounds it counts as not measured.

            Exit status: 0 nothing grows that may not, 1 something does, 2 usage (a bad plan, baseline or suppression), 3 \
            silt could not measure: the service did not start, more than 1 % of a phase's requests failed, too few rounds.
            """
    )

    @OptionGroup var setUp: HuntSetUp
    @OptionGroup var rules: CheckRules

    @Flag(help: "JSON instead of text, format silt-check version 1.")
    var json = false

    @Option(help: ArgumentHelp("Write JUnit XML to this file: a test case for each phase.", valueName: "file"))
    var junit: String?

    @Flag(
        help: "Print GitHub annotations; without asking where GITHUB_ACTIONS is true. With --json: to standard error."
    )
    var annotations = false

    @Option(name: .customLong("out"), help: "Keep the recording in this file.")
    var recording: String?

    @Option(help: "Hunt in a trace that is on already: the socket of silt listen.")
    var attachSocket: String?

    @Option(help: .hide)
    var hide: [String] = []

    func validate() throws {
        if setUp.plan == nil, setUp.phase.isEmpty { throw Refusal.checkNeedsPlan }
    }

    func run() throws {
        var measured = try measure()
        var check = CheckReport(measured.report, settings: measured.settings, failure: measured.failure)
        if let path = rules.writeBaseline, try write(check.baseline, to: path), measured.settings.baseline == nil {
            measured.settings.baseline = check.baseline
            check = CheckReport(measured.report, settings: measured.settings)
        }
        try print(check)
        throw ExitCode(check.exitStatus)
    }

    // MARK: Measuring

    private struct Measured {
        var report: HeapReport?
        var settings: CheckSettings
        /// Why it ended early.
        var failure: String?
    }

    private func measure() throws -> Measured {
        if let path = setUp.plan, ReportInput.isMeasured(path) { return try read(path) }
        let file = try attachSocket == nil ? TraceFile(named: recording, program: "check", keeps: false) : nil
        let hunt = try setUp.hunt(file: file, attachSocket: attachSocket, hide: hide)
        var settings = try rules.settings(hunt.plan.limits)
        settings.title = setUp.plan ?? hunt.plan.command.first ?? hunt.plan.pprof ?? attachSocket ?? "hunt"
        settings.phases = hunt.plan.phases.map(\.name)
        try prepareJUnit()
        let failure = hunt.runOnTerminal().map { "\($0)" }
        if let failure { Terminal.message(.note(failure)) }
        do {
            let report = try ReportBuilder.build(hunt.recorded(), options: options)
            if let whereabouts = file?.keep() { Terminal.message(whereabouts) }
            return Measured(report: report, settings: settings, failure: failure)
        } catch {
            return Measured(report: nil, settings: settings, failure: failure ?? "\(error)")
        }
    }

    private func read(_ path: String) throws -> Measured {
        guard setUp.phase.isEmpty, setUp.command.isEmpty, recording == nil, attachSocket == nil else {
            Terminal.message(.checkOfRecording(path))
            throw SiltExit.usage
        }
        var settings = try rules.settings(HuntLimits())
        settings.title = path
        try prepareJUnit()
        do {
            let recorded = try ReportInput(path, hide: hide).recording()
            settings.phases = recorded.huntEnd?.planned ?? []
            let report = try ReportBuilder.build(recorded, options: options)
            return Measured(report: report, settings: settings, failure: recorded.huntEnd?.reason)
        } catch {
            Terminal.message(.error(error))
            return Measured(report: nil, settings: settings, failure: "\(error)")
        }
    }

    private var options: ReportOptions {
        var options = ReportOptions()
        options.hide = hide
        options.width = Terminal.columns(of: STDOUT_FILENO)
        options.color = Terminal.usesColor(STDOUT_FILENO)
        return options
    }

    // MARK: Saying it

    /// Returns whether it was written.
    private func write(_ baseline: GrowthBaseline?, to path: String) throws -> Bool {
        guard let baseline else {
            Terminal.message(.baselineNotWritten(path))
            return false
        }
        do {
            try baseline.write(to: path)
        } catch {
            throw Terminal.fail(error)
        }
        Terminal.message(.wroteBaseline(path, sites: baseline.entries.count))
        return true
    }

    /// Before minutes are spent on a hunt: can the file be written? What an earlier check left there goes.
    private func prepareJUnit() throws {
        guard let junit else { return }
        do {
            try OutputFile(junit, mode: 0o644).close()
        } catch {
            Terminal.message(.error(error))
            throw SiltExit.usage
        }
    }

    private func print(_ check: CheckReport) throws {
        var text = ""
        if json {
            CheckJSON.render(check, into: &text)
        } else {
            CheckText.render(check, width: options.width, color: options.color, into: &text)
        }
        try Terminal.output(text)
        if annotations || Environment.value("GITHUB_ACTIONS") == "true" {
            var commands = ""
            GitHubAnnotations.render(check, workingDirectory: FileBytes.workingDirectory ?? "/", into: &commands)
            if json { Terminal.write(commands, to: STDERR_FILENO) } else { try Terminal.output(commands) }
        }
        if let junit {
            var xml = ""
            JUnitReport.render(check, into: &xml)
            do {
                let file = try OutputFile(junit, mode: 0o644)
                file.write(xml.shown)
                try file.close()
            } catch {
                throw Terminal.fail(error)
            }
        }
    }
}
