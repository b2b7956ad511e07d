import SiltTestSupport
import Testing

extension EndToEnd {
    /// Rust's library takes memory for each thread before it calls the thread's function (`threads_rust.rs`).
    @Suite struct ThreadStarts {
        @Test(.enabled(if: has("rustc"), "rustc is not installed"), arguments: [[], ["kill"]])
        func whatThreadsTakeBeforeTheyRunIsPartOfTheLineThatCreatesThem(words: [String]) throws {
            let folder = try ScratchFolder()
            let (program, recording) = (folder.file("threads"), folder.file("run.silt"))
            let source = packageRoot.appending(path: "Tests/Workloads/threads_rust.rs").path()
            _ = try consume(["rustc", "-g", "-O", source, "-o", program])
            let options = ["--out", recording, "--snapshot-every", "100ms"]
            let run = try runProgram([siltExecutable, "run"] + options + ["--", program] + words)
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.errors.hasPrefix("GROWING: 2 call sites leak"), "\(run.errors)")
            let growing = try report(of: recording).sites.filter(\.isGrowing)
            let functions = Set(growing.map(\.blame.function))
            #expect(functions.contains { $0.hasSuffix("make_handler") }, "\(functions)")
            #expect(growing.contains { $0.kind == "thread" && $0.blame.function.hasSuffix("start_export") })
            let found = run.errors.split(separator: "\n").filter { $0.firstMatch(of: #/^ [0-9]+  \+/#) != nil }
            #expect(found.count == 2 && found[0].contains("threads_rust.rs:8 "), "\(found)")
            #expect(found[1].contains("threads_rust.rs:9 "), "\(found)")
        }
    }
}
