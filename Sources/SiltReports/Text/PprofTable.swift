internal import Glibc
internal import SiltSymbols
internal import SiltText

/// A table in the shape of `go tool pprof -top`.
enum PprofTable {
    struct Row {
        /// In the tree that the sums are of.
        var label: Int
        var name: String
        var flat: Double
        var cumulative: Double
        var inlining = FunctionSums.Inlining.never
    }

    /// By flat, then by name.
    static func areInOrder(_ first: Row, _ second: Row) -> Bool {
        if first.flat.magnitude != second.flat.magnitude { return first.flat.magnitude > second.flat.magnitude }
        if first.name != second.name { return first.name.utf8.lexicographicallyPrecedes(second.name.utf8) }
        return first.cumulative.magnitude > second.cumulative.magnitude
    }

    /// Says of each row how those shown with it have it inlined.
    static func mark(_ rows: inout [Row], _ sums: FunctionSums, labelCount: Int, minimumWeight: Double) {
        var shown = [Bool](repeating: false, count: labelCount)
        for row in rows { shown[row.label] = true }
        let inlining = sums.inlining(shown: shown, minimumWeight: minimumWeight)
        for index in rows.indices { rows[index].inlining = inlining[rows[index].label] }
    }

    /// Characters of a function's name, however wide the columns in front of it are.
    private static let (minimumName, shortName) = (20, 8)

    /// The columns in front of the names, those that a narrow terminal has no room for left out: the running sum first,
    /// then the other shares.
    private struct Columns {
        private static let names = ["      flat", " flat%", "  sum%", "       cum", "  cum%"]
        private let shown: [Int]

        init(width: Int) {
            let choices = [[0, 1, 2, 3, 4], [0, 1, 3]]
            shown = choices.first { Self.width(of: $0) + minimumName <= width } ?? [0, 3]
        }

        private static func width(of columns: [Int]) -> Int { columns.reduce(1) { $0 + names[$1].count + 1 } }

        var heading: String { shown.map { Self.names[$0] }.joined(separator: " ") }

        func line(_ cells: [String]) -> String { shown.map { cells[$0] }.joined(separator: " ") + "  " }
    }

    /// The rows with the lines above them; shares are those of `total`, names are shortened to fit the width.
    static func write<Output: TextOutputStream>(
        _ rows: [Row],
        total: Double,
        unit: Unit,
        notes: [String],
        width: Int,
        into output: inout Output
    ) {
        let flat = rows.reduce(0) { $0 + $1.flat }
        let share = percent(flat, total).drop { $0 == " " }
        let columns = Columns(width: width)
        var page = TextPage(width: width, isColored: false)
        let head = "Showing nodes accounting for \(unit.label(flat)), \(share) of \(unit.label(total)) total"
        for line in [head] + notes { page.paragraph(line, indent: 2, first: 0) }
        output.write(page.text)
        output.write(columns.heading + "\n")
        var sum = 0.0
        for row in rows {
            sum += row.flat
            let lead = columns.line([
                unit.label(row.flat).leftPadded(to: 10), percent(row.flat, total), percent(sum, total),
                unit.label(row.cumulative).leftPadded(to: 10), percent(row.cumulative, total),
            ])
            let room = max(shortName, width - lead.count)
            let mark = row.inlining.mark
            let isMarked = room - mark.count >= min(minimumName, row.name.count)
            let name = fittedName(row.name, width: isMarked ? room - mark.count : room)
            output.write(lead + name + (isMarked ? mark : "") + "\n")
        }
    }

    /// Five columns and the sign, the share's magnitude: `  100%`, `12.34%`, ` 0.12%`.
    private static func percent(_ value: Double, _ total: Double) -> String {
        let ratio = total == 0 ? 0 : (value / total).magnitude * 100
        if ratio >= 99.95, ratio <= 100.05 { return "  100%" }
        return printed(ratio >= 1 ? "%5.2f" : "%5.2g", ratio) + "%"
    }

    /// printf(3) rounds as Go does: of two equally near numbers to the even one.
    fileprivate static func printed(_ format: String, _ value: Double) -> String {
        var text = [CChar](repeating: 0, count: 512)
        withVaList([value]) { _ = vsnprintf(&text, text.count, format, $0) }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// One unit for a whole table, chosen as pprof does: that of the smallest value, a hundred times as big where
    /// smallest and largest differ.
    struct Unit {
        private let name: String
        private let factor: Double
        private static let units: [(name: String, factor: Double)] = [
            ("B", 1), ("kB", 1024), ("MB", 1_048_576), ("GB", 1_073_741_824), ("TB", 1_099_511_627_776),
            ("PB", 1_125_899_906_842_624),
        ]

        /// For bytes: of each row flat, or cum where that is zero.
        init(for rows: [Row], total: Double) {
            let values = rows.lazy.map { ($0.flat == 0 ? $0.cumulative : $0.flat).magnitude }
            let least = values.filter { $0 > 0 }.min() ?? total
            var unit = Self.best(for: least)
            if unit.name != Self.best(for: total).name, least * 100 < total { unit = Self.best(for: least * 100) }
            name = unit.name
            factor = unit.factor
        }

        private init(name: String, factor: Double) {
            self.name = name
            self.factor = factor
        }

        /// Plain numbers.
        static let count = Unit(name: "", factor: 1)

        private static func best(for value: Double) -> (name: String, factor: Double) {
            units.last { value >= $0.factor } ?? units[0]
        }

        func label(_ value: Double) -> String {
            var text = printed("%.2f", value / factor)
            if text.hasSuffix(".00") { text.removeLast(3) }
            return text == "0" || text == "-0" ? "0" : text + name
        }
    }
}

extension FunctionSums.Inlining {
    /// Behind a function's name.
    fileprivate var mark: String {
        switch self {
        case .never: ""
        case .sometimes: " (partial-inline)"
        case .always: " (inline)"
        }
    }
}
