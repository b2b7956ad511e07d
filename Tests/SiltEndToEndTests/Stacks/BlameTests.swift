import Foundation
import SiltEvents
import SiltRecording
import SiltSymbols
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

/// Whether a program can be found; a test that needs it says so when it is skipped.
func has(_ program: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        access("\($0)/\(program)", X_OK) == 0
    }
}

/// Where the headers of libc++ are: `SILT_LIBCXX` may name a folder they were unpacked to.
private let libcxxHeaders: String? = {
    let roots = [ProcessInfo.processInfo.environment["SILT_LIBCXX"] ?? "", ""]
    for root in roots {
        for version in (14...22).reversed() {
            let folder = "\(root)/usr/lib/llvm-\(version)/include/c++/v1"
            if access(folder + "/vector", R_OK) == 0, access(libcxxLibrary(version), R_OK) == 0 { return folder }
        }
    }
    return nil
}()

private func libcxxLibrary(_ version: Int) -> String { "/usr/lib/llvm-\(version)/lib/libc++.so.1" }

private let glibFlags: [String]? = {
    guard has("pkg-config"), let flags = try? runProgram(["pkg-config", "--cflags", "--libs", "glib-2.0"]),
        flags.status == 0
    else { return nil }
    return flags.output.split(whereSeparator: \.isWhitespace).map(String.init)
}()

/// A line that a workload marks with `// leak: NAME`.
private struct Leak {
    var line: Int
    var name: String
}

private func leaks(in workload: String) throws -> [Leak] {
    let source = try String(contentsOf: packageRoot.appending(path: "Tests/Workloads/\(workload)"), encoding: .utf8)
    return source.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, text in
        guard let mark = text.range(of: "// leak: "), text[..<mark.lowerBound].contains(where: { !$0.isWhitespace })
        else {
            return nil
        }
        return Leak(line: index + 1, name: String(text[mark.upperBound...]))
    }
}

extension EndToEnd {
    /// Programs that leak through their language's library: the program's own line is to blame, not the library's.
    @Suite(.serialized)
    struct Blame {
        static let rounds = 64

        /// Compiles a workload, traces it and compares each marked line with the report.
        private func check(
            _ workload: String,
            compile: (_ source: String, _ executable: String) -> [String],
            environment: [String: String] = [:],
            hasLines: Bool = true
        ) throws {
            let folder = try ScratchFolder()
            let program = folder.file("program")
            let source = packageRoot.appending(path: "Tests/Workloads/\(workload)").path()
            let built = try runProgram(compile(source, program), environment: environment, seconds: 300)
            try #require(built.status == 0, "\(built.errors)")
            let recording = folder.file("run.silt")
            let result = try runProgram([siltExecutable, "run", "--out", recording, "--", program, "\(Self.rounds)"])
            #expect(result.status == 0, "\(result.errors)")
            let report = try report(of: recording)
            try checkGroups(of: recording)
            let leaks = try leaks(in: workload)
            #expect(leaks.count > 8)
            for leak in leaks {
                let sites = report.sites.filter { site in
                    site.blame.function.contains(leak.name)
                        && (!hasLines || site.blame.line == leak.line && site.blame.file?.hasSuffix(workload) == true)
                }
                let count = sites.map(\.inuseObjects).reduce(0, +)
                #expect(
                    count >= Self.rounds,
                    "\(workload):\(leak.line): \(count) blocks; sites: \(report.sites.map { "\($0.blame.function):\($0.blame.line ?? 0) \($0.inuseObjects)" })"
                )
            }
        }

        /// The run counts stacks together by the frame that the report blames, or their histories would be split.
        private func checkGroups(of path: String) throws {
            let recording = try Recording(path: path)
            let names = FrameNames(recording, hiding: try AllocatorFrames(hide: []))
            let blamed = names.blameFrames
            let rows = recording.counters.filter { $0.stack != .none && $0.group != .none }
            #expect(!rows.isEmpty)
            for row in rows { #expect(blamed[row.stack] == row.group, "stack \(row.stack.rawValue)") }
        }

        @Test(.enabled(if: has("g++"), "g++ is not installed"), arguments: ["-O0", "-O2"])
        func ofCPlusPlusIsTheProgramsLine(optimization: String) throws {
            try check("leaks_cpp.cpp") { ["g++", optimization, "-g", "-pthread", "-o", $1, $0] }
        }

        @Test(.enabled(if: has("g++"), "g++ is not installed"))
        func ofCPlusPlusWithoutDebugInformationIsTheProgramsFunction() throws {
            try check("leaks_cpp.cpp", compile: { ["g++", "-O0", "-pthread", "-o", $1, $0] }, hasLines: false)
        }

        @Test(
            .enabled(
                if: has("clang++-14") && libcxxHeaders != nil,
                "clang++ or the headers of libc++ are not installed"
            )
        )
        func ofCPlusPlusWithLibcxxIsTheProgramsLine() throws {
            let headers = try #require(libcxxHeaders)
            let library = headers.split(separator: "/").first { $0.hasPrefix("llvm-") } ?? ""
            try check("leaks_cpp.cpp") { source, program in
                [
                    "clang++-14", "-O0", "-g", "-nostdinc++", "-isystem", headers, "-nostdlib++", "-pthread", "-o",
                    program,
                    source, "/usr/lib/\(library)/lib/libc++.so.1", "/usr/lib/\(library)/lib/libc++abi.so.1",
                ]
            }
        }

        @Test(.enabled(if: has("rustc"), "rustc is not installed"), arguments: ["v0", "legacy"])
        func ofRustIsTheProgramsLine(mangling: String) throws {
            try check(
                "leaks_rust.rs",
                compile: {
                    [
                        "rustc", "-O", "-g", "-C", "symbol-mangling-version=\(mangling)", "-Z", "unstable-options",
                        "-o",
                        $1, $0,
                    ]
                },
                // The legacy mangling is no stable option any more.
                environment: ["RUSTC_BOOTSTRAP": "1"]
            )
        }

        @Test(.enabled(if: has("swiftc"), "swiftc is not installed"), arguments: [[], ["-static-stdlib"]])
        func ofSwiftIsTheProgramsLine(options: [String]) throws {
            try check("leaks_swift.swift") {
                ["swiftc", "-O", "-g", "-module-name", "leaks"] + options + [$0, "-o", $1]
            }
        }

        @Test(.enabled(if: glibFlags != nil, "pkg-config or libglib2.0-dev is not installed"))
        func ofGLibAndOfWrappersIsTheCaller() throws {
            let flags = try #require(glibFlags)
            try check("leaks_glib.c") { ["gcc", "-O1", "-g", "-o", $1, $0] + flags }
        }

        @Test func whatIsHiddenPassesTheBlameOn() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("growth", into: folder)
            let recording = folder.file("run.silt")
            let result = try runProgram(
                [siltExecutable, "run", "--out", recording, "--snapshot-every", "100ms", "--", program, "1"]
            )
            #expect(result.status == 0)
            #expect(try !report(of: recording).sites(named: "build_string").isEmpty)
            let hidden = try report(of: recording, options: ["--hide", "^build_st.*g$"])
            #expect(hidden.sites(named: "build_string").isEmpty)
            #expect(hidden.sites.contains { $0.blame.function == "leaky_caller" })
            let wrong = try runProgram([siltExecutable, "report", recording, "--hide", "("])
            #expect(wrong.status != 0)
            #expect(wrong.errors.contains("regular expression"))
        }
    }
}
