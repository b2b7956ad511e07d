internal import Glibc

/// A pattern the user gave that is no regular expression.
package struct PatternError: Error, CustomStringConvertible {
    package var pattern: String
    package var reason: String

    package var description: String { "--hide \(pattern): \(reason) (a POSIX extended regular expression is expected)" }
}

/// Which functions only pass allocations on: the blame goes to their callers.
package final class AllocatorFrames {
    private var known: [String: Bool] = [:]
    private let patterns: CompiledPatterns

    package init(hide: [String]) throws(PatternError) {
        patterns = try CompiledPatterns(hide)
    }

    /// True for an allocator, a wrapper of one, or a container that allocates for its user.
    package func isWrapper(function: String, modulePath: String) -> Bool {
        if let answer = known[function] { return answer }
        let answer = decide(function, modulePath)
        known[function] = answer
        return answer
    }

    private func decide(_ function: String, _ modulePath: String) -> Bool {
        if patterns.match(function) { return true }
        if WrapperNames.prefixes.contains(where: { function.hasPrefix($0) }) { return true }
        let plain = function.prefix { $0 != "(" && $0 != "<" }
        let last = plain.split(separator: ".").last.map(String.init) ?? String(plain)
        if WrapperNames.exact.contains(String(plain)) || WrapperNames.exact.contains(last) { return true }
        return WrapperNames.isAllocatorLike(last)
    }
}

/// POSIX regular expressions (regex(3)), matched anywhere in a name.
private final class CompiledPatterns {
    private var compiled: [UnsafeMutablePointer<regex_t>] = []

    init(_ sources: [String]) throws(PatternError) {
        for source in sources {
            let pattern = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
            pattern.initialize(to: regex_t())
            let status = regcomp(pattern, source, REG_EXTENDED | REG_NOSUB)
            guard status == 0 else {
                var text = [CChar](repeating: 0, count: 256)
                regerror(status, pattern, &text, text.count)
                pattern.deallocate()
                throw PatternError(
                    pattern: source,
                    reason: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                )
            }
            compiled.append(pattern)
        }
    }

    deinit {
        for pattern in compiled {
            regfree(pattern)
            pattern.deallocate()
        }
    }

    func match(_ name: String) -> Bool { compiled.contains { regexec($0, name, 0, nil, 0) == 0 } }
}
