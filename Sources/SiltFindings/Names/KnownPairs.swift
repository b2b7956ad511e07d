internal import SiltEvents
internal import SiltRecording
internal import SiltText

/// Functions whose results must be given back by a call of another one.
///
/// A finding names the second where the first is in its stack: what other code called of the libraries that have pairs,
/// or what the program itself, linked with them, has between the blamed code and the allocation.
package struct KnownPair: Equatable, Sendable {
    /// What makes it: as the stack has it, or each function that silt saw called for things of the kind.
    package var maker: String
    /// What gives it back; `-`: the library keeps what is made below the maker, whatever it was asked for.
    package var giver: String

    var isKept: Bool { giver == "-" }
}

struct KnownPairs {
    private struct Entry {
        var maker: Substring
        /// Behind the `*`.
        var makerTail: Substring?
        var giver: Substring
        var library: Substring
    }

    private var exact: [Substring: Entry] = [:]
    private var patterns: [Entry] = []
    private var libraries: Set<Substring> = []

    static let all = KnownPairs(table)

    /// Lines of maker, giver, and the beginning of the library's file name; a `*` stands in both for the same text.
    init(_ table: String) {
        for line in table.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, !line.hasPrefix("#") else { continue }
            var entry = Entry(maker: words[0], giver: words[1], library: words[2])
            libraries.insert(words[2])
            if let star = words[0].firstIndex(of: "*") {
                entry.maker = words[0][..<star]
                entry.makerTail = words[0][words[0].index(after: star)...]
                patterns.append(entry)
            } else {
                exact[words[0]] = entry
            }
        }
    }

    /// What gives back what a function of a module makes; `isProgram`: the module is the program's own.
    func pair(function: String, module: String, isProgram: Bool) -> KnownPair? {
        // `name@@VERSION`, as symbols of libraries may have it.
        let name = function.prefix { $0 != "@" }
        // glibc's headers call some by a second name, as __getdelim.
        guard let (entry, middle) = entry(of: name) ?? entry(of: name.drop { $0 == "_" }) else { return nil }
        guard isProgram || isOf(entry.library, module.lastPathComponent) else { return nil }
        let giver = middle.map { String(entry.giver).replacing("*", with: String($0)) } ?? String(entry.giver)
        return KnownPair(maker: String(name), giver: giver)
    }

    /// The pair whose maker the blamed code calls, or is what silt saw called there.
    ///
    /// `programs`: the files of the traced processes' executables.
    func pair(
        ofStack stack: StackID,
        _ resource: Resource,
        names: FrameNames,
        programs: Set<String>,
        in recording: Recording
    ) -> KnownPair? {
        if let own = resource.pair { return KnownPair(maker: own.maker, giver: own.giver) }
        let (blamed, _) = names.blame(ofStack: stack)
        var search = PairSearch()
        var inner = ""
        for step in names.walk(from: stack, in: recording) {
            // A function that ended with a jump into the frame inside of this one.
            if let called = recording.calls[step.frame], knows(inner), !programs.contains(inner),
                !search.goes(on: recording.string(called), inner, isProgram: false, isBlamed: false, self)
            {
                return search.found
            }
            for row in step.rows {
                let frame = names.frame(ofRow: row, frame: step.frame, in: recording)
                let isProgram = programs.contains(frame.module)
                let isBlamed = step.node == blamed
                inner = frame.module
                guard search.goes(on: frame.function, inner, isProgram: isProgram, isBlamed: isBlamed, self) else {
                    return search.found
                }
            }
        }
        return search.found
    }

    /// Whether a file is of a library that has a pair.
    func knows(_ module: String) -> Bool {
        let file = module.lastPathComponent
        return libraries.contains { isOf($0, file) }
    }

    /// silt's functions stand in front of those of the C library: a stack may begin or go on with them.
    private func isOf(_ library: Substring, _ file: Substring) -> Bool {
        file.hasPrefix(library) || library == "libc" && file.hasPrefix("libsilt-")
    }

    private func entry(of name: Substring) -> (Entry, middle: Substring?)? {
        if let entry = exact[name] { return (entry, nil) }
        for entry in patterns {
            guard let tail = entry.makerTail, name.count > entry.maker.count + tail.count, name.hasPrefix(entry.maker),
                name.hasSuffix(tail)
            else { continue }
            return (entry, name.dropFirst(entry.maker.count).dropLast(tail.count))
        }
        return nil
    }
}
