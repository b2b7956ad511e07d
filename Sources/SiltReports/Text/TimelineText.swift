internal import SiltEvents
package import SiltFindings
internal import SiltRecording
internal import SiltText

/// `--timeline`: the live heap, or another resource, over time as a chart, phases and marks below it.
package enum TimelineText {
    private static let height = 12
    private static let axis = 11
    private static let eighths = Array(" ▁▂▃▄▅▆▇█")

    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        var page = TextPage(width: report.options.width, isColored: report.options.color)
        let resource = report.countedResource
        let timeline = HeapTimeline(report.recording, of: resource, columns: report.options.width - axis - 1)
        guard let most = timeline.columns.map(\.inUseBytes).max(), most > 0 else {
            output.write(
                timeline.columns.isEmpty
                    ? "no course of time: the recording has fewer than two snapshots\n"
                    : "no \(resource.unit) was in use at any snapshot\n"
            )
            return
        }
        let last = timeline.columns.last?.inUseBytes ?? 0
        func amount(_ value: UInt64) -> String { resource.isCounted ? Format.count(value) : Format.bytes(value) }
        page.line("\(name(of: resource)): at most \(amount(most)) at a snapshot, \(amount(last)) at the last")
        for row in stride(from: height - 1, through: 0, by: -1) {
            let bars = timeline.columns.map { column -> Character in
                let filled = Double(column.inUseBytes) / Double(most) * Double(height * 8)
                return eighths[min(8, max(0, Int(filled.rounded(.up)) - row * 8))]
            }
            let isLabeled = row == height - 1 || row == height / 2 - 1
            let value = Double(most) * Double(row + 1) / Double(height)
            let label = resource.isCounted ? Format.count(UInt64(value.rounded())) : Format.bytes(value)
            page.line((isLabeled ? label : "").leftPadded(to: axis - 1) + " ┤" + String(bars))
        }
        page.line("0".leftPadded(to: axis - 1) + " └" + String(repeating: "─", count: timeline.columns.count))
        times(timeline, &page)
        if !timeline.spans.isEmpty { spans(timeline, &page) }
        rss(timeline, &page)
        output.write(page.text)
    }

    /// What the chart shows.
    static func name(of resource: Resource) -> String {
        resource == .heap ? "live heap" : "\(resource.units) in use"
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
