import Foundation

/// The samples of one workload.
struct Row {
    var workload: Workload
    var samples: [Way: [Sample]] = [:]
    /// Ways that could not be measured, and why.
    var failures: [Way: String] = [:]

    init(_ workload: Workload) { self.workload = workload }

    /// Median of a number over the runs of a way; nil when it was not run.
    func median(_ way: Way, _ value: (Sample) -> Double) -> Double? {
        Self.median(samples[way, default: []].map(value))
    }

    /// CPU seconds of everything above those of the untraced program: the median of what each run took more than the
    /// untraced one of the same round, since other guests of the machine slow both down.
    func added(_ way: Way, _ value: (Sample) -> Double = { $0.total }) -> Double? {
        let pairs = zip(samples[way, default: []], samples[.native, default: []])
        return Self.median(pairs.map { traced, native in value(traced) - native.target })
    }

    /// nil of none.
    private static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    var events: Double? { median(.silt) { Double($0.events) } }

    /// How many times less CPU above native silt takes than heaptrack.
    var advantage: Double? {
        guard let ours = added(.silt), let theirs = added(.heaptrack), ours > 0 else { return nil }
        return theirs / ours
    }

    /// Throughput of the untraced program over that of the traced one.
    func slowdown(_ way: Way) -> Double? {
        guard workload.printsThroughput, let native = median(.native, { $0.throughput ?? 0 }),
            let traced = median(way, { $0.throughput ?? 0 }), traced > 0
        else { return nil }
        return native / traced
    }

    /// Share of the machine that others used during the runs.
    var others: Double {
        let all = samples.values.flatMap { $0 }.map(\.others).sorted()
        return all.isEmpty ? 0 : all[all.count / 2]
    }

    var line: String {
        let native = median(.native) { $0.target }
        func ratio(_ way: Way, _ value: (Sample) -> Double) -> String {
            guard let native, native > 0, let traced = median(way, value) else { return "–" }
            return fixed(traced / native, 2)
        }
        let nanoseconds = events.map { events in
            events > 0 ? added(.silt) { $0.target }.map { fixed($0 / events * 1e9, 1) } ?? "–" : "–"
        }
        let columns = [
            native.map { fixed($0, 3) } ?? "–",
            ratio(.forward) { $0.target },
            ratio(.silt) { $0.target },
            ratio(.silt) { $0.analyzer },
            ratio(.silt) { $0.closing },
            ratio(.silt) { $0.total },
            ratio(.heaptrack) { $0.target },
            ratio(.heaptrack) { $0.total },
            advantage.map { fixed($0, 1) + " ×" } ?? "–",
            events.map { fixed($0 / 1e6, 2) } ?? "–",
            nanoseconds ?? "–",
        ]
        var line = workload.name.padding(toLength: 10, withPad: " ", startingAt: 0)
        for (column, width) in zip(columns, Table.widths) {
            line += String(repeating: " ", count: max(1, width - column.count)) + column
        }
        if others > 0.1 { line += "  noisy: others used \(Int(others * 100)) %" }
        return line
    }
}

/// All rows, as text and as JSON.
struct Table {
    var rows: [Row] = []
    var notes: [String] = []

    static let widths = [8, 8, 8, 8, 8, 8, 9, 9, 8, 9, 9]

    static let heading = """
                            CPU over native, silt                     heaptrack         less   events  target
                native s forward  target analyzer closing  total  target   total    than it  million ns/event
        """

    /// What does not fit into the lines: medians in seconds and bytes, and which targets were missed.
    var details: String {
        var text = ""
        for row in rows {
            var parts: [String] = []
            if let start = startUp(row) { parts.append(start) }
            if let silt = row.slowdown(.silt) {
                parts.append("throughput divided by \(fixed(silt, 2)) under silt")
                if let theirs = row.slowdown(.heaptrack) { parts.append("by \(fixed(theirs, 2)) under heaptrack") }
                if silt > 2 { parts.append("MISSED: at most 2") }
            }
            if let peak = row.median(.silt, { Double($0.analyzerPeak) }) {
                parts.append("analyzer's peak \(mebibytes(peak))")
            }
            if let analyzer = row.median(.silt, { $0.analyzer }), let events = row.events, events > 0,
                row.workload.name != "start"
            {
                parts.append("analyzer \(fixed(analyzer / events * 1e9, 1)) ns/event")
            }
            parts += missed(row)
            text += "\n\(row.workload.name): " + parts.joined(separator: "; ")
        }
        for note in notes { text += "\n" + note }
        return text
    }

    private func startUp(_ row: Row) -> String? {
        guard row.workload.name == "start", let native = row.median(.native, { $0.target }) else { return nil }
        var text = "a program that does nothing takes \(fixed(native * 1e3, 1)) ms"
        if let target = row.added(.silt, { $0.target }), let analyzer = row.median(.silt, { $0.analyzer + $0.closing })
        {
            text += ", under silt \(fixed(target * 1e3, 1)) ms more, the analyzer \(fixed(analyzer * 1e3, 1)) ms"
        }
        if let target = row.added(.heaptrack, { $0.target }), let analyzer = row.median(.heaptrack, { $0.analyzer }) {
            text += "; under heaptrack \(fixed(target * 1e3, 1)) ms more, "
            text += "its interpreter \(fixed(analyzer * 1e3, 1)) ms"
        }
        return text
    }

    private func missed(_ row: Row) -> [String] {
        guard row.workload.name != "start" else { return [] }
        var result: [String] = []
        if let advantage = row.advantage, advantage < row.workload.wanted {
            result.append("MISSED: \(fixed(row.workload.wanted, 0)) times less than heaptrack")
        }
        if let limit = row.workload.ratioLimit, let native = row.median(.native, { $0.target }),
            let target = row.median(.silt, { $0.target }), target / native > limit
        {
            result.append("MISSED: target at most \(fixed(limit, 2)) of native")
        }
        return result
    }

    private func mebibytes(_ bytes: Double) -> String { fixed(bytes / 1_048_576, 1) + " MiB" }

    private struct Written: Codable {
        var name: String
        var samples: [String: [Sample]]
    }

    /// Every sample of every row; times in seconds, sizes in bytes.
    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(
            rows.map { row in
                let samples = Dictionary(uniqueKeysWithValues: row.samples.map { ($0.key.rawValue, $0.value) })
                return Written(name: row.workload.name, samples: samples)
            }
        )
    }
}

/// A number with that many digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
