import Foundation

/// A row of the table: a program that always does the same.
struct Workload {
    var name: String
    var command: Command
    /// Its first word of output is a rate to be compared, and differs from run to run.
    var printsThroughput = false
    /// How many times less CPU above native than heaptrack is wanted.
    var wanted = 6.0
    /// CPU of the traced program over native; nil where ns per event count.
    var ratioLimit: Double?
}

/// Makes the workloads and all they read.
struct WorkloadMaker {
    /// Where programs and inputs go.
    var folder: String
    /// 1, or less for shorter runs.
    var scale: Double

    /// All names, in the table's order.
    static let names = [
        "start", "hot-5", "hot-20", "hot-60", "parser-20", "parser-60", "threads-2", "open-close",
        "create-join", "map-unmap", "sqlite", "perl", "python", "xmllint", "git-log", "cc1plus", "cc1plus-O0",
    ]

    /// Where the C programs are.
    static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Workloads").path()

    /// The workload of that name; nil and a note when what it needs is not installed.
    func make(_ name: String) throws -> (workload: Workload?, note: String) {
        switch name {
        case "start": return (try micro(name, "hot", ["1", "1"]), "")
        case "hot-5": return (try micro(name, "hot", ["5", count(60_000_000)]), "")
        case "hot-20": return (try micro(name, "hot", ["20", count(40_000_000)]), "")
        case "hot-60": return (try micro(name, "hot", ["60", count(20_000_000)]), "")
        case "parser-20": return (try micro(name, "parser", ["20", count(12_000)]), "")
        case "parser-60": return (try micro(name, "parser", ["60", count(12_000)]), "")
        case "threads-2":
            var workload = try micro(name, "exchange", ["2", count(10_000_000)])
            workload.printsThroughput = true
            return (workload, "")
        case "open-close": return (try limited(name, "opening", count(2_000_000), 1.3), "")
        case "create-join": return (try limited(name, "joining", count(100_000), 1.1), "")
        case "map-unmap": return (try limited(name, "mapping", count(1_000_000), 1.3), "")
        case "sqlite":
            return try real(name, "sqlite3", limit: 1.25) {
                Command(words: [$0, "-batch", ":memory:"], input: try file("script.sql", Inputs.sql(times(12))))
            }
        case "perl":
            return try real(name, "perl", limit: 1.35) {
                Command(
                    words: [$0, try file("words.pl", Inputs.perl), "\(times(8))"],
                    environment: ["PERL_HASH_SEED": "0"]
                )
            }
        case "python":
            return try real(name, "python3", limit: 1.5) {
                Command(
                    words: [try interpreter($0), "-S", try file("objects.py", Inputs.python), "\(times(28))"],
                    environment: ["PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"]
                )
            }
        case "xmllint":
            return try real(name, "xmllint") {
                Command(words: [$0, "--huge", "--noout", try file("data.xml", Inputs.xml(times(360_000)))])
            }
        case "git-log":
            return try real(name, "git") { git in
                Command(
                    words: [git, "-C", try repository(git), "log", "-p", "--stat"],
                    environment: ["GIT_CONFIG_NOSYSTEM": "1", "HOME": folder, "GIT_PAGER": "cat"]
                )
            }
        case "cc1plus": return try compiler(name, "-O2", kinds: 10)
        // heaptrack 1.4's interpreter does not survive cc1plus -O2.
        case "cc1plus-O0": return try compiler(name, "-O0", kinds: 20)
        default: throw BenchmarkError("no row is called \(name): \(Self.names.joined(separator: ", "))")
        }
    }

    private func times(_ count: Int) -> Int { max(1, Int(Double(count) * scale)) }

    private func count(_ count: Int) -> String { "\(times(count))" }

    /// A C program whose traced CPU may be so many times the native one.
    private func limited(_ name: String, _ source: String, _ count: String, _ ratio: Double) throws -> Workload {
        var workload = try micro(name, source, [count])
        workload.ratioLimit = ratio
        return workload
    }

    private func micro(_ name: String, _ source: String, _ arguments: [String]) throws -> Workload {
        let program = folder + "/" + source
        if !FileManager.default.fileExists(atPath: program) {
            // Else the recursion that makes the depth becomes a loop.
            let flags = ["-O2", "-fno-optimize-sibling-calls", "-g", "-pthread"]
            try Command(words: ["cc"] + flags + ["-o", program, "\(Self.sources)/\(source).c"]).run()
        }
        return Workload(name: name, command: Command(words: [program] + arguments))
    }

    private func real(
        _ name: String,
        _ program: String,
        limit: Double? = nil,
        _ command: (String) throws -> Command
    ) throws -> (Workload?, String) {
        guard let path = find(program) else { return (nil, "\(name): \(program) is not installed") }
        return (Workload(name: name, command: try command(path), ratioLimit: limit), "")
    }

    /// The compiler proper, on a preprocessed file, so that no driver and no header is in the numbers.
    private func compiler(_ name: String, _ level: String, kinds: Int) throws -> (Workload?, String) {
        guard let driver = find("g++") else { return (nil, "\(name): g++ is not installed") }
        let answer = folder + "/cc1plus.path"
        try Command(words: [driver, "-print-prog-name=cc1plus"], output: answer).run()
        let program = try String(contentsOfFile: answer, encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard program.hasPrefix("/") else { return (nil, "\(name): \(driver) has no cc1plus of its own") }
        let source = try file(name + ".cc", Inputs.templates(times(kinds)))
        let whole = folder + "/" + name + ".ii"
        try Command(words: [driver, "-std=c++17", "-E", source, "-o", whole]).run()
        let command = Command(
            words: [program, "-fpreprocessed", "-quiet", "-std=c++17", level, whole, "-o", "/dev/null"]
        )
        return (Workload(name: name, command: command, wanted: 4, ratioLimit: 1.4), "")
    }

    /// The interpreter itself: what PATH finds may be a script that looks for it.
    private func interpreter(_ python: String) throws -> String {
        let answer = folder + "/python.path"
        try Command(words: [python, "-c", "import sys; print(sys.executable)"], output: answer).run()
        return try String(contentsOfFile: answer, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func repository(_ git: String) throws -> String {
        let path = folder + "/repository"
        if !FileManager.default.fileExists(atPath: path) {
            let environment = ["GIT_CONFIG_NOSYSTEM": "1", "HOME": folder]
            try Command(words: [git, "init", "--quiet", "--bare", path], environment: environment).run()
            let history = try file("history", Inputs.history(times(3000)))
            try Command(
                words: [git, "-C", path, "fast-import", "--quiet"],
                environment: environment,
                input: history
            ).run()
        }
        return path
    }

    private func file(_ name: String, _ text: @autoclosure () -> String) throws -> String {
        let path = folder + "/" + name
        if !FileManager.default.fileExists(atPath: path) {
            try text().write(toFile: path, atomically: true, encoding: .utf8)
        }
        return path
    }
}
