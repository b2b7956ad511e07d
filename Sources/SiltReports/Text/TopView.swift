internal import SiltEvents
package import SiltFindings
internal import SiltText

/// The screen of `silt top`, and what a key does to it.
///
/// Knows no terminal.
package struct TopView {
    package enum Key: Equatable, Sendable {
        case character(Character)
        case up, down, pageUp, pageDown, home, end, enter, escape, backspace
        /// Ctrl-C.
        case interrupt
    }

    /// What the keys ask of who runs the view.
    package enum Effect: Equatable, Sendable {
        case none
        case quit
        /// A phase's round has ended.
        case mark(String)
    }

    package enum Order: String, CaseIterable, Sendable {
        case growth
        case inUse = "in use"
        case allocated
        case peak
    }

    private enum Mode: Equatable {
        case list
        case stack
        case help
        /// A line is being typed.
        case filter, mark
    }

    package private(set) var order = Order.growth
    package private(set) var filter = ""
    package private(set) var isFrozen = false
    /// Said in the last line until the next key.
    package var message = ""
    private var mode = Mode.list
    private var typed = ""
    private var selected = 0
    private var top = 0
    private var report: HeapReport?
    private let name: String

    /// `name`: what is looked at.
    package init(_ name: String) { self.name = String(name.lastPathComponent) }

    /// The next report; a view that is frozen keeps what it has.
    package mutating func take(_ report: HeapReport) {
        if !isFrozen || self.report == nil { self.report = report }
    }

    // MARK: Keys

    package mutating func press(_ key: Key, rows: Int) -> Effect {
        message = ""
        if key == .interrupt { return .quit }
        switch mode {
        case .filter, .mark: return type(key)
        case .help:
            mode = .list
            return .none
        case .stack:
            switch key {
            case .escape, .enter, .backspace, .character("q"): mode = .list
            default: return command(key, rows: rows)
            }
            return .none
        case .list: return command(key, rows: rows)
        }
    }

    private mutating func type(_ key: Key) -> Effect {
        switch key {
        case .character(let character): typed.append(character)
        case .backspace: _ = typed.popLast()
        case .escape: mode = .list
        case .enter:
            let isMark = mode == .mark
            mode = .list
            if isMark { return typed.isEmpty ? .none : .mark(typed) }
            filter = typed
            selected = 0
        case .up, .down, .pageUp, .pageDown, .home, .end, .interrupt: break
        }
        return .none
    }

    private mutating func command(_ key: Key, rows: Int) -> Effect {
        let last = max(0, sites.count - 1)
        switch key {
        case .up, .character("k"): selected = max(0, selected - 1)
        case .down, .character("j"): selected = min(last, selected + 1)
        case .pageUp: selected = max(0, selected - max(1, rows))
        case .pageDown: selected = min(last, selected + max(1, rows))
        case .home: selected = 0
        case .end: selected = last
        case .enter: mode = .stack
        case .escape: filter = ""
        case .character("q"): return .quit
        case .character("s"):
            let all = Order.allCases
            order = all[((all.firstIndex(of: order) ?? 0) + 1) % all.count]
            selected = 0
        case .character("f"), .character(" "): isFrozen.toggle()
        case .character("/"):
            typed = filter
            mode = .filter
        case .character("m"):
            typed = ""
            mode = .mark
        case .character("?"), .character("h"): mode = .help
        case .character, .backspace, .interrupt: break
        }
        return .none
    }

    // MARK: Rows

    /// Sites that match the filter, in the order that was chosen.
    private var sites: [ReportSite] {
        guard let report else { return [] }
        var sites = report.sites
        if !filter.isEmpty {
            let wanted = filter.lowercased()
            // A regular expression if it is one, and else the text itself.
            let pattern = try? FunctionPattern(filter)
            sites = sites.filter { site in
                let words = [site.fix.name, site.fix.place, site.blame.name].joined(separator: " ")
                return pattern?.matches(words) ?? words.lowercased().contains(wanted)
            }
        }
        switch order {
        case .growth: return sites.filter(\.isGrowing) + Self.byHeld(sites.filter { !$0.isGrowing })
        case .inUse: return Self.byHeld(sites)
        case .allocated: return sites.sorted { ($1.allocatedBytes, $0.rank) < ($0.allocatedBytes, $1.rank) }
        case .peak: return sites.sorted { ($1.peakBytes, $0.rank) < ($0.peakBytes, $1.rank) }
        }
    }

    private static func byHeld(_ sites: [ReportSite]) -> [ReportSite] {
        sites.sorted { ($1.heldBytes, $0.rank) < ($0.heldBytes, $1.rank) }
    }

    // MARK: The screen

    /// Exactly `height` lines of at most `width` columns.
    package mutating func lines(width: Int, height: Int, color: Bool) -> [String] {
        guard let report else { return Self.fitted(["waiting for \(name)"], width, height) }
        let memory = Self.memory(report, width: width)
        let rows = max(1, height - (memory == nil ? 4 : 5))
        let sites = sites
        selected = min(selected, max(0, sites.count - 1))
        top = min(max(top, selected - rows + 1), selected)
        var lines = [
            Self.styled(verdict(report).printable.cut(to: width), verdictStyle(report), color),
            summary(report, width: width),
        ]
        if let memory { lines.append(memory) }
        switch mode {
        case .stack where selected < sites.count:
            var page = TextPage(width: width, isColored: false)
            FindingText.write(sites[selected], number: selected + 1, report, .whole, &page)
            lines.append("")
            lines += page.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        case .help: lines += Self.help
        case .list, .filter, .mark, .stack:
            let shown = Array(sites.enumerated().dropFirst(top).prefix(rows))
            let table = TopRows(order: order, sites: shown.map(\.element), width: width - 1)
            lines.append(Self.styled((" " + table.heading).cut(to: width), "7", color))
            for ((index, site), row) in zip(shown, table.lines) {
                let line = ((index == selected ? ">" : " ") + row).cut(to: width)
                lines.append(Self.styled(line, site.isGrowing ? "31" : "", color))
            }
            if sites.isEmpty { lines.append(filter.isEmpty ? " no call site yet" : " no call site matches \(filter)") }
        }
        lines = Self.fitted(lines, width, max(0, height - 1))
        return lines + [Self.styled(bottom.cut(to: width), "2", color)]
    }

    /// Rows of sites that fit a screen of that height.
    package static func rows(height: Int) -> Int { max(1, height - 4) }

    private static func fitted(_ lines: [String], _ width: Int, _ height: Int) -> [String] {
        Array(lines.prefix(height)) + Array(repeating: "", count: max(0, height - lines.count))
    }

    private static func styled(_ text: String, _ code: String, _ isColored: Bool) -> String {
        isColored && !code.isEmpty ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }

    /// With fewer snapshots of what still runs, a verdict would change from one look to the next.
    private static let earliest = 8

    private func isTooEarly(_ report: HeapReport) -> Bool {
        !report.trust.isClosed && report.phases.isEmpty && report.periodCount < Self.earliest
    }

    private func verdict(_ report: HeapReport) -> String {
        isTooEarly(report)
            ? "too early to tell: \(report.periodCount) of \(Self.earliest) snapshots" : report.verdictLine
    }

    private func verdictStyle(_ report: HeapReport) -> String {
        if isTooEarly(report) { return "1;33" }
        return switch report.verdict {
        case .growing: "1;31"
        case .notGrowing: "1;32"
        case .inconclusive: "1;33"
        }
    }

    private func summary(_ report: HeapReport, width: Int) -> String {
        let totals = report.totals
        let isOver = report.trust.isClosed
        let held = "\(Format.bytes(totals.inUseBytes)) in \(Format.plural(totals.inUseCount, "block"))"
        var parts = [(isFrozen ? "FROZEN  " : "") + name.printable]
        let rss = report.recording.residentBytes
        if let last = report.recording.snapshots.map(\.timeNs).max() {
            let time = Format.duration(Double(last) / 1e9)
            parts.append(isOver ? "ended after \(time)" : time)
        }
        let hasHeap = totals.allocatedCount > 0
        if hasHeap, !isOver { parts.append("live \(held)") }
        if report.trust.counters.lost > 0 { parts.append("lost \(Format.count(report.trust.counters.lost)) events") }
        if rss > 0 { parts.append("RSS \(Format.bytes(rss))") }
        if hasHeap { parts.append("peak \(Format.bytes(totals.peakInUseBytes))") }
        if hasHeap, isOver { parts.append("left at exit \(held)") }
        if report.processes.count != 1 {
            parts.append(Format.plural(UInt64(report.processes.count), "process", "processes"))
        }
        return Self.fitting(parts, separator: "  ", width: width)
    }

    /// As many of the parts as fit, the first in any case.
    private static func fitting(_ parts: [String], separator: String, width: Int) -> String {
        var text = parts.first ?? ""
        for part in parts.dropFirst() {
            guard text.count + separator.count + part.count <= width else { break }
            text += separator + part
        }
        return text.cut(to: width)
    }

    /// What resident memory is for, and which use has grown most: nil where nobody looked.
    private static func memory(_ report: HeapReport, width: Int) -> String? {
        guard let parts = report.recording.memoryParts else { return nil }
        let most = MemoryUse.allCases.max { parts.rise[$0] < parts.rise[$1] }
        let uses = MemoryUse.allCases.filter { parts.now[$0] > 0 && parts.now[$0] >= parts.now.sum / 50 }
            .sorted { parts.now[$0] > parts.now[$1] }
        let words = uses.map { use in
            let isGrower = use == most && parts.rise[use] >= minimumRise
            return "\(Format.bytes(parts.now[use])) \(MemoryText.name(use))"
                + (isGrower ? " (+\(Format.bytes(parts.rise[use])))" : "")
        }
        return "RSS is " + fitting(words, separator: ", ", width: width - 7)
    }

    /// Below it the use that has grown most is not told.
    private static let minimumRise = 1_048_576.0

    private var bottom: String {
        switch mode {
        case .filter: "filter: \(typed)_"
        case .mark: "the round that ended was of phase: \(typed)_"
        case .stack: message.isEmpty ? "Esc back  q back  s sort  f freeze" : message
        case .help: "any key goes back"
        case .list:
            message.isEmpty
                ? "q quit  Enter stack  s sort  / filter  f freeze  m mark  ? help"
                    + (filter.isEmpty ? "" : "  [\(filter)] Esc shows all")
                : message
        }
    }

    private static let help = [
        "", "  up, down, j, k     choose a call site", "  PgUp, PgDn         by pages",
        "  Enter              its stack",
        "  s                  sort by growth, in use, allocated, peak",
        "  /                  show what matches a regular expression",
        "  Esc                show all again", "  f, space           freeze, go on",
        "  m                  mark the round of a phase that has ended (as silt mark)", "  q, Ctrl-C          quit",
    ]
}
