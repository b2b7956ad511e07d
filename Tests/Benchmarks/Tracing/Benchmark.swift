import ArgumentParser
import Foundation

/// What tracing costs: CPU time of programs untraced, under a do-nothing interposer, under silt and under heaptrack.
@main
struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "silt-benchmark",
        abstract: "Measure what tracing costs, against untraced runs and against heaptrack.",
        discussion: """
            swift run -c release silt-benchmark
            swift run -c release silt-benchmark --quick --only sqlite,cc1plus

            Rows: \(WorkloadMaker.names.joined(separator: ", ")).

            Each run of a row goes through all ways in turn: native, forward (a preload library that only forwards
            malloc and its kin), silt (silt run, as a user would), heaptrack (where it is installed). Times are user +
            system CPU seconds by wait4(2); the table shows medians. heaptrack's interpreter is counted, its compressor
            and its own analysis (heaptrack_print) are not. Of silt everything is counted, symbols and report included.
            """
    )

    @Flag(help: "One run of each, and shorter ones.")
    var quick = false

    @Option(help: "Rows to measure, separated by commas; all by default.")
    var only: String?

    @Option(help: "Runs of each row and way.")
    var runs: Int?

    @Option(help: "Length of the runs, as a factor.")
    var scale: Double?

    @Option(help: "Ways to measure, separated by commas: native (always), forward, silt, heaptrack.")
    var ways: String?

    @Option(help: "Write all numbers to this file.")
    var json: String?

    @Option(help: "The silt to measure; by default the one of this package, which is built first.")
    var silt: String?

    @Option(help: "Make programs and inputs in this folder, use what is there, and leave it.")
    var folder: String?

    func validate() throws {
        for name in rowNames where !WorkloadMaker.names.contains(name) {
            throw ValidationError("no row is called \(name)")
        }
        if let runs, runs < 1 { throw ValidationError("at least one run") }
        if let scale, scale <= 0 { throw ValidationError("a factor above 0") }
        for way in wayNames where Way(rawValue: way) == nil { throw ValidationError("no way is called \(way)") }
    }

    private var rowNames: [String] { only?.split(separator: ",").map(String.init) ?? WorkloadMaker.names }

    private var wayNames: [String] { ways?.split(separator: ",").map(String.init) ?? Way.allCases.map(\.rawValue) }

    func run() throws {
        let folder = self.folder ?? NSTemporaryDirectory() + "silt-benchmark-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { if self.folder == nil { _ = try? FileManager.default.removeItem(atPath: folder) } }
        do {
            try measure(in: folder)
        } catch let error as BenchmarkError {
            FileHandle.standardError.write(Data("silt-benchmark: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }

    private func measure(in folder: String) throws {
        let forward = folder + "/forward.so"
        let flags = ["-O2", "-shared", "-fPIC", "-ftls-model=initial-exec"]
        try Command(words: ["cc"] + flags + ["-o", forward, "\(WorkloadMaker.sources)/forward.c"]).run()
        let tools = Tools(silt: try siltPath(), forward: forward, heaptrack: Tools.Heaptrack(), folder: folder)
        let ways = tools.ways.filter { $0 == .native || wayNames.contains($0.rawValue) }
        let maker = WorkloadMaker(folder: folder, scale: scale ?? (quick ? 0.2 : 1))
        var table = Table()
        if tools.heaptrack == nil { table.notes.append("heaptrack is not installed: its columns stay empty") }
        print(Table.heading)
        for name in rowNames {
            let (workload, note) = try maker.make(name)
            guard let workload else {
                table.notes.append(note)
                continue
            }
            // Starting takes so little that it is measured often.
            let times = (runs ?? (quick ? 1 : 3)) * (name == "start" ? 10 : 1)
            var row = Row(workload)
            for _ in 0..<times {
                for way in ways where row.failures[way] == nil {
                    do {
                        row.samples[way, default: []].append(try tools.sample(workload, way))
                    } catch let error as BenchmarkError where way == .heaptrack {
                        // Its own trouble: the row stands without it.
                        row.failures[way] = "\(error)"
                        table.notes.append("\(name): no numbers of heaptrack: \(error)")
                    }
                }
            }
            table.rows.append(row)
            print(row.line)
            fflush(nil)
        }
        print(table.details)
        if let json { try table.json().write(to: URL(filePath: json)) }
    }

    /// Builds the `silt` beside this program unless another was named.
    private func siltPath() throws -> String {
        if let silt { return silt }
        let beside = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        let package = URL(filePath: WorkloadMaker.sources).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path()
        if find("swift") != nil {
            let release = beside.lastPathComponent == "release" ? "release" : "debug"
            try Command(
                words: ["swift", "build", "--package-path", package, "-c", release, "--product", "silt"],
                output: "/dev/stderr"
            ).run()
        }
        let path = beside.appending(path: "silt").path()
        guard access(path, X_OK) == 0 else { throw BenchmarkError("\(path) is missing: name another with --silt") }
        return path
    }
}
