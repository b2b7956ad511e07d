/// Lines of at most a given width: cut, or wrapped at spaces.
struct TextPage {
    enum Style: String {
        case none = ""
        case bold = "1"
        case red = "1;31"
        case green = "1;32"
        case yellow = "1;33"
    }

    let width: Int
    let isColored: Bool
    private(set) var text = ""

    init(width: Int, isColored: Bool) {
        self.width = width
        self.isColored = isColored
    }

    /// One line, cut to the width.
    mutating func line(_ line: String, style: Style = .none) {
        let cut = line.cut(to: width)
        text += isColored && style != .none ? "\u{1b}[\(style.rawValue)m\(cut)\u{1b}[0m\n" : cut + "\n"
    }

    /// Text wrapped at spaces; `hanging` leaves the first line unindented.
    mutating func paragraph(_ words: String, indent: Int, style: Style = .none, hanging: Bool = false) {
        let margin = String(repeating: " ", count: indent)
        var current = hanging ? "" : margin
        var isEmpty = true
        for word in words.split(separator: " ") {
            if !isEmpty, current.count + 1 + word.count > width {
                line(current, style: style)
                current = margin + word
            } else {
                current += (isEmpty ? "" : " ") + word
            }
            isEmpty = false
        }
        line(current, style: style)
    }

    /// `a → b → c`, broken before an arrow.
    mutating func chain(_ links: [String], indent: Int) {
        let margin = String(repeating: " ", count: indent)
        var current = ""
        for link in links {
            let cut = link.cutInside(to: width - indent - 4)
            if current.isEmpty {
                current = margin + cut
            } else if current.count + 3 + cut.count > width {
                line(current)
                current = margin + "→ " + cut
            } else {
                current += " → " + cut
            }
        }
        if !current.isEmpty { line(current) }
    }

    /// Rank, lead, function and place, size, end: the function is cut first, then the end is left out.
    mutating func site(rank: Int, lead: String, _ blame: ReportFrame, size: String, end: String) {
        let head = "\(rank)".leftPadded(to: 3) + "  " + lead.padded(to: 11) + "  "
        let name = blame.name.printable
        let place = blame.place.printable.cut(to: max(12, width / 4))
        let position = place.isEmpty ? "" : "  " + place
        var tail = "   " + size + (end.isEmpty ? "" : "   " + end)
        if head.count + min(name.count, 16) + position.count + tail.count > width { tail = "   " + size }
        let left = width - head.count - position.count - tail.count
        line(head + name.cutInside(to: max(12, left)) + position + tail, style: end.isEmpty ? .none : .bold)
    }
}
