package import SiltEvents
internal import SiltJSON
internal import SiltSymbols
internal import SiltSystem
internal import SiltText

/// Call sites that are known to grow, and how fast: what `silt check` lets pass until it grows faster.
///
/// Keyed by names alone, so that a new build, other addresses and shifted lines do not matter.
package struct GrowthBaseline: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package var resource: Resource
        /// The phase of a hunt; nil when the trace ran freely.
        package var phase: String?
        package var rate: Double
        package var unit: Rate.Unit
        /// From the blamed frame outwards, as `BaselineStack` has them; at least one, those that hold most first.
        package var stacks: [[String]]
    }

    package var entries: [Entry] = []

    package init() {}
}

/// A stack as a baseline knows it.
package enum BaselineStack {
    /// Frames kept, from the blamed one outwards.
    private static let maximumFrames = 64
    /// Stacks kept of one site in a file.
    static let maximumStacks = 16

    /// `function file` of each frame from the blamed one outwards, without addresses and lines.
    ///
    /// The module's name stands for a frame without a name; of frames that are the same and follow each other (as in
    /// recursion) one is kept, and what calls main is left out.
    static func frames(ofStack stack: StackID, in report: HeapReport) -> [String] {
        var result: [String] = []
        for frame in report.framesFromBlame(ofStack: stack) {
            if frame.isRuntimeStart { break }
            let text = text(frame)
            if result.last != text { result.append(text) }
            if result.count == maximumFrames { break }
        }
        return result
    }

    static func all(of site: ReportSite, in report: HeapReport, maximum: Int) -> [[String]] {
        var seen = Set<[String]>()
        var result: [[String]] = []
        for part in site.stacks {
            let frames = frames(ofStack: part.stack, in: report)
            guard !frames.isEmpty, seen.insert(frames).inserted else { continue }
            result.append(frames)
            if result.count == maximum { break }
        }
        return result
    }

    static func text(_ frame: ReportFrame) -> String {
        guard !frame.function.isEmpty else {
            return frame.module.isEmpty ? "[unknown]" : "[\(frame.module.lastPathComponent)]"
        }
        let name = withoutCloneMarks(readableName(frame.function))
        return frame.file.map { name + " " + $0.lastPathComponent } ?? name
    }

    /// Marks of optimized copies of a function, which come and go with the compiler's flags: `.constprop.0`, `.cold`.
    package static func withoutCloneMarks(_ name: String) -> String {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)
        while parts.count > 1, let last = parts.last {
            let isNumber = last.allSatisfy(\.isNumber) && !last.isEmpty
            let word = isNumber && parts.count > 2 ? parts[parts.count - 2] : last
            guard CloneMarks.certain.contains(word) else { break }
            parts.removeLast(isNumber && parts.count > 2 ? 2 : 1)
        }
        return parts.joined(separator: ".")
    }
}

extension CheckReport {
    /// All that grows, but what a suppression lets pass; nil unless everything was measured.
    package var baseline: GrowthBaseline? {
        let isWhole = phases.allSatisfy { $0.outcome == .passed || $0.outcome == .failed }
        guard let report, isWhole, doubt == nil else { return nil }
        return GrowthBaseline(findings, of: report)
    }
}

extension GrowthBaseline {
    fileprivate init(_ findings: [CheckReport.Finding], of report: HeapReport) {
        for finding in findings {
            if case .allowed(.suppression) = finding.outcome { continue }
            guard let rate = finding.site.rate else { continue }
            let stacks = BaselineStack.all(of: finding.site, in: report, maximum: BaselineStack.maximumStacks)
            guard !stacks.isEmpty else { continue }
            entries.append(
                Entry(
                    resource: finding.site.resource,
                    phase: finding.site.phase,
                    rate: max(0, rate.value),
                    unit: rate.unit,
                    stacks: stacks
                )
            )
        }
    }
}

// MARK: - The file

extension GrowthBaseline {
    /// Reads a file, format "silt-baseline" version 1; every key must be as it was written.
    package init(path: String) throws(ReportError) {
        let bytes = try SmallFile.read(path)
        func wrong(_ problem: String) -> ReportError { .baseline(path: path, problem: problem) }
        guard let json = JSONValue(bytes) else { throw wrong("not JSON, cut off, or nested more than 64 deep") }
        guard case .string("silt-baseline")? = json["format"] else { throw wrong("its format is another") }
        guard case .number(1)? = json["version"] else {
            throw wrong("its version is not 1, the one this silt reads")
        }
        guard case .array(let list)? = json["entries"] else { throw wrong("there are no entries") }
        for (index, value) in list.enumerated() {
            guard let entry = Entry(value) else { throw wrong("entry \(index + 1) is damaged") }
            entries.append(entry)
        }
    }

    /// Throws unless a baseline can be written there: over nothing, or over a baseline.
    package static func checkThatMayReplace(_ path: String) throws(ReportError) {
        if FileBytes.exists(path) { _ = try GrowthBaseline(path: path) }
    }

    package func write(to path: String) throws(ReportError) { try SmallFile.replace(path, with: text) }

    var text: String {
        var json = JSONWriter(into: "")
        json.object { json in
            json.value("format", "silt-baseline")
            json.value("version", 1)
            json.objects("entries", of: entries) { $0.write(&$1) }
        }
        return json.finish()
    }
}

extension GrowthBaseline.Entry {
    fileprivate init?(_ json: JSONValue) {
        guard case .string(let word)? = json["kind"], let resource = Resource(name: word),
            case .string(let unitText)? = json["unit"], let unit = Rate.Unit(unitText, of: resource),
            case .number(let rate)? = json["rate"], rate >= 0, case .array(let list)? = json["stacks"], !list.isEmpty
        else { return nil }
        self.init(resource: resource, phase: nil, rate: rate, unit: unit, stacks: [])
        switch json["phase"] {
        case .string(let name): phase = name
        case .null: break
        case .object, .array, .number, .bool, nil: return nil
        }
        for case .array(let frames) in list {
            let names = frames.compactMap { if case .string(let name) = $0 { name } else { nil } }
            guard !names.isEmpty, names.count == frames.count else { return nil }
            stacks.append(names)
        }
        guard stacks.count == list.count else { return nil }
    }

    fileprivate func write<Output>(_ json: inout JSONWriter<Output>) {
        json.value("kind", resource.name)
        json.value("phase", phase)
        json.value("rate", rate)
        json.value("unit", unit.rawValue)
        json.array("stacks") { json in
            for stack in stacks {
                json.array { json in
                    for frame in stack { json.value(nil, frame) }
                }
            }
        }
    }
}

/// What a baseline still allows while the sites of a report are held against it.
struct BaselineBudget {
    private let baseline: GrowthBaseline
    private let tolerance: Double
    private var left: [Double]
    private(set) var isFound: [Bool]

    init(_ baseline: GrowthBaseline, tolerance: Double) {
        self.baseline = baseline
        self.tolerance = tolerance
        left = baseline.entries.map(\.rate)
        isFound = baseline.entries.map { _ in false }
    }

    enum Answer: Equatable {
        case unknown
        /// Grows no faster than the rate that is left of its entries, and the tolerance.
        case known(rate: Double)
        case faster(than: Double)
    }

    /// A site is known by any stack it has in common with an entry; two that are known by one entry share its rate.
    mutating func ask(_ site: ReportSite, _ stacks: [[String]]) -> Answer {
        guard let rate = site.rate else { return .unknown }
        let keys = Set(stacks)
        let found = baseline.entries.indices.filter { index in
            let entry = baseline.entries[index]
            return entry.resource == site.resource && entry.phase == site.phase && entry.unit == rate.unit
                && entry.stacks.contains { keys.contains($0) }
        }
        guard !found.isEmpty else { return .unknown }
        var allowed = 0.0
        for index in found {
            isFound[index] = true
            allowed += left[index]
        }
        // Beyond the tolerance, and beyond what the measurement leaves open.
        if rate.value > allowed * (1 + tolerance), rate.low > allowed { return .faster(than: allowed) }
        var taken = rate.value
        for index in found {
            let part = min(left[index], taken)
            left[index] -= part
            taken -= part
        }
        return .known(rate: allowed)
    }
}
