import SiltTestSupport
import Testing

/// Recordings of a program that keeps 200 things of a kind each second, for 3 s.
struct EndsEarly {
    let folder: ScratchFolder
    private let program: String

    init() throws {
        folder = try ScratchFolder()
        program = try buildWorkload("ends_early", into: folder)
    }

    /// `name`: of the recording; `words`: the kind and what becomes of it, as the program takes them.
    func record(_ name: String, _ kind: String, _ words: String...) throws -> String {
        let recording = folder.file(name + ".silt")
        let run = try runProgram(
            [siltExecutable, "run", "--out", recording, "--snapshot-every", "100ms", "--", program, kind, "3"] + words
        )
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.hasPrefix(kind == "nothing" ? "NOT GROWING" : "GROWING: 1 call site"), "\(run.errors)")
        return recording
    }
}
