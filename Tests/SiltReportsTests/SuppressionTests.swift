import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

@Suite struct SuppressionTests {
    /// Pattern, text, and whether it matches.
    private static let patterns: [(String, String, Bool)] = [
        // A part of the text is enough.
        ("foo", "foo", true), ("foo", "a_foo_b", true), ("foo", "fo", false), ("foo", "", false),
        // The ends.
        ("^foo", "foobar", true), ("^foo", "a_foo", false), ("foo$", "a_foo", true), ("foo$", "foobar", false),
        ("^foo$", "foo", true), ("^foo$", "foo2", false), ("^", "anything", true), ("$", "anything", false),
        // Anything in between, at the start, at the end.
        ("foo*bar", "foo_and_bar", true), ("foo*bar", "foobar", true), ("foo*bar", "bar_and_foo", false),
        ("*", "anything", true), ("*", "", false), ("*foo", "a_foo", true), ("^*foo", "a_foo", true),
        ("foo*", "foo", true), ("^foo*bar", "a_foo_bar", false), ("^foo*bar$", "foo_x_bar", true),
        ("foo*bar$", "foo_bar_x", false), ("foo*$", "foo_x", true), ("*$", "anything", true),
        ("a**b", "a_b", true), ("foo*foo", "foo", false), ("ab*bc", "abc", false),
        // The first place counts, with no second try: what $ follows must not come earlier.
        ("foo$", "foofoo", false), ("^foo$", "foofoo", false), ("^aab", "aaab", false),
        // Nothing after $ is looked at, ^ means itself elsewhere.
        ("foo$bar", "foo", true), ("a^b", "a^b", true), ("a^b", "ab", false),
        // Neither case nor punctuation is bent.
        ("Foo", "foo", false), ("shop::Cache::fill(int)", "void shop::Cache::fill(int)", true), ("a.c", "abc", false),
    ]

    @Test(arguments: patterns)
    func patternsMatchAsInLeakSanitizer(_ pattern: String, _ text: String, _ matches: Bool) {
        #expect(SuppressionPattern(Array(pattern.utf8)).matches(Array(text.utf8)) == matches, "\(pattern) \(text)")
    }

    private func frame(_ function: String, _ file: String?, _ module: String) -> ReportFrame {
        ReportFrame(function: function, file: file, line: 7, module: module, offset: 16, inlined: false)
    }

    private func suppressions(_ lines: String...) throws -> Suppressions {
        var suppressions = Suppressions()
        for line in lines { try suppressions.add(line, from: "test") }
        return suppressions
    }

    @Test(arguments: ["make_record", "order*", "/src/shop.c$", "libshop.so", "^/opt/lib", "^main$"])
    func anyFramesFunctionFileOrModuleIsEnough(_ pattern: String) throws {
        let stack = [
            frame("make_record", "/src/shop.c", "/opt/lib/libshop.so"),
            frame("order_command", nil, "/opt/lib/libshop.so"),
            frame("main", "/src/main.c", "/usr/bin/server"),
        ]
        #expect(try suppressions("leak:" + pattern).match(stack) == 0)
        #expect(try suppressions("leak:nothing", "leak:" + pattern).match(stack) == 1)
    }

    @Test func theInnermostFrameDecidesWhichLineCounts() throws {
        let stack = [frame("inner", nil, "/a"), frame("outer", nil, "/b")]
        #expect(try suppressions("leak:outer", "leak:inner").match(stack) == 1)
        #expect(try suppressions("leak:inner", "leak:inn").match(stack) == 0)
        #expect(try suppressions("leak:other").match(stack) == nil)
        #expect(try suppressions().match(stack) == nil)
    }

    @Test func namesMatchAsReportsPrintThemAndAsTheyAre() throws {
        let long =
            "void shop::Cache<int, std::allocator<int> >::fill(std::__cxx11::basic_string<char, std::char_traits<char>, "
            + "std::allocator<char> > const&)"
        let stack = [frame(long, nil, "/a")]
        #expect(try suppressions("leak:fill(std::string const&)").match(stack) == 0)
        #expect(try suppressions("leak:basic_string").match(stack) == 0)
    }

    @Test func aFileHasCommentsEmptyLinesAndSpaces() throws {
        let folder = try ScratchFolder()
        let path = folder.file("lsan.supp")
        try "# known\n\n  leak:first  \r\n\t# leak:none\nleak:a b\nleak:last".write(
            toFile: path,
            atomically: false,
            encoding: .utf8
        )
        var suppressions = Suppressions()
        try suppressions.read(path: path)
        #expect(suppressions.entries.map(\.pattern) == ["first", "a b", "last"])
        #expect(suppressions.entries.map(\.source) == ["\(path):3", "\(path):5", "\(path):6"])
        #expect(suppressions.unused.count == 3)
    }

    @Test(arguments: ["race:foo", "leak", "leak foo", "leak:", "leak:   ", "foo", "LEAK:foo"])
    func aLineThatIsNoSuppressionIsAnError(_ line: String) throws {
        var suppressions = Suppressions()
        #expect(throws: ReportError.self) { try suppressions.add(line, from: "lsan.supp:3") }
        #expect(suppressions.entries.isEmpty)
    }

    @Test func aMissingFileIsAnError() {
        var suppressions = Suppressions()
        #expect(throws: ReportError.cannotRead(path: "/nowhere/x.supp", reason: "No such file or directory")) {
            try suppressions.read(path: "/nowhere/x.supp")
        }
    }

    /// The same table, asked of the original: whether a leak of a function with that name passes.
    @Test(.enabled(if: LeakSanitizer.isUsable, "LeakSanitizer cannot stop threads here"))
    func leakSanitizerItselfAgrees() throws {
        let names = Set(Self.patterns.map(\.1)).filter { name in
            name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || Character(Unicode.Scalar($0)).isLetter }
        }
        let functions = names.subtracting([""]).sorted()
        let sanitizer = try LeakSanitizer(functions)
        var asked = 0
        for (pattern, text, matches) in Self.patterns where functions.contains(text) {
            #expect(try sanitizer.passes(text, "leak:" + pattern) == matches, "\(pattern) \(text)")
            asked += 1
        }
        #expect(asked > 30)
    }
}

/// A program that leaks in the function it is told to, under gcc's LeakSanitizer.
private struct LeakSanitizer {
    private let folder: ScratchFolder
    private let functions: [String]

    init(_ functions: [String]) throws {
        folder = try ScratchFolder()
        self.functions = functions
        var source = "#include <stdlib.h>\nvoid *volatile last;\n"
        for name in functions {
            source += "__attribute__((noinline)) void silt_\(name)(void) __asm__(\"\(name)\");\n"
            source += "__attribute__((noinline)) void silt_\(name)(void) { last = malloc(77); last = 0; }\n"
        }
        source += "static void (*const all[])(void) = {\(functions.map { "silt_" + $0 }.joined(separator: ", "))};\n"
        source += "int main(int count, char **words) { all[atoi(words[count - 1])](); return 0; }\n"
        try source.write(toFile: folder.file("q.c"), atomically: false, encoding: .utf8)
        let built = try runProgram(["gcc", "-O0", "-fsanitize=leak", "-o", folder.file("q"), folder.file("q.c")])
        guard built.status == 0 else { throw TestSetupError(description: built.errors) }
    }

    func passes(_ function: String, _ line: String) throws -> Bool {
        try line.write(toFile: folder.file("s"), atomically: false, encoding: .utf8)
        let index = functions.firstIndex(of: function) ?? -1
        let result = try runProgram(
            [folder.file("q"), "\(index)"],
            environment: ["LSAN_OPTIONS": "suppressions=\(folder.file("s")):exitcode=23"]
        )
        guard [0, 23].contains(result.status) else { throw TestSetupError(description: result.errors) }
        return result.status == 0
    }

    /// It needs ptrace, which containers may forbid.
    static let isUsable: Bool = {
        do {
            let sanitizer = try LeakSanitizer(["probe"])
            return try !sanitizer.passes("probe", "leak:other") && sanitizer.passes("probe", "leak:probe")
        } catch {
            return false
        }
    }()
}
