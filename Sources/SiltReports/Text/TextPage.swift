internal import SiltFindings
internal import SiltText

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

    /// Text wrapped at spaces; `first` indents the first line otherwise, and `lead` stands in front of it as it is.
    mutating func paragraph(
        _ words: String,
        indent: Int,
        style: Style = .none,
        first: Int? = nil,
        lead: String = ""
    ) {
        let start = String(repeating: " ", count: first ?? indent) + lead
        for line in Self.words(words).lines(start, indent: indent, width: width) { self.line(line, style: style) }
    }

    /// A command, and what stands in front of it: of several lines where it is long, which can be run as they stand.
    ///
    /// So a word that is longer than a line is not cut.
    mutating func command(_ words: String, indent: Int) {
        let start = String(repeating: " ", count: indent)
        let words = Self.shellWords(words)
        var lines = words.lines(start, indent: indent, width: width)
        if lines.count > 1 { lines = words.lines(start, indent: indent, width: width - 2) }
        text += lines.joined(separator: " \\\n") + "\n"
    }

    /// Parted at blanks that stand neither in quotes nor behind a backslash.
    private static func shellWords(_ text: String) -> [String] {
        var words = [""]
        var (isQuoted, isEscaped) = (false, false)
        for character in text {
            if character == "'", !isEscaped { isQuoted.toggle() }
            if character == " ", !isQuoted, !isEscaped {
                words.append("")
            } else {
                words[words.count - 1].append(character)
            }
            isEscaped = character == "\\" && !isQuoted && !isEscaped
        }
        return words
    }

    /// A heading, and rows of a name and what is said of it; nothing without rows.
    mutating func list(_ title: String, _ rows: [(name: String, words: String)]) {
        guard !rows.isEmpty else { return }
        line("")
        line(title)
        let width = min(30, rows.map(\.name.count).max() ?? 0)
        for row in rows {
            let name = row.name.printable.cutInside(to: width).padded(to: width + 2)
            paragraph(row.words.printable, indent: 4, first: 2, lead: name)
        }
    }

    /// Words that a line may end behind: not between a number and its unit.
    private static func words(_ text: String) -> [String] {
        var result: [String] = []
        for word in text.split(separator: " ") {
            let isUnit = word.first == "%" || units.contains(String(word.prefix { $0.isLetter }))
            if isUnit, let last = result.last, last.last?.isNumber == true {
                result[result.count - 1] = last + " " + word
            } else {
                result.append(String(word))
            }
        }
        return result
    }

    private static let units: Set<String> = ["s", "ms", "min", "h", "B", "KiB", "MiB", "GiB", "TiB"]

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

    /// A site as one line.
    struct SiteLine {
        var rank: Int
        var lead: String
        var blame: ReportFrame
        var size: String
        /// Left out where there is no room for it.
        var end = ""
    }

    /// The end of a file's name and a line.
    private static let minimumPlace = 12

    /// Rank, lead, function and place, size, end, in columns; the file is cut first, in front, then the function.
    mutating func sites(_ lines: [SiteLine]) {
        let leads = lines.reduce(0) { max($0, $1.lead.count) }
        let sizes = lines.reduce(0) { max($0, $1.size.count) }
        let ends = lines.reduce(0) { max($0, $1.end.count) }
        let longest = lines.count > 1 ? max(Self.minimumPlace, width / 4) : width
        let places = lines.map { $0.blame.place.printable.cutInFront(to: longest) }
        let names = lines.map(\.blame.name.printable)
        let fixed = 5 + (leads > 0 ? leads + 2 : 0) + 3 + sizes
        let both = zip(names, places).reduce(0) { max($0, $1.0.count + ($1.1.isEmpty ? 0 : 2 + $1.1.count)) }
        let hasEnds = ends > 0 && fixed + min(both, 36) + 3 + ends <= width
        let room = max(12, min(both, width - fixed - (hasEnds ? 3 + ends : 0)))
        for (index, site) in lines.enumerated() {
            let left = max(Self.minimumPlace, room - 2 - names[index].count)
            let place = places[index].isEmpty ? "" : "  " + places[index].cutInFront(to: left)
            let name = site.blame.name(width: max(8, room - place.count)) + place
            var text = "\(site.rank)".leftPadded(to: 3) + "  "
            if leads > 0 { text += site.lead.padded(to: leads) + "  " }
            text +=
                name.padded(to: room) + "   " + (hasEnds ? site.size.padded(to: sizes) + "   " + site.end : site.size)
            line(text.trimmedEnd, style: site.end.isEmpty ? .none : .bold)
        }
    }
}
