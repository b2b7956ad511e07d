internal import SiltText

/// Call sites that are known and let pass, in the syntax of LeakSanitizer's suppression files.
///
/// A line `leak:PATTERN` lets pass what has a frame whose function, source file or module PATTERN matches; lines that
/// begin with `#` and empty ones say nothing. The first line that matches the innermost matching frame counts the hit
/// (clang.llvm.org/docs/AddressSanitizer.html#suppressing-memory-leaks; TemplateMatch in sanitizer_common).
package struct Suppressions: Sendable {
    package struct Entry: Sendable, Equatable {
        /// Without `leak:`.
        package var pattern: String
        /// `file:line`, or the option it came from.
        package var source: String
        /// Call sites that it let pass, and what they hold.
        package fileprivate(set) var hits = 0
        package fileprivate(set) var bytes: UInt64 = 0

        package var line: String { "leak:" + pattern }
    }

    package private(set) var entries: [Entry] = []
    private var patterns: [SuppressionPattern] = []

    /// Those that let nothing pass.
    package var unused: [Entry] { entries.filter { $0.hits == 0 } }

    /// Adds the lines of a file.
    package mutating func read(path: String) throws(ReportError) {
        guard let text = String(validating: try SmallFile.read(path), as: UTF8.self) else {
            throw .suppression(source: path, problem: "not UTF-8: is this a suppression file?")
        }
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() { try add(String(Substring(line)), from: "\(path):\(index + 1)") }
    }

    /// Adds one line; empty ones and comments are taken and say nothing.
    package mutating func add(_ line: String, from source: String) throws(ReportError) {
        func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09].contains(byte) }
        var text = line.utf8.drop(while: isSpace)
        while let last = text.last, isSpace(last) || last == 0x0d { text = text.dropLast() }
        guard let first = text.first, first != UInt8(ascii: "#") else { return }
        let prefix = Array("leak:".utf8)
        guard text.starts(with: prefix) else {
            throw .suppression(
                source: source,
                problem: "expected leak:PATTERN, found \"\(Substring(text).printableLine)\""
            )
        }
        let pattern = text.dropFirst(prefix.count)
        // An empty pattern would let everything pass: so does leak:*, which says so.
        guard !pattern.isEmpty else { throw .suppression(source: source, problem: "leak: without a pattern") }
        entries.append(Entry(pattern: String(Substring(pattern)), source: source))
        patterns.append(SuppressionPattern(pattern))
    }

    /// The index in `entries` of what lets a stack pass (innermost first); nil: nothing does.
    package func match(_ frames: [ReportFrame]) -> Int? {
        guard !patterns.isEmpty else { return nil }
        for frame in frames {
            for text in [frame.module, frame.function, frame.function.isEmpty ? "" : frame.name, frame.file ?? ""] {
                if let index = match(text) { return index }
            }
        }
        return nil
    }

    private func match(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        return patterns.firstIndex { $0.matches(bytes) }
    }

    /// A call site passed because of that entry.
    mutating func hit(_ index: Int, bytes: UInt64) {
        entries[index].hits += 1
        entries[index].bytes &+= bytes
    }
}

/// A pattern of a suppression: it matches a text that has its parts in their order.
///
/// `*` stands for anything, `^` in front binds the first part to the text's start, `$` ends the pattern and binds the
/// part before it to the text's end. Each part is looked for where it comes first, with no second try further on.
struct SuppressionPattern {
    private enum Token {
        case literal([UInt8])
        case anything
        case end
    }

    private let tokens: [Token]
    private let isAnchored: Bool

    init(_ pattern: some Collection<UInt8>) {
        isAnchored = pattern.first == UInt8(ascii: "^")
        var tokens: [Token] = []
        var literal: [UInt8] = []
        func finish(_ literal: inout [UInt8]) {
            if !literal.isEmpty { tokens.append(.literal(literal)) }
            literal = []
        }
        scan: for byte in pattern.dropFirst(isAnchored ? 1 : 0) {
            switch byte {
            case UInt8(ascii: "*"):
                finish(&literal)
                tokens.append(.anything)
            case UInt8(ascii: "$"):
                finish(&literal)
                tokens.append(.end)
                break scan
            default: literal.append(byte)
            }
        }
        finish(&literal)
        self.tokens = tokens
    }

    func matches(_ text: [UInt8]) -> Bool {
        guard !text.isEmpty else { return false }
        var rest = text[...]
        var mustBegin = isAnchored
        var isFree = false
        for token in tokens {
            switch token {
            case .anything:
                mustBegin = false
                isFree = true
            case .end: return rest.isEmpty || isFree
            case .literal(let bytes):
                guard let found = rest.firstIndex(of: bytes), !mustBegin || found == rest.startIndex else {
                    return false
                }
                rest = rest[(found + bytes.count)...]
                mustBegin = false
                isFree = false
            }
        }
        return true
    }
}

extension ArraySlice<UInt8> {
    /// Where those bytes first begin.
    fileprivate func firstIndex(of bytes: [UInt8]) -> Int? {
        guard count >= bytes.count else { return nil }
        return (startIndex...endIndex - bytes.count).first { self[$0...].starts(with: bytes) }
    }
}

extension Substring {
    /// For a message: one short line.
    fileprivate var printableLine: String { String(self).printable.cut(to: 60) }
}
