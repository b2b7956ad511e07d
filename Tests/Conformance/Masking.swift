/// Whether a traced run printed what the program prints natively, where native runs differ from each other.
///
/// The rule: when all native runs print the same, the traced run must print exactly that. Else the lines that all native runs
/// have in common, in this order (their longest common subsequence), must be in the traced output in this order, too. Each
/// other line is masked: its numbers, in decimal and hexadecimal, become `#`. A masked line of the traced run must equal a
/// masked line of a native run, and a native run must have as many of them or more.
struct Masking {
    /// Of each native run.
    private let natives: [[String]]
    private let common: [String]
    /// How often a native run has each masked line: the most of all runs.
    private var masked: [String: Int] = [:]

    init(_ runs: [String]) {
        natives = runs.map(Self.lines)
        common = natives.dropFirst().reduce(natives.first ?? []) { Self.common($0, $1) }
        for native in natives {
            var counts: [String: Int] = [:]
            for line in Self.rest(of: native, without: common) ?? [] { counts[Self.mask(line), default: 0] += 1 }
            masked.merge(counts) { max($0, $1) }
        }
    }

    /// Whether the native runs differ.
    var isNeeded: Bool { natives.contains { $0 != common } }

    /// What is wrong with the output of a traced run; nil when it is right.
    func difference(in output: String) -> String? {
        let lines = Self.lines(output)
        guard let rest = Self.rest(of: lines, without: common) else {
            let missing = common.difference(from: Self.common(common, lines)).insertions.first
            guard case .insert(let offset, let line, _)? = missing else { return "lines are in another order" }
            return "line \(offset + 1) of \(common.count) is missing: \(line)"
        }
        var left = masked
        for line in rest {
            let text = Self.mask(line)
            guard let count = left[text], count > 0 else { return "not printed natively: \(line)" }
            left[text] = count - 1
        }
        return nil
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The lines of one that are in the other, in this order.
    private static func common(_ one: [String], _ other: [String]) -> [String] {
        var kept = one
        for case .remove(let offset, _, _) in other.difference(from: one).removals.reversed() {
            kept.remove(at: offset)
        }
        return kept
    }

    /// The lines but for those in common; nil when these are not all there in their order.
    private static func rest(of lines: [String], without common: [String]) -> [String]? {
        let difference = lines.difference(from: common)
        guard difference.removals.isEmpty else { return nil }
        return difference.insertions.compactMap { change in
            if case .insert(_, let line, _) = change { line } else { nil }
        }
    }

    /// A line with `#` for each of its numbers.
    static func mask(_ line: String) -> String {
        line.replacing(/(0x)?[0-9a-fA-F]*[0-9][0-9a-fA-F]*/, with: "#")
    }
}
