import SiltText
import Testing

struct ShellWordTests {
    @Test(arguments: [
        ("server", "server"), ("--port=80", "--port=80"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"),
        ("$HOME", "'$HOME'"), ("a;b", "'a;b'"), ("*", "'*'"), ("é", "é"),
    ])
    func aWordIsQuotedWhereAShellWouldChangeIt(word: String, quoted: String) {
        #expect(word.quotedForShell == quoted)
    }
}
