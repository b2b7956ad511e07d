import SiltEvents
import SiltTestSupport
import Testing

@testable import SiltSymbols

/// What a call leads to in another file, against objdump.
@Suite(.enabled(if: isInstalled("gcc") && isInstalled("objdump"), "gcc or objdump is not installed"))
struct ImportedCallTests {
    private static let program = """
        #include <stdlib.h>
        #include <string.h>
        __attribute__((noinline)) static int own(const char *text) { return atoi(text) + 1; }
        int main(int count, char **words) {
            char *copy = strdup(words[0]);
            int sum = own(words[count - 1]) + (int)strlen(copy);
            free(copy);
            return sum - 1;
        }
        """

    @Test(
        arguments: [
            ["-Wl,-z,lazy"], ["-Wl,-z,now"], ["-fno-plt"], ["-fcf-protection=full", "-Wl,-z,ibtplt"],
            ["-no-pie", "-fno-pie"],
        ]
    )
    func aCallOfAnotherFilesFunctionHasItsName(flags: [String]) throws {
        let folder = try ScratchFolder()
        let (source, file) = (folder.file("a.c"), folder.file("a"))
        try Self.program.write(toFile: source, atomically: true, encoding: .utf8)
        let built = try runProgram(["gcc", "-O1"] + flags + ["-o", file, source])
        try #require(built.status == 0, "\(built.errors)")
        let lines = try runProgram(["objdump", "-d", "--no-show-raw-insn", file]).output.split(separator: "\n")
        let symbolizer = Symbolizer()
        var found: Set<String> = []
        for (line, next) in zip(lines, lines.dropFirst()) where line.contains("call ") {
            let number = next.prefix { $0 != ":" }.filter { $0 != " " }
            guard let address = UInt64(number, radix: 16) else { continue }
            let called = symbolizer.called(Module(path: file, buildID: []), offset: address, kind: .returnAddress)
            // <strdup@plt> or <strdup@GLIBC_2.2.5>
            let name = line.split(separator: "<").last.flatMap { words in
                words.contains("@") ? words.prefix { $0 != "@" } : nil
            }
            #expect(called == name.map(String.init), "\(line)")
            called.map { _ = found.insert($0) }
        }
        #expect(found.isSuperset(of: ["strdup", "strlen"]), "\(found)")
    }
}
