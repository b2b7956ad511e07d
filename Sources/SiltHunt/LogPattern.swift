internal import Glibc

/// A POSIX extended regular expression (regex(7)), looked for anywhere in a line.
final class LogPattern {
    private let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
    private var isCompiled = false

    /// Throws `.pattern` with the C library's message.
    init(_ pattern: String) throws(HuntError) {
        compiled.initialize(to: regex_t())
        let status = regcomp(compiled, pattern, REG_EXTENDED | REG_NOSUB)
        guard status == 0 else {
            var text = [CChar](repeating: 0, count: 256)
            regerror(status, compiled, &text, text.count)
            throw .pattern(
                pattern,
                reason: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            )
        }
        isCompiled = true
    }

    deinit {
        if isCompiled { regfree(compiled) }
        compiled.deallocate()
    }

    func matches(_ line: String) -> Bool { regexec(compiled, line, 0, nil, 0) == 0 }
}
