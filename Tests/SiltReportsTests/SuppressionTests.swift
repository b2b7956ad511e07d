import SiltTestSupport
import Testing

@testable import SiltReports

@Suite struct SuppressionTests {
    @Test(
        arguments: [
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
            ("Foo", "foo", false), ("shop::Cache::fill(int)", "void shop::Cache::fill(int)", true), (".", "a", false),
        ] as [(String, String, Bool)]
    )
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
}
