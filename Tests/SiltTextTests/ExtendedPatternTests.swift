import Glibc
import Testing

@testable import SiltText

struct ExtendedPatternTests {
    @Test(arguments: [
        ("^shop::", "shop::fill", true), ("^shop::", "my shop::fill", false), ("fill$", "refill", true),
        ("a|b", "xbx", true), ("[]x]y", "]y", true), ("x{2,3}$", "axx", true), ("x{2,3}$", "ax", false),
        ("[[:digit:]]+", "a1", true), ("\\(int\\)", "f(int)", true), ("(a|b)+c", "abac", true),
        ("größe", "die größe", true),
    ])
    func whatPOSIXSaysIsFound(_ pattern: String, _ text: String, _ isFound: Bool) throws {
        #expect(try ExtendedPattern(pattern).matches(text) == isFound)
    }

    /// The smallest number of copies that POSIX lets every system take, and many alternatives.
    @Test(arguments: [
        "x{255}", "[^]{}()]{1,255}", "(ab){100}", "\\(\\(\\(", "a+b+c+",
        "^(std::)?(.*::)*(make|new)(_[a-z0-9]+)*$",
    ])
    func longPatternsOfUsersAreTaken(_ pattern: String) throws { _ = try ExtendedPattern(pattern) }

    @Test func manyAlternativesAndParenthesesAreTaken() throws {
        _ = try ExtendedPattern(String(repeating: "name|", count: 800) + "last")
        _ = try ExtendedPattern(String(repeating: "(", count: 100) + "a" + String(repeating: ")", count: 100))
    }

    @Test(arguments: [
        ("(a*)\\1b", "back references are not supported"),
        ("x{255}{255}{255}", "its repetitions make more than 255 copies"),
        ("((a{1,100}){1,100}){1,100}", "its repetitions make more than 255 copies"),
        ("a{1,999999999999999999999}", "its repetitions make more than 255 copies"),
        ("a++++++++++++++++++++++++++++++", "its repetitions make more than 255 copies"),
        ("(){99999}{99999}{99999}{99999}", "its repetitions make more than 255 copies"),
        ("|{99999}{99999}{99999}{99999}", "its repetitions make more than 255 copies"),
        ("^x*+++++++", "too many repetitions are repeated in a pattern with ^, $ or \\b"),
        ("^(((((x*)+)+)+)+)+", "too many repetitions are repeated in a pattern with ^, $ or \\b"),
        ("^((x*y*)*){60}", "too many repetitions are repeated in a pattern with ^, $ or \\b"),
        ("((^|$|a)*){20}", "too many repetitions are repeated in a pattern with ^, $ or \\b"),
        ("x" + String(repeating: "?", count: 85) + "+++", "too many repetitions are repeated"),
        ("a\u{0}b", "there is a NUL byte in it"),
        ("(", "Unmatched ( or \\("),
        ("[a", "Unmatched [, [^, [:, [., or [="),
    ])
    func whatCouldTakeForEverIsRefused(_ pattern: String, _ reason: String) {
        let error = #expect(throws: PatternError.self) { try ExtendedPattern(pattern) }
        #expect(error?.reason == reason)
    }

    @Test func whatIsTooLongOrTooDeepIsRefused() {
        let deep = #expect(throws: PatternError.self) { try ExtendedPattern(String(repeating: "(", count: 1000)) }
        #expect(deep?.reason == "more than 100 parentheses inside each other")
        let long = #expect(throws: PatternError.self) { try ExtendedPattern(String(repeating: "a", count: 5000)) }
        #expect(long?.reason == "longer than 4096 bytes")
    }

    /// Backtracking matchers need 2^n steps here.
    ///
    /// CPU time, so that a busy machine makes no difference; 100 times what it takes.
    @Test(arguments: ["(a+)+$", "(a|a)*$", "(a*)*b", "(a|aa)+$", "(.*)*x$", "([a-z]+)*[0-9]", "((a?){15}){15}b"])
    func patternsThatMakeMatchersBacktrackEndSoon(_ pattern: String) throws {
        let compiled = try ExtendedPattern(pattern)
        let name = String(repeating: "a", count: 60_000) + "!"
        let began = cpuSeconds()
        #expect(!compiled.matches(name))
        #expect(cpuSeconds() - began < 10)
    }

    @Test func theEndOfALongTextIsNotWhereItIsCut() throws {
        let name = String(repeating: "a", count: ExtendedPattern.maximumText) + "bc"
        #expect(try !ExtendedPattern("a$").matches(name))
        #expect(try ExtendedPattern("^a").matches(name))
        #expect(try !ExtendedPattern("b").matches(name))
        #expect(try ExtendedPattern("a$").matches(String(name.dropLast(2))))
    }

    private func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
