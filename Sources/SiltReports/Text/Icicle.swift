package import SiltFindings
internal import SiltSymbols
internal import SiltText

/// Boxes in rows, each above those that it leads to and as wide as it is heavy: a flame graph that hangs.
struct Icicle {
    struct Piece {
        var start: Int
        var width: Int
        var box: StackView.Box
    }

    private(set) var rows: [[Piece]] = []
    /// Rows that were left out.
    private(set) var deeper = 0

    /// Boxes narrower than a column are not there; beyond `limit` rows, rows are only counted.
    init(_ view: StackView, width: Int, limit: Int) {
        guard view.whole.weight > 0 else { return }
        let scale = Double(width) / view.whole.weight
        var row = [Piece(start: 0, width: width, box: view.whole)]
        while !row.isEmpty {
            if rows.count < limit { rows.append(row) } else { deeper += 1 }
            row = row.flatMap { piece in Self.below(piece, view, scale) }
        }
    }

    private static func below(_ piece: Piece, _ view: StackView, _ scale: Double) -> [Piece] {
        var result: [Piece] = []
        var offset = 0.0
        for child in view.children(of: piece.box) {
            let start = piece.start + Int((offset * scale).rounded())
            offset += child.weight
            let end = min(piece.start + piece.width, piece.start + Int((offset * scale).rounded()))
            if end > start { result.append(Piece(start: start, width: end - start, box: child)) }
        }
        return result
    }

    /// One line a row: edges around each box, its name and what `label` says of it as far as they fit.
    ///
    /// `color` gives a box its background, one of the 256 of SGR 48;5; the edges are there either way.
    func text(label: (StackView.Box) -> String, color: ((StackView.Box) -> Int)?) -> String {
        var text = ""
        for row in rows {
            var column = 0
            for piece in row {
                text += String(repeating: " ", count: piece.start - column)
                let cell = Self.cell(piece, label(piece.box))
                if let color {
                    text += "\u{1b}[38;5;16;48;5;\(color(piece.box))m\(cell)\u{1b}[0m"
                } else {
                    text += cell
                }
                column = piece.start + piece.width
            }
            text += "\n"
        }
        return text
    }

    private static func cell(_ piece: Piece, _ label: String) -> String {
        guard piece.width > 1 else { return "▏" }
        let room = piece.width - 2
        let name = piece.box.name
        // A difference is told by its sign wherever there is room for one.
        let sign = label.first.map { "+-".contains($0) } ?? false ? String(label.prefix(1)) : ""
        // Rather a shorter name with what it holds, unless a gap must be cut into it for that.
        let beside = fittedName(name, width: max(0, room - label.count - 1))
        let isWhole = beside.count + 1 + label.count <= room && !beside.replacing("<…>", with: "").contains("…")
        let text =
            isWhole && !beside.isEmpty
            ? beside + " " + label : sign + (room < 3 ? "" : fittedName(name, width: room - sign.count))
        return "▏" + text.cut(to: room).padded(to: room) + "▕"
    }
}

/// `--flame`: an icicle of the stacks.
package enum FlameText {
    /// Rows shown unless `--depth` says how many.
    static let usualRows = 60
    /// Backgrounds of boxes, by name: warm ones, all readable under black.
    private static let palette = [208, 214, 220, 215, 222, 179, 216, 223]

    package static func render<Output: TextOutputStream>(
        _ report: HeapReport,
        isInverted: Bool,
        root: FunctionPattern?,
        into output: inout Output
    ) throws(NoSuchFunction) {
        let view = try report.stackView(isInverted: isInverted, root: root)
        guard view.whole.weight > 0 else {
            return output.write(report.emptiness)
        }
        let width = report.options.width
        let column = report.amount(view.whole.weight / Double(width))
        var page = TextPage(width: max(40, width), isColored: false)
        page.paragraph("\(report.valueName), \(view.direction); a column is \(column)", indent: 2, first: 0)
        output.write(page.text)
        let icicle = Icicle(view, width: width, limit: report.options.depth ?? usualRows)
        output.write(
            icicle.text(
                label: { "\(report.amount($0.value)) \(Format.percent($0.value, of: view.whole.value))" },
                color: report.options.color ? { palette[hash($0.name) % palette.count] } : nil
            )
        )
        if icicle.deeper > 0 {
            var rest = TextPage(width: max(40, width), isColored: false)
            let all = icicle.rows.count + icicle.deeper
            rest.paragraph(
                "… \(icicle.deeper) deeper rows: --depth \(all) shows them, --root REGEX looks at a function alone",
                indent: 2,
                first: 0
            )
            output.write(rest.text)
        }
    }

    /// The same color for a name in every run.
    private static func hash(_ name: String) -> Int {
        Int(name.utf8.reduce(5381) { ($0 &* 33 &+ UInt32($1)) & 0xff_ffff })
    }
}
