internal import SiltFindings
internal import SiltSymbols
internal import SiltText

/// The way to where a site allocates: whole, or collapsed to a line.
struct WayText {
    /// From the blamed function outward, without what calls main or a thread's function.
    private let frames: [ReportFrame]
    /// By frame: the library's namespace that it is in, empty for none, and where its neighbors stop to be in the same.
    private let spaces: [(name: String, end: Int)]
    private let site: ReportSite
    private let names = Names()

    /// Names by frame and width: a line is tried with the same ones again and again.
    private final class Names {
        struct Key: Hashable {
            var frame: Int
            var width: Int
        }

        var known: [Key: String] = [:]
    }

    init(_ site: ReportSite, _ report: HeapReport) {
        self.site = site
        let all = report.frames(ofStack: site.stack)
        let blame = report.blameIndex(ofStack: site.stack)
        guard blame < all.count else {
            (frames, spaces) = ([], [])
            return
        }
        let runtime = all.reversed().prefix { $0.isRuntimeStart || $0.isUnnamedInCLibrary }.count
        let end = max(blame + 1, all.count - runtime)
        let callers = zip(all[(blame + 1)..<end], all[blame...])
        frames = [all[blame]] + callers.filter { !$0.isPlumbing && !$0.isEntry(of: $1) }.map(\.0)
        var spaces = frames.map { (name: Self.space(of: $0.name), end: 0) }
        for index in spaces.indices.reversed() {
            let isLast = index + 1 == spaces.count || spaces[index + 1].name != spaces[index].name
            spaces[index].end = isLast ? index + 1 : spaces[index + 1].end
        }
        self.spaces = spaces
    }

    private static func space(of name: String) -> String {
        ["std", "core", "alloc", "tokio", "boost", "Swift"].first { name.hasPrefix($0 + "::") } ?? ""
    }

    /// Characters of a function's name.
    private static let (linkWidth, shortLink, minimumLink) = (60, 28, 18)

    /// Every function, outermost first, with its place.
    func whole(limit: Int?) -> [String] {
        let shown = frames.prefix(limit ?? frames.count).reversed().map { Self.link($0, width: Self.linkWidth) }
        return (shown.count < frames.count ? ["… \(frames.count - shown.count) more"] : []) + shown
    }

    /// On one line of that width: `main → … 6 frames → handle_order http.c:77 → order_create`.
    ///
    /// The outermost function, where a repair would go and what allocates are there in any case; then the functions that
    /// lead to it, from the inside outward, as long as there is room.
    func collapsed(width: Int) -> String? {
        guard frames.count > 1 else { return nil }
        var shown: Set<Int> = [0, frames.count - 1]
        if let fix { shown.insert(fix) }
        if let loop = frames.firstIndex(where: { InterpreterNames.isLoop($0.function) }),
            let entry = (loop..<frames.count).first(where: { !InterpreterNames.isLoop(frames[$0].function) })
        {
            shown.insert(entry)
        }
        // Callers of the place to mend say most, those with a line before those without, and in between the line that
        // allocates; what runs a script says nothing.
        let outward = (max(1, fix ?? 0)..<frames.count).filter { frames[$0].line != nil }
        let rest = (outward + [0] + frames.indices.dropFirst().filter { !outward.contains($0) })
            .filter { !InterpreterNames.isLoop(frames[$0].function) }
        var placed = shown.subtracting([0])
        var text = line(shown, placed: placed, width: Self.linkWidth)
        for shorter in [Self.shortLink, Self.minimumLink] where text.count > width {
            text = line(shown, placed: placed, width: shorter)
        }
        // Rather fewer functions than a name and a number of frames cut as one word.
        for fewer in [[0, frames.count - 1, fix ?? 0], [0, fix ?? 0], [0]] where text.count > width {
            shown.formIntersection(fewer)
            text = line(shown, placed: [], width: Self.minimumLink)
        }
        for index in rest.prefix(Self.maximumTried) where index == 0 || !shown.contains(index) {
            let more = shown.union([index])
            let forms = [placed.union([index]), placed].lazy.flatMap { places in
                [Self.linkWidth, Self.shortLink, Self.minimumLink].lazy.map { width in
                    (places, line(more, placed: places, width: width))
                }
            }
            guard let (places, longer) = forms.first(where: { $0.1.count <= width }) else { continue }
            (shown, placed, text) = (more, places, longer)
        }
        return text.count <= width ? text : text.cutInside(to: width)
    }

    private var fix: Int? { frames.firstIndex { $0.isSamePlace(as: site.fix) } }

    /// `placed`: of those that are shown, the ones whose place is.
    private func line(_ shown: Set<Int>, placed: Set<Int>, width: Int) -> String {
        var links: [String] = []
        var previous = frames.count
        for index in shown.sorted(by: >) {
            let hidden = previous - index - 1
            if hidden > 0 { links.append("… \(hidden) frame\(hidden == 1 ? "" : "s")" + library(index + 1..<previous)) }
            previous = index
            // The line above says where that is.
            let isKnown = index == fix || (index == frames.count - 1 && frames[index].function == "main")
            let name = name(index, width: width)
            let isPlaced = !isKnown && frames[index].line != nil && placed.contains(index)
            let place = isPlaced ? " " + frames[index].place.printable : ""
            links.append(name + place)
        }
        return links.joined(separator: " → ")
    }

    private func name(_ frame: Int, width: Int) -> String {
        let key = Names.Key(frame: frame, width: width)
        if let name = names.known[key] { return name }
        let name = Self.name(of: frames[frame], width: width)
        names.known[key] = name
        return name
    }

    /// Rather the function alone, where its type does not fit, than both with a gap.
    private static func name(of frame: ReportFrame, width: Int) -> String {
        func abridged(_ width: Int) -> String {
            frame.name(width: width).withoutParameters.replacing("<…>", with: "")
        }
        let whole = abridged(linkWidth)
        guard whole.count > width else { return whole }
        let bare = whole.split { $0 == ":" || $0 == "." }.last.map(String.init) ?? whole
        return bare.count <= width && bare.allSatisfy(\.isNameLike) ? bare : abridged(width)
    }

    /// As ` of std`, where all of them are of one namespace of a language's library.
    private func library(_ range: Range<Int>) -> String {
        let space = spaces[range.lowerBound]
        return space.name.isEmpty || space.end < range.upperBound ? "" : " of \(space.name)"
    }

    /// Functions that a line is tried with: more do not fit, and a recursion may be thousands deep.
    private static let maximumTried = 64

    private static func link(_ frame: ReportFrame, width: Int) -> String {
        let place = frame.line == nil ? "" : " " + frame.place.printable
        return (frame.name(width: width) + place).trimmedEnd
    }
}

extension ReportFrame {
    /// A part of the same function that the compiler set apart and that has no line, as a thunk: the callee says it all.
    fileprivate func isEntry(of callee: ReportFrame) -> Bool {
        line == nil && callee.line != nil && !function.isEmpty && name == callee.name && moduleName == callee.moduleName
    }
}

extension String {
    /// Without the last pair of parentheses, where it ends with one.
    fileprivate var withoutParameters: String {
        guard hasSuffix(")") else { return self }
        var depth = 0
        for index in indices.reversed() {
            if self[index] == ")" { depth += 1 }
            if self[index] == "(" { depth -= 1 }
            guard depth == 0 else { continue }
            return index == startIndex || self[..<index].hasSuffix("operator") ? self : String(self[..<index])
        }
        return self
    }
}
