internal import ArgumentParser

/// Where a command records to.
struct RecordingChoice: ParsableArguments {
    @Option(
        name: .customLong("out"),
        help: "The recording's file. Without it the last ten, at most 200 MB together, are kept in ~/.local/state/silt."
    )
    var path: String?

    @Flag(help: "Without --out: keep no recording.")
    var noKeep = false

    /// `program`: what a file without a name is named after; `keeps`: whether one without a name is worth keeping.
    func file(for program: String, keeps: Bool = true) throws -> TraceFile {
        try TraceFile(named: path, program: program, keeps: keeps && !noKeep)
    }
}
