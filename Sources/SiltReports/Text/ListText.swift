internal import SiltEvents
package import SiltFindings
internal import SiltRecording
internal import SiltSymbols
internal import SiltText

/// `--list`: the source of functions with what each line holds itself (flat) and with all it calls (cum).
///
/// The columns and numbers are those of `go tool pprof -list` of the profile that `PprofExport` writes.
package enum ListText {
    /// Lines shown before the first and after the last that holds something, and between two of them.
    private static let margin: UInt32 = 5
    private static let maximumGap: UInt32 = 40
    /// Characters of a line of source, however narrow the terminal is.
    private static let minimumText = 10
    /// From this width on columns are as wide as those of pprof.
    private static let usualWidth = 60

    private struct Line: Hashable {
        var function: String
        var file: String
        var line: UInt32
    }

    fileprivate struct Routine {
        var name: String
        var file: String
        /// Ascending.
        var lines: [(number: UInt32, flat: Double, cumulative: Double)]
    }

    /// Throws, and writes nothing, where no function matches.
    package static func render<Output: TextOutputStream>(
        _ report: HeapReport,
        _ pattern: FunctionPattern,
        into output: inout Output
    ) throws(NoSuchFunction) {
        var lines = LabelTable<Line>()
        let labels = lines.labels(of: report) { row, frame in
            let symbol = report.names.rows[row]
            return Line(
                function: report.names.name(ofRow: row, frame: frame, in: report.recording).printable,
                file: symbol.file == .none ? "" : report.recording.string(symbol.file),
                line: symbol.line
            )
        }
        var tree = NameTree(columns: 1)
        tree.add(report, to: 0, from: .blamed, labels: labels) { report.value(of: $0) }
        let routines = routines(tree, lines.things, pattern)
        let total = FunctionSums(tree, labelCount: lines.things.count).totals[0]
        let unit = unit(report, routines, Double(total))
        guard !routines.isEmpty else {
            let names = Set(lines.things.map(\.function)).sorted()
            throw NoSuchFunction(pattern, shown: report.valueName, among: names)
        }
        let moment = report.isBeforeTheWayOut ? " \(report.countedResource.beforeTheWayOut)" : ""
        let units = report.countedResource.isCounted ? " \(report.countedResource.units)" : ""
        var page = TextPage(width: report.options.width, isColored: false)
        page.paragraph("Total: \(unit.label(Double(total)))\(units)\(moment)", indent: 2, first: 0)
        output.write(page.text)
        for routine in routines { write(routine, unit, Double(total), report.options, into: &output) }
    }

    private static func unit(_ report: HeapReport, _ routines: [Routine], _ total: Double) -> PprofTable.Unit {
        guard !report.countedResource.isCounted, report.options.order != .temporary else { return .count }
        let rows = routines.flatMap(\.lines).map { line in
            PprofTable.Row(label: 0, name: "", flat: line.flat, cumulative: line.cumulative)
        }
        return PprofTable.Unit(for: rows, total: total)
    }

    /// By what they hold in all, the most first.
    private static func routines(_ tree: NameTree, _ things: [Line], _ pattern: FunctionPattern) -> [Routine] {
        let sums = FunctionSums(tree, labelCount: things.count)
        var places: [Line: Int] = [:]
        var routines: [Routine] = []
        for label in sums.labels where pattern.matches(things[label].function) {
            var key = things[label]
            key.line = 0
            let place = places[key] ?? routines.count
            if place == routines.count {
                places[key] = place
                routines.append(Routine(name: key.function, file: key.file, lines: []))
            }
            routines[place].lines.append(
                (things[label].line, Double(sums.flat[0][label]), Double(sums.cumulative[0][label]))
            )
        }
        for index in routines.indices { routines[index].lines.sort { $0.number < $1.number } }
        return routines.sorted { ($1.cumulative, $0.name) < ($0.cumulative, $1.name) }
    }

    private static func write<Output: TextOutputStream>(
        _ routine: Routine,
        _ unit: PprofTable.Unit,
        _ total: Double,
        _ options: ReportOptions,
        into output: inout Output
    ) {
        let isNarrow = options.width < usualWidth
        func columns(_ flat: Double, _ cumulative: Double) -> String {
            func cell(_ value: Double) -> String {
                (value == 0 ? "." : unit.label(value)).leftPadded(to: isNarrow ? 8 : 10)
            }
            return cell(flat) + " " + cell(cumulative)
        }
        writeHead(routine, options.width, into: &output)
        output.write(
            "\(columns(routine.flat, routine.cumulative)) (flat, cum) "
                + "\(Format.percent(routine.cumulative, of: total))\(isNarrow ? "" : " of Total")\n"
        )
        func write(_ columns: String, _ number: UInt32, _ text: String) {
            let lead = "\(columns) \("\(number)".leftPadded(to: isNarrow ? 4 : 6)):"
            output.write(lead + text.cut(to: max(minimumText, options.width - lead.count)) + "\n")
        }
        let source = options.showsSource ? SourceLines.all(of: routine.file) : nil
        if source == nil {
            output.write(" \(routine.file.isEmpty ? "its file is not known" : "its source cannot be read here")\n")
        }
        var next = routine.lines.first.map { $0.number > margin ? $0.number - margin : 1 } ?? 1
        func writeSource(before end: UInt32) {
            guard let source else { return }
            if end > next, end - next > maximumGap {
                for number in next..<next + margin { writeLine(number, source) }
                output.write(columns(0, 0) + "      …\n")
                next = end - margin
            }
            while next < end, next <= source.count {
                writeLine(next, source)
                next += 1
            }
        }
        func writeLine(_ number: UInt32, _ source: [String]) {
            guard number >= 1, number <= source.count else { return }
            write(columns(0, 0), number, source[Int(number) - 1])
        }
        for line in routine.lines {
            writeSource(before: line.number)
            let text = source.flatMap { line.number >= 1 && line.number <= $0.count ? $0[Int(line.number) - 1] : nil }
            write(columns(line.flat, line.cumulative), line.number, text ?? "")
            next = line.number + 1
        }
        if let last = routine.lines.last { writeSource(before: last.number + margin + 1) }
    }
}

extension ListText {
    /// As `ROUTINE ======================== order_create in /src/orders.c`: on two lines where it does not fit on one, the
    /// function first, both shortened to the width.
    private static func writeHead<Output: TextOutputStream>(
        _ routine: Routine,
        _ width: Int,
        into output: inout Output
    ) {
        let (short, rest) = ("ROUTINE ", "======================== ")
        let file = "in \(routine.file.printable)"
        let line = short + rest + routine.name + " " + file
        if line.count <= width { return output.write(line + "\n") }
        let lead = routine.name.count + short.count + rest.count <= width ? short + rest : short
        output.write(lead + fittedName(routine.name, width: max(minimumText, width - lead.count)) + "\n")
        output.write("  in " + routine.file.printable.cutInFront(to: max(minimumText, width - 5)) + "\n")
    }
}

extension ListText.Routine {
    fileprivate var flat: Double { lines.reduce(0) { $0 + $1.flat } }
    /// As pprof adds them up: a stack through two of its lines counts twice.
    fileprivate var cumulative: Double { lines.reduce(0) { $0 + $1.cumulative } }
}
