internal import SiltEvents
package import SiltFindings
internal import SiltRecording
internal import SiltText

/// The live heap of all processes over the time of a trace, in equal spans.
struct HeapTimeline: Sendable {
    struct Column: Equatable, Sendable {
        /// The most that was in use at once in the span.
        var inUseBytes: UInt64 = 0
        /// nil: not seen.
        var rssBytes: UInt64?
    }

    /// A phase of a hunt, or a mark (which has no length), in columns.
    struct Span: Equatable, Sendable {
        var name: String
        var columns: ClosedRange<Int>
    }

    private(set) var columns: [Column] = []
    private(set) var spans: [Span] = []
    let startNs: UInt64
    let endNs: UInt64

    var seconds: Double { Double(endNs - startNs) / 1e9 }

    /// Empty without two snapshots at different times.
    init(_ recording: Recording, columns count: Int) {
        let rows = recording.snapshots.sorted { ($0.timeNs, $0.process) < ($1.timeNs, $1.process) }
        startNs = rows.first?.timeNs ?? 0
        endNs = rows.last?.timeNs ?? 0
        guard endNs > startNs, count > 0 else { return }
        var changes: [(timeNs: UInt64, process: UInt32, inUse: UInt64, rss: UInt64?)] = rows.map {
            ($0.timeNs, $0.process, $0.inUseBytes, $0.rssBytes)
        }
        for process in recording.processes {
            if let end = process.endNs, end < endNs { changes.append((end, process.id, 0, 0)) }
        }
        changes.sort { ($0.timeNs, $0.process) < ($1.timeNs, $1.process) }
        columns = Array(repeating: Column(), count: count)
        var live: [UInt32: (inUse: UInt64, rss: UInt64?)] = [:]
        var next = 0
        for index in columns.indices {
            var most = Self.sum(live)
            while next < changes.count, column(of: changes[next].timeNs) <= index {
                let change = changes[next]
                live[change.process] = (change.inUse, change.rss)
                let now = Self.sum(live)
                if now.inUseBytes >= most.inUseBytes { most.inUseBytes = now.inUseBytes }
                most.rssBytes = [most.rssBytes, now.rssBytes].compactMap { $0 }.max()
                next += 1
            }
            columns[index] = most
        }
        addSpans(recording)
    }

    /// By column: what resident memory is for by its end; empty where nobody looked.
    func parts(_ recording: Recording) -> [MemoryUses<UInt64>] {
        let looks = recording.memoryLooks
        guard !looks.isEmpty, !columns.isEmpty else { return [] }
        let ends = recording.processes.filter { $0.endNs ?? .max < endNs }.map { ($0.endNs ?? .max, $0.id) }
        var latest: [UInt32: MemoryUses<UInt64>] = [:]
        var next = 0
        return columns.indices.map { index in
            while next < looks.count, column(of: looks[next].timeNs) <= index {
                latest[looks[next].look.process] = looks[next].look.bytes
                next += 1
            }
            for (end, process) in ends where column(of: end) <= index { latest[process] = nil }
            return latest.values.reduce(into: MemoryUses()) { $0 += $1 }
        }
    }

    private static func sum(_ live: [UInt32: (inUse: UInt64, rss: UInt64?)]) -> Column {
        live.values.reduce(into: Column()) { sum, process in
            sum.inUseBytes &+= process.inUse
            if let rss = process.rss { sum.rssBytes = (sum.rssBytes ?? 0) &+ rss }
        }
    }

    private func column(of timeNs: UInt64) -> Int {
        let share = Double(timeNs &- min(timeNs, startNs)) / Double(endNs - startNs)
        return min(columns.count - 1, max(0, Int(share * Double(columns.count))))
    }

    private mutating func addSpans(_ recording: Recording) {
        for phase in recording.phases {
            guard phase.startNs < endNs else { continue }
            // The column of its end is that in which the next begins.
            let start = column(of: phase.startNs)
            let end = phase.endNs.map { max(start, column(of: $0) - 1) } ?? columns.count - 1
            spans.append(Span(name: phase.name, columns: start...end))
        }
        for mark in recording.marks {
            spans.append(Span(name: mark.name, columns: column(of: mark.timeNs)...column(of: mark.timeNs)))
        }
    }
}

/// `--timeline`: the live heap over time as a chart, phases and marks below it.
package enum TimelineText {
    private static let height = 12
    private static let axis = 11
    private static let eighths = Array(" ▁▂▃▄▅▆▇█")

    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        var page = TextPage(width: report.options.width, isColored: report.options.color)
        let timeline = HeapTimeline(report.recording, columns: report.options.width - axis - 1)
        guard let most = timeline.columns.map(\.inUseBytes).max(), most > 0 else {
            output.write(
                timeline.columns.isEmpty
                    ? "no course of time: the recording has fewer than two snapshots\n"
                    : "nothing was in use at any snapshot\n"
            )
            return
        }
        let last = timeline.columns.last?.inUseBytes ?? 0
        page.line("live heap: at most \(Format.bytes(most)) at a snapshot, \(Format.bytes(last)) at the last")
        for row in stride(from: height - 1, through: 0, by: -1) {
            let bars = timeline.columns.map { column -> Character in
                let filled = Double(column.inUseBytes) / Double(most) * Double(height * 8)
                return eighths[min(8, max(0, Int(filled.rounded(.up)) - row * 8))]
            }
            let isLabeled = row == height - 1 || row == height / 2 - 1
            let value = isLabeled ? Format.bytes(Double(most) * Double(row + 1) / Double(height)) : ""
            page.line(value.leftPadded(to: axis - 1) + " ┤" + String(bars))
        }
        page.line("0".leftPadded(to: axis - 1) + " └" + String(repeating: "─", count: timeline.columns.count))
        times(timeline, &page)
        if !timeline.spans.isEmpty { spans(timeline, &page) }
        rss(timeline, &page)
        output.write(page.text)
    }

    private static func times(_ timeline: HeapTimeline, _ page: inout TextPage) {
        let count = timeline.columns.count
        let middle = Format.duration(timeline.seconds / 2)
        let end = Format.duration(timeline.seconds)
        let left = "0 s".padded(to: count / 2 - middle.count / 2) + middle
        page.line(String(repeating: " ", count: axis + 1) + left + end.leftPadded(to: count - left.count))
    }

    /// Names under their spans, on as many lines as keep them apart.
    private static func spans(_ timeline: HeapTimeline, _ page: inout TextPage) {
        var lines: [String] = []
        for span in timeline.spans {
            let width = span.columns.count
            let name = span.name.printable
            let text = width < 3 ? "↑" + name : "├" + name.cut(to: width - 2).padded(to: width - 2, with: "─") + "┤"
            let start = span.columns.lowerBound
            let free = lines.firstIndex { $0.count <= start }
            let line = free ?? lines.count
            if line == lines.count { lines.append("") }
            lines[line] = lines[line].padded(to: start) + text
        }
        for line in lines { page.line(String(repeating: " ", count: axis + 1) + line) }
    }

    private static func rss(_ timeline: HeapTimeline, _ page: inout TextPage) {
        let seen = timeline.columns.map { $0.rssBytes ?? 0 }
        guard let most = seen.max(), most > 0 else { return }
        page.line("RSS".leftPadded(to: axis - 1) + "  " + Sparkline.text(seen, 0, most))
        page.line(String(repeating: " ", count: axis + 1) + "at most \(Format.bytes(most))")
    }
}

/// `--peak`: what made up the most that was in use at once.
package enum PeakText {
    private static let usual = 20

    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        var page = TextPage(width: report.options.width, isColored: report.options.color)
        let peak = report.totals.peakInUseBytes
        guard peak > 0 else {
            output.write("no peak: nothing was ever in use\n")
            return
        }
        let processes = report.processes.filter { $0.totals.peakInUseBytes > 0 }.count
        let time = report.recording.snapshots.max { ($0.inUseBytes, $1.timeNs) < ($1.inUseBytes, $0.timeNs) }
        var line = "peak: \(Format.bytes(peak))"
        if processes > 1 { line += ", the sum of the peaks of \(processes) processes" }
        if let time, time.inUseBytes > 0 {
            line += "; the highest snapshot was at \(Format.duration(Double(time.timeNs) / 1e9))"
            line += " with \(Format.bytes(time.inUseBytes))"
        }
        page.paragraph(line + "; \(Format.bytes(report.totals.inUseBytes)) in use at the end", indent: 2, first: 0)
        let sites = report.sites.filter { $0.resource == .heap && $0.peakBytes > 0 }
            .sorted { ($1.peakBytes, $0.rank) < ($0.peakBytes, $1.rank) }
        var seen: Set<Int> = []
        // A site that grows in several phases is listed for each.
        let distinct = sites.filter { seen.insert($0.index).inserted }
        let shown = distinct.prefix(report.options.limit ?? usual)
        page.sites(
            shown.enumerated().map { index, site in
                TextPage.SiteLine(
                    rank: index + 1,
                    lead: Format.percent(Double(site.peakBytes), of: Double(peak)),
                    blame: site.blame,
                    size: "\(Format.bytes(site.peakBytes)) in \(Format.plural(site.peakCount, "block"))",
                    end: "now \(Format.bytes(site.inUseBytes))"
                )
            }
        )
        if distinct.count > shown.count { page.line("     and \(distinct.count - shown.count) smaller ones") }
        output.write(page.text)
    }
}
