import Foundation
import SiltEvents
import SiltTestNumbers
import SiltTestSupport
import Testing

@testable import SiltSymbols

/// A program of templates and inlined calls, compiled in many ways; what it is in does not matter, but that all tools agree.
private let program = """
    #include <algorithm>
    #include <cstdio>
    #include <cstdlib>
    #include <map>
    #include <string>
    #include <vector>
    namespace shop {
    static inline int twice(int x) {
        return x * 2 + std::abs(x);
    }
    template <typename T> __attribute__((noinline)) T sum(const std::vector<T> &all) {
        T result{};
        for (const T &one : all) result += one;
        return result;
    }
    __attribute__((noinline)) std::string join(const std::map<int, std::string> &rows) {
        std::string text;
        for (const auto &[key, value] : rows) text += std::to_string(twice(key)) + value;
        return text;
    }
    __attribute__((noinline)) void shuffle(std::vector<int> &all) {
        std::sort(all.begin(), all.end(), [](int a, int b) { return twice(a) % 7 < twice(b) % 7; });
        if (all.size() > 1000) abort();
    }
    }
    int main(int argc, char **argv) {
        std::vector<int> all;
        std::map<int, std::string> rows;
        for (int i = 0; i < 100 * argc; i++) {
            all.push_back(shop::twice(i));
            rows[i] = argv[0];
        }
        shop::shuffle(all);
        std::printf("%d %zu\\n", shop::sum(all), shop::join(rows).size());
        return 0;
    }
    """

/// The same in C: structures, which hold no functions there, and a function inside a function, which gcc knows.
private let programInC = """
    #include <stdio.h>
    #include <stdlib.h>
    struct row { struct { int left, right; } pair; union { long whole; char bytes[8]; } value; int (*next)(int); };
    static volatile int state;
    static inline int roll(int top) { state = state * 1103515245 + 12345; return (state >> 16 & 0x7fff) % top; }
    static inline int twice(int value) { return roll(value + 1) + roll(value + 2); }
    static inline int fill(struct row *row, int seed) {
        for (int i = 0; i < 8; i++) row->value.bytes[i] = (char)twice(seed + i);
        row->pair.left = twice(seed) * 2;
        { int last = twice(seed + row->pair.left); row->pair.right = last + roll(3); }
        return row->pair.left + row->pair.right;
    }
    __attribute__((noinline)) static int each(int (*body)(int), int count) {
        int sum = 0;
        while (count-- > 0) sum += body(count + roll(5));
        return sum;
    }
    __attribute__((noinline)) static int many(struct row *rows, int count) {
        int sum = 0;
    #ifdef __clang__
        for (int i = 0; i < count; i++) sum += fill(&rows[i], i);
    #else
        __attribute__((noinline)) int inner(int index) { return fill(&rows[index % count], index) + twice(count); }
        sum = each(inner, count);
    #endif
        return sum + twice(sum);
    }
    __attribute__((noinline)) static int plain(int value) { return twice(value) + roll(9); }
    int main(void) {
        struct row *rows = calloc(100, sizeof *rows);
        rows[0].next = plain;
        printf("%d\\n", many(rows, 100) + each(rows[0].next, 10));
        free(rows);
        return 0;
    }
    """

private struct Function {
    var start: UInt64
    var size: UInt64
}

@Suite(.serialized)
struct SymbolizerTests {
    private static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

    private func compile(_ name: String, _ command: [String], run steps: [[String]] = []) throws -> String {
        let folder = try Self.folder.get()
        let isC = ["gcc", "clang"].contains(command[0])
        let source = folder.file(isC ? "shop.c" : "shop.cpp")
        try (isC ? programInC : program).write(toFile: source, atomically: true, encoding: .utf8)
        let executable = folder.file(name)
        for step in [command + ["-o", executable, source]] + steps {
            let result = try runProgram(step.map { $0.replacingOccurrences(of: "@", with: executable) })
            try #require(result.status == 0, "\(step): \(result.errors)")
        }
        return executable
    }

    private func functions(of path: String) throws -> [Function] {
        let result = try runProgram(["nm", "-S", "--defined-only", path])
        try #require(result.status == 0, "nm: status \(result.status), \(result.errors)")
        return result.output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 4, "tTwW".contains(words[2]), let start = UInt64(words[0], radix: 16),
                let size = UInt64(words[1], radix: 16), size > 0
            else { return nil }
            return Function(start: start, size: size)
        }
    }

    /// Some addresses in each function, the same for the same file.
    private func addresses(in path: String, perFunction: Int) throws -> [UInt64] {
        var generator = SeededGenerator(seed: 20_261)
        return try functions(of: path).flatMap { function in
            (0..<perFunction).map { _ in function.start + generator.next() % function.size }
        }
    }

    private struct Place: Equatable, CustomStringConvertible {
        var function: String
        var file: String
        var line: Int
        var description: String { "\(function) \(file):\(line)" }
    }

    /// Names without what demanglers write differently: blanks, and the parameters of what has no linkage name.
    private func comparable(_ frames: [Place]) -> [Place] {
        frames.map { frame in
            var place = frame
            // LLVM marks parts and copies: "f() (.cold)".
            place.function = place.function.components(separatedBy: " (.").first ?? ""
            // What LLVM leaves mangled, and a blank it leaves out.
            place.function = demangle(place.function).replacingOccurrences(of: "operator< <", with: "operator<<")
            place.function = QualifiedName(place.function).components.last?.name.filter { !$0.isWhitespace } ?? ""
            place.file = place.file == "??" ? "" : URL(filePath: place.file).lastPathComponent
            return place
        }
    }

    private func ours(_ path: String, _ addresses: [UInt64]) -> [[Place]] {
        let symbolizer = Symbolizer()
        return addresses.map { address in
            symbolizer.resolve(Module(path: path, buildID: []), offset: address, exact: true).map {
                Place(function: $0.function, file: $0.file ?? "??", line: $0.line ?? 0)
            }
        }
    }

    private func llvm(_ path: String, _ addresses: [UInt64]) throws -> [[Place]] {
        let input = addresses.map { "0x" + String($0, radix: 16) + "\n" }.joined()
        let result = try runProgram(["llvm-symbolizer", "--obj=\(path)"], input: input)
        try #require(result.status == 0, "\(result.errors)")
        return result.output.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { block in
            let lines = block.split(separator: "\n").map(String.init)
            return stride(from: 0, to: lines.count - 1, by: 2).map { index in
                let parts = lines[index + 1].split(separator: ":")
                return Place(
                    function: lines[index],
                    file: parts.dropLast(2).joined(separator: ":"),
                    line: parts.count > 1 ? Int(parts[parts.count - 2]) ?? 0 : 0
                )
            }
        }
    }

    static let builds: [(name: String, command: [String], steps: [[String]])] = [
        ("gcc-O2", ["g++", "-O2", "-g"], []),
        ("gcc-O0", ["g++", "-O0", "-g"], []),
        ("gcc-dwarf4", ["g++", "-O2", "-g", "-gdwarf-4"], []),
        ("gcc-types", ["g++", "-O2", "-g", "-fdebug-types-section"], []),
        ("gcc-zlib", ["g++", "-O2", "-g", "-gz=zlib"], []),
        ("gcc-gnu-zlib", ["g++", "-O2", "-g"], [["objcopy", "--compress-debug-sections=zlib-gnu", "@"]]),
        ("gcc-no-aranges", ["g++", "-O2", "-g"], [["objcopy", "--remove-section=.debug_aranges", "@"]]),
        ("gcc-no-build-id", ["g++", "-O2", "-g", "-Wl,--build-id=none"], []),
        ("gcc-not-pie", ["g++", "-O2", "-g", "-no-pie"], []),
        ("gcc-lto", ["g++", "-O2", "-g", "-flto"], []),
        ("clang-dwarf5", ["clang++", "-O2", "-g", "-gdwarf-5"], []),
        ("clang-dwarf4", ["clang++", "-O1", "-g", "-gdwarf-4"], []),
        ("c-gcc-O2", ["gcc", "-O2", "-g"], []),
        ("c-gcc-c99", ["gcc", "-O1", "-g", "-gdwarf-4", "-std=gnu99"], []),
        ("c-gcc-O0", ["gcc", "-O0", "-g"], []),
        ("c-clang-O2", ["clang", "-O2", "-g"], []),
    ]

    @Test(
        .enabled(
            if: isInstalled("g++") && isInstalled("clang++") && isInstalled("llvm-symbolizer") && isInstalled("nm"),
            "g++, clang++, llvm-symbolizer or binutils are not installed"
        ),
        arguments: builds.indices
    )
    func functionsFilesLinesAndInlinedCallsAreThoseOfLLVM(build: Int) throws {
        let (name, command, steps) = Self.builds[build]
        let path = try compile(name, command, run: steps)
        let addresses = try addresses(in: path, perFunction: name.hasPrefix("c-") ? 40 : 12)
        #expect(addresses.count > 100)
        let mine = ours(path, addresses)
        let theirs = try llvm(path, addresses)
        try #require(mine.count == theirs.count)
        var inlined = 0
        var different = 0
        for index in mine.indices {
            inlined += mine[index].count - 1
            if comparable(mine[index]) == comparable(theirs[index]) { continue }
            different += 1
            if different < 4 {
                Issue.record(
                    "\(name) 0x\(String(addresses[index], radix: 16)): \(mine[index]) instead of \(theirs[index])"
                )
            }
        }
        #expect(different == 0)
        #expect(name.hasSuffix("O0") || inlined > 50)
    }

    @Test(
        .enabled(
            if: isInstalled("g++") && isInstalled("objcopy") && isInstalled("strip"),
            "g++ or binutils are not installed"
        )
    )
    func separateDebugInformationIsFoundBesideTheFile() throws {
        let path = try compile("separate", ["g++", "-O2", "-g"])
        let expected = ours(path, try addresses(in: path, perFunction: 3))
        let addresses = try addresses(in: path, perFunction: 3)
        let debug = URL(filePath: path).deletingLastPathComponent().appending(path: ".debug/separate.debug").path()
        try FileManager.default.createDirectory(
            atPath: URL(filePath: debug).deletingLastPathComponent().path(),
            withIntermediateDirectories: true
        )
        for step in [
            ["objcopy", "--only-keep-debug", path, debug], ["strip", path],
            ["objcopy", "--add-gnu-debuglink=\(debug)", path],
        ] {
            let result = try runProgram(step)
            try #require(result.status == 0, "\(result.errors)")
        }
        #expect(ours(path, addresses) == expected)
        try FileManager.default.removeItem(atPath: debug)
        let symbolizer = Symbolizer()
        #expect(symbolizer.resolve(Module(path: path, buildID: []), offset: addresses[0], exact: true)[0].line == nil)
        let reason = try #require(symbolizer.missingLines(Module(path: path, buildID: [])))
        #expect(reason.hasPrefix("build it with -g, or install its debug symbols (/usr/lib/debug/.build-id/"))
        #expect(reason.hasSuffix(".debug)"))
    }

    @Test(.enabled(if: isInstalled("g++") && isInstalled("dwz"), "g++ or dwz are not installed"))
    func informationThatDwzMovedToACommonFileIsRead() throws {
        let first = try compile("dwz-one", ["g++", "-O2", "-g", "-gdwarf-4"])
        let second = try compile("dwz-two", ["g++", "-O2", "-g", "-gdwarf-4", "-DOTHER"])
        let addresses = try addresses(in: first, perFunction: 6)
        let expected = ours(first, addresses)
        let common = URL(filePath: first).deletingLastPathComponent().appending(path: "common.dwz").path()
        let result = try runProgram(["dwz", "-m", common, "-M", common, first, second])
        try #require(result.status == 0, "\(result.errors)")
        #expect(try runProgram(["readelf", "-SW", first]).output.contains(".gnu_debugaltlink"))
        // Scopes of abstract functions may now be in the common file, so only the last part of names is compared.
        #expect(ours(first, addresses).map(comparable) == expected.map(comparable))
    }

    @Test(
        .enabled(
            if: isInstalled("g++") && isInstalled("strip") && isInstalled("xz"),
            "g++, strip or xz are not installed"
        )
    )
    func theCompressedSymbolTableOfAStrippedFileIsRead() throws {
        let path = try compile("mini", ["g++", "-O2"])
        let addresses = try addresses(in: path, perFunction: 2)
        let expected = ours(path, addresses)
        let debug = path + ".symbols"
        for step in [
            ["objcopy", "--only-keep-debug", path, debug], ["strip", path], ["xz", "-f", debug],
            ["objcopy", "--add-section", ".gnu_debugdata=\(debug).xz", path],
        ] {
            let result = try runProgram(step)
            try #require(result.status == 0, "\(step) \(result.errors)")
        }
        #expect(ours(path, addresses) == expected)
    }

    @Test(.enabled(if: isInstalled("g++") && isInstalled("objcopy"), "g++ or objcopy are not installed"))
    func linesThatCannotBeReadHaveAReason() throws {
        let path = try compile("zstd", ["g++", "-O2", "-g"])
        let result = try runProgram(["objcopy", "--compress-debug-sections=zstd", path])
        // Old objcopy does not know zstd.
        if result.status == 0 {
            let symbolizer = Symbolizer()
            let address = try addresses(in: path, perFunction: 1)[0]
            let frames = symbolizer.resolve(Module(path: path, buildID: []), offset: address, exact: true)
            let reason = symbolizer.missingLines(Module(path: path, buildID: []))
            #expect(frames.contains { $0.line != nil } || reason?.contains("zstd") == true)
        }
        let gone = Symbolizer()
        #expect(
            gone.resolve(Module(path: "/nowhere/lib.so", buildID: []), offset: 1, exact: true) == [
                SourceFrame(function: "")
            ]
        )
        #expect(gone.missingLines(Module(path: "/nowhere/lib.so", buildID: [])) == "the file is gone")
        #expect(gone.missingLines(Module(path: "[vdso]", buildID: [])) == "it is not a file")
        #expect(gone.missingLines(Module(path: path, buildID: [1, 2, 3]))?.contains("build id differs") == true)
        #expect(gone.missingLines(Module(path: "/proc/version", buildID: [])) != nil)
    }

    @Test(.enabled(if: isInstalled("g++"), "g++ is not installed"))
    func aFileThatIsReplacedIsStillReadAndOneThatIsOverwrittenIsNot() throws {
        let path = try compile("replaced", ["g++", "-O2", "-g"])
        let address = try #require(try addresses(in: path, perFunction: 1).last)
        let symbolizer = Symbolizer()
        let before = symbolizer.resolve(Module(path: path, buildID: []), offset: address, exact: true)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
        try Data("another file".utf8).write(to: URL(filePath: path))
        #expect(symbolizer.resolve(Module(path: path, buildID: []), offset: address, exact: true) == before)

        let overwritten = Symbolizer()
        #expect(overwritten.resolve(Module(path: path + ".old", buildID: []), offset: address, exact: true) == before)
        let handle = try #require(FileHandle(forWritingAtPath: path + ".old"))
        try handle.truncate(atOffset: 100)
        usleep(80_000)
        #expect(
            overwritten.resolve(Module(path: path + ".old", buildID: []), offset: address, exact: true)
                == [SourceFrame(function: "")]
        )
        #expect(overwritten.missingLines(Module(path: path + ".old", buildID: []))?.contains("overwritten") == true)
    }

    @Test(.enabled(if: isInstalled("gcc"), "gcc is not installed"))
    func aRemovedFileIsReadThroughTheProcessThatRunsIt() throws {
        let folder = try ScratchFolder()
        let source = folder.file("waits.c")
        try "#include <unistd.h>\nint wait_here(void) { return getchar_unlocked_or_wait(); }\n".replacing(
            "getchar_unlocked_or_wait()",
            with: "pause()"
        ).appending("int main(void) { return wait_here(); }\n").write(toFile: source, atomically: true, encoding: .utf8)
        let executable = folder.file("waits")
        try #require(try runProgram(["gcc", "-g", "-o", executable, source]).status == 0)
        let functions = try functions(of: executable)
        let expected = ours(executable, functions.map(\.start))
        #expect(expected.contains { $0.contains { $0.function == "wait_here" && $0.line == 2 } })
        let process = try StartedProgram([executable])
        defer { process.end() }
        try FileManager.default.removeItem(atPath: executable)
        let symbolizer = Symbolizer()
        symbolizer.add(process: process.pid)
        for path in [executable, executable + " (deleted)"] {
            let frames = functions.map {
                symbolizer.resolve(Module(path: path, buildID: []), offset: $0.start, exact: true)
            }
            #expect(frames.contains { $0.contains { $0.function == "wait_here" && $0.line == 2 } }, "\(path)")
        }
    }

    @Test func aReturnAddressIsLookedUpInsideTheCall() throws {
        try #require(isInstalled("gcc"))
        let folder = try ScratchFolder()
        let source = folder.file("ends.c")
        try "#include <stdlib.h>\nvoid ends(void) {\n    abort();\n}\nint main(void) {\n    ends();\n    return 0;\n}\n"
            .write(toFile: source, atomically: true, encoding: .utf8)
        let path = folder.file("ends")
        try #require(try runProgram(["gcc", "-O1", "-g", "-fno-inline", "-o", path, source]).status == 0)
        let symbolizer = Symbolizer()
        let ends = try #require(
            try functions(of: path).first {
                symbolizer.functionName(Module(path: path, buildID: []), offset: $0.start, exact: true) == "ends"
            }
        )
        // abort() does not return: the address behind its call is the next function's.
        let behind = ends.start + ends.size
        let frames = symbolizer.resolve(Module(path: path, buildID: []), offset: behind, exact: false)
        #expect(frames.last?.function == "ends")
        #expect(frames.last?.line == 3)
        let exact = symbolizer.resolve(Module(path: path, buildID: []), offset: behind, exact: true)
        #expect(exact.last?.function != "ends")
    }

    @Test(
        .enabled(if: isInstalled("g++"), "g++ is not installed"),
        arguments: [["-g"], ["-g", "-gz=zlib"], ["-gdwarf-4"]]
    )
    func damagedFilesGiveFewerNamesAndNeverACrash(flags: [String]) throws {
        let path = try compile("fuzzed" + flags.joined(), ["g++", "-O2"] + flags)
        let original = Array(try Data(contentsOf: URL(filePath: path)))
        let addresses = try addresses(in: path, perFunction: 1)
        let copy = path + ".damaged"
        let seed = UInt64.random(in: 1 ... .max)
        print("damaged files \(flags): seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        for round in 0..<120 {
            var bytes = original
            for _ in 0...(generator.next() % (round % 3 == 0 ? 400 : 8)) {
                // Every fourth in the headers.
                let bound = generator.next() % 4 == 0 ? 4096 : UInt64(bytes.count)
                bytes[Int(generator.next() % bound)] ^= 1 << UInt8(generator.next() % 8)
            }
            if generator.next() % 8 == 0 { bytes.removeLast(Int(generator.next() % UInt64(bytes.count))) }
            unlink(copy)
            try Data(bytes).write(to: URL(filePath: copy))
            let symbolizer = Symbolizer()
            for address in addresses {
                let frames = symbolizer.resolve(Module(path: copy, buildID: []), offset: address, exact: true)
                #expect(!frames.isEmpty)
            }
            _ = symbolizer.missingLines(Module(path: copy, buildID: []))
        }
    }

    @Test(.enabled(if: isInstalled("g++"), "g++ is not installed"))
    func releasedFilesAreReadAgain() throws {
        let path = try compile("released", ["g++", "-O2", "-g"])
        let addresses = try addresses(in: path, perFunction: 1)
        try #require(!addresses.isEmpty)
        let symbolizer = Symbolizer()
        let first = addresses.map { symbolizer.resolve(Module(path: path, buildID: []), offset: $0, exact: true) }
        symbolizer.release(Module(path: path, buildID: []))
        #expect(try !mappings().contains(path))
        #expect(first == addresses.map { symbolizer.resolve(Module(path: path, buildID: []), offset: $0, exact: true) })
        #expect(try mappings().contains(path))
    }

    /// All of proc_pid_maps(5); Foundation's readers of whole files end with the first page of it.
    private func mappings() throws -> String {
        let handle = try #require(FileHandle(forReadingAtPath: "/proc/self/maps"))
        var text = Data()
        while let part = try handle.read(upToCount: 1 << 16), !part.isEmpty { text += part }
        return String(decoding: text, as: UTF8.self)
    }
}
