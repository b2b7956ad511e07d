import ArgumentParser
import Foundation

/// Whether real programs notice silt.
@main
struct Conformance: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "silt-conformance",
        abstract: "Run real programs with and without silt, and compare.",
        discussion: """
            swift run silt-conformance
            swift run silt-conformance --quick
            swift run silt-conformance --only redis,git --json matrix.json

            Exit status: 0 nothing differs, 1 something does, 2 a program is missing and nothing differs.
            """,
        subcommands: [
            MatrixCommand.self, SoakCommand.self, KillCommand.self, ServicesCommand.self, PythonPackagesCommand.self,
        ],
        defaultSubcommand: MatrixCommand.self
    )
}

/// What all commands need.
struct Place: ParsableArguments {
    @Option(help: "The silt to try; by default the one beside this program.")
    var silt: String?

    @Option(help: "Work in this folder, and leave it.")
    var folder: String?

    /// Calls the body with silt, its preload library and a folder.
    func with<Result>(_ body: (_ silt: String, _ library: String, _ folder: String) throws -> Result) throws -> Result {
        let beside = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        let silt = self.silt ?? beside.appending(path: "silt").path()
        guard access(silt, X_OK) == 0 else { throw ValidationError("\(silt) is missing: name another with --silt") }
        let folder = self.folder ?? NSTemporaryDirectory() + "silt-conformance-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { if self.folder == nil { _ = try? FileManager.default.removeItem(atPath: folder) } }
        let library = folder + "/libsilt.so"
        let made = try StartedCommand(
            [silt, "shim", library],
            environment: [:]
        ).wait(seconds: 60)
        guard made.status == 0 else { throw ValidationError("\(silt) shim \(library) failed") }
        return try body(silt, library, folder)
    }
}

struct MatrixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix",
        abstract: "Run each program natively twice, under silt run and under plain preload.",
        discussion: """
            Standard output, standard error and status must be the same; where the native runs differ from each other, the
            lines they have in common must be there, and numbers in the others are masked. Of the recordings: no event is
            lost, all that were sent were received. CPU: user and system time over that of the native runs.
            """
    )

    @OptionGroup var place: Place

    @Flag(help: "The short form: programs of .ci/packages that take seconds.")
    var quick = false

    @Option(help: "These programs alone, separated by commas.")
    var only: String?

    @Option(help: "Longest time of one run, in seconds.")
    var limit = 240.0

    @Option(help: "Write all numbers to this file.")
    var json: String?

    @Option(help: "Write the table to this file as Markdown.")
    var markdown: String?

    @Flag(help: "Install what Tests/Conformance/packages lists first.")
    var install = false

    @Flag(help: "Print the names of the programs.")
    var list = false

    private var programs: [Program] {
        get throws {
            let all = try chosen(only, of: Program.all, "program", called: \.name)
            return only == nil && quick ? all.filter(\.isQuick) : all
        }
    }

    func validate() throws { _ = try programs }

    func run() throws {
        let programs = try programs
        if list { return print(programs.map(\.name).joined(separator: "\n")) }
        if install { try installPackages() }
        let rows = try place.with { silt, library, folder in
            let matrix = Matrix(silt: silt, library: library, folder: folder, limit: limit)
            print(MatrixTable.heading)
            return try programs.map { program in
                let row = try matrix.row(program)
                print(MatrixTable.line(row))
                fflush(nil)
                return row
            }
        }
        if let json { try MatrixTable.json(rows).write(to: URL(filePath: json)) }
        if let markdown { try MatrixTable.markdown(rows).write(toFile: markdown, atomically: true, encoding: .utf8) }
        let missing = rows.filter { !$0.missing.isEmpty }
        let differing = rows.filter { $0.missing.isEmpty && !$0.isGood }
        print("\(rows.count - missing.count - differing.count) of \(rows.count) programs the same")
        if !missing.isEmpty { print("missing: apt-get install \(packages.joined(separator: " ")), or --install") }
        guard differing.isEmpty else { throw ExitCode(1) }
        guard missing.isEmpty else { throw ExitCode(2) }
    }

    /// The packages that all programs come from.
    private var packages: [String] {
        text(of: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "packages").path())
            .split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private func installPackages() throws {
        let sudo = find("sudo").map { [$0] } ?? []
        let command = sudo + ["/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y"] + packages
        let result = try StartedCommand(
            command,
            environment: ProcessInfo.processInfo.environment
        ).wait(seconds: 1800)
        guard result.status == 0 else { throw ConformanceError("the packages could not be installed") }
    }
}
