internal import SiltEvents
package import SiltFindings
internal import SiltHeap
internal import SiltRecording
internal import SiltText

/// `--sizes` and `--ages`: blocks, or what else grew, by powers of two of their size, or of the time since they were allocated.
package enum HistogramText {
    private static let barWidth = 40

    private struct Row {
        var label: String
        var count: UInt64
        var bytes: UInt64
    }

    /// Sizes of what lives at the end, and, where those of a call stack are taken for as big as they are on average, of all
    /// that was allocated: of what grew, or of blocks where that has no size.
    package static func renderSizes<Output: TextOutputStream>(_ whole: HeapReport, into output: inout Output) {
        let report = opening(of: whole, if: { !$0.isCounted }, lacks: "size", into: &output)
        let resource = report.countedResource
        var (all, last): ([Int: (count: UInt64, bytes: UInt64)], [Int: (count: UInt64, bytes: UInt64)]) = ([:], [:])
        func add(_ count: UInt64, _ bytes: UInt64, to sums: inout [Int: (count: UInt64, bytes: UInt64)]) {
            guard count > 0 else { return }
            let number = BlockClasses.number(bytes / count)
            sums[number, default: (0, 0)].count &+= count
            sums[number, default: (0, 0)].bytes &+= bytes
        }
        report.forEachCounter { row in
            add(row.allocatedCount, row.allocatedBytes, to: &all)
            add(row.inUseCount, row.inUseBytes, to: &last)
        }
        if report.isBeforeTheWayOut || resource != .heap {
            let title = "\(resource.units) in use \(moment(report)), by the mean size of their call stack"
            write(title, rows(last, label: size), report, into: &output)
        } else {
            guard let live = sums(report, .size, into: &output) else { return }
            write("blocks in use at the end, by size", rows(live, label: size), report, into: &output)
        }
        output.write("\n")
        let taken = "\(resource.units) \(resource == .heap ? "allocated" : "taken")"
        let title = "\(taken), by the mean size of their call stack"
        write(title, rows(all, label: size), report, into: &output)
    }

    /// Of what grew, or of blocks where it is not known when that was taken.
    package static func renderAges<Output: TextOutputStream>(_ whole: HeapReport, into output: inout Output) {
        let report = opening(of: whole, if: { whole.knowsAges(of: $0) }, lacks: "age", into: &output)
        let resource = report.countedResource
        guard
            let live = report.isBeforeTheWayOut || resource != .heap
                ? report.agesAtLastSnapshots : sums(report, .age, into: &output)
        else { return }
        let recording = report.recording
        let isHunt = !recording.rounds.isEmpty
        let period = ProcessClock.all(of: recording).map(\.period).max() ?? 0
        func label(_ number: Int) -> String {
            // 1 stands for what was allocated since the last snapshot, or the one before it.
            let (from, to) = (number == 0 ? 0 : 1 << (number - 1), 1 << number)
            if isHunt { return "\(from)–\(to) rounds" }
            if number <= 1 { return "less than \(time(2 * period))" }
            return "\(time(Double(from) * period)) – \(time(Double(to) * period))"
        }
        let isOfSnapshot = !report.isBeforeTheWayOut && resource != .heap
        let moment = isOfSnapshot ? "at the last snapshot" : moment(report)
        let title = "\(resource.units) in use \(moment), by the time since they were "
        write(title + (resource == .heap ? "allocated" : "taken"), rows(live, label: label), report, into: &output)
    }

    /// What grew, where `isKnown` says so of its kind; else blocks, after a line that says what is missing.
    private static func opening<Output: TextOutputStream>(
        of report: HeapReport,
        if isKnown: (Resource) -> Bool,
        lacks what: String,
        into output: inout Output
    ) -> HeapReport {
        let opening = report.opening
        let resource = opening.countedResource
        guard !isKnown(resource) else { return opening }
        let grown = report.growing.filter { $0.resource == resource }.reduce(0) { $0 &+ $1.heldBytes }
        let isCounted = resource.isCounted && grown > 0
        let which = isCounted ? "the \(Format.plural(grown, resource.unit)) that grew" : resource.units
        var page = TextPage(width: report.options.width, isColored: report.options.color)
        page.paragraph("of blocks: \(which) \(grown == 1 ? "has" : "have") no \(what)", indent: 2, first: 0)
        output.write(page.text)
        return report.openingOfBlocks
    }

    private static func moment(_ report: HeapReport) -> String {
        guard report.isBeforeTheWayOut else { return "at the end" }
        return report.countedResource == .heap
            ? report.countedResource.beforeTheWayOut : "before they were given back at exit"
    }

    private static func time(_ seconds: Double) -> String {
        seconds > 0 && seconds < 0.95 ? "\(Int((seconds * 1000).rounded())) ms" : Format.duration(seconds)
    }

    private static func size(_ number: Int) -> String {
        guard number > 0 else { return "0 B" }
        let from = Double(sign: .plus, exponent: number - 1, significand: 1)
        return number == 1 ? "1 B" : "\(round(from)) – \(round(from * 2))"
    }

    /// A power of two: as 16 B, 4 KiB.
    private static func round(_ bytes: Double) -> String {
        var (value, unit) = (bytes, 0)
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        while value >= 1024, unit + 1 < units.count {
            value /= 1024
            unit += 1
        }
        return "\(Int(value)) \(units[unit])"
    }

    /// nil after a word on why there is nothing to show.
    private static func sums<Output: TextOutputStream>(
        _ report: HeapReport,
        _ kind: RecordedClass.Kind,
        into output: inout Output
    ) -> [Int: (count: UInt64, bytes: UInt64)]? {
        var result: [Int: (count: UInt64, bytes: UInt64)] = [:]
        for row in report.recording.classes where row.kind == kind {
            result[row.number, default: (0, 0)].count &+= row.inUseCount
            result[row.number, default: (0, 0)].bytes &+= row.inUseBytes
        }
        guard result.isEmpty else { return result }
        output.write(
            report.isOfProfiles
                ? "profiles do not say how big or how old single blocks are\n"
                : report.totals.inUseBytes == 0
                    ? "no block was in use at the end\n"
                    : "not recorded: the recording is of an older silt, or its processes had not ended when it was closed\n"
        )
        return nil
    }

    private static func rows(
        _ sums: [Int: (count: UInt64, bytes: UInt64)],
        label: (Int) -> String
    ) -> [Row] {
        guard let least = sums.keys.min(), let greatest = sums.keys.max() else { return [] }
        return (least...greatest).map { number in
            Row(label: label(number), count: sums[number]?.count ?? 0, bytes: sums[number]?.bytes ?? 0)
        }
    }

    private static func write<Output: TextOutputStream>(
        _ title: String,
        _ rows: [Row],
        _ report: HeapReport,
        into output: inout Output
    ) {
        var page = TextPage(width: report.options.width, isColored: report.options.color)
        let all = rows.reduce((count: UInt64(0), bytes: UInt64(0))) { ($0.count &+ $1.count, $0.bytes &+ $1.bytes) }
        let resource = report.countedResource
        let sum =
            resource.isCounted
            ? Format.plural(all.count, resource.unit)
            : "\(Format.plural(all.count, resource.unit)), \(Format.bytes(all.bytes))"
        page.paragraph("\(title): \(sum)", indent: 2, style: .bold, first: 0)
        let labels = rows.map(\.label.count).max() ?? 0
        let counts = rows.map { Format.count($0.count).count }.max() ?? 0
        let width = min(barWidth, max(10, report.options.width - labels - counts - 22))
        let values = rows.map { resource.isCounted ? $0.count : $0.bytes }
        let most = values.max() ?? 0
        for (row, value) in zip(rows, values) {
            let bar = most == 0 ? "" : TreeText.bar(Double(value) / Double(most), width: width)
            let bytes = (row.count == 0 ? "" : Format.bytes(row.bytes)).leftPadded(to: 10) + "  "
            page.line(
                "  \(row.label.leftPadded(to: labels))  \(Format.count(row.count).leftPadded(to: counts))  "
                    + (resource.isCounted ? "" : bytes) + bar
            )
        }
        output.write(page.text)
    }
}
