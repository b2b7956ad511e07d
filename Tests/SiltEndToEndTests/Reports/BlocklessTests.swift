import SiltTestSupport
import Testing

extension EndToEnd {
    /// Views of programs that keep what is no block, some of them without any block.
    @Suite(.serialized)
    struct Blockless {
        private static let recordings = Result {
            let folder = try ScratchFolder()
            let program = try buildWorkload("handles", into: folder)
            var recordings = ["sleep": folder.file("sleep.silt")]
            _ = try runProgram([siltExecutable, "run", "--out", folder.file("sleep.silt"), "--", "sleep", "1"])
            for letter in ["p", "d", "z"] {
                recordings[letter] = folder.file(letter + ".silt")
                let options = ["--out", folder.file(letter + ".silt"), "--snapshot-every", "100ms"]
                let run = try runProgram(
                    [siltExecutable, "run"] + options + ["--", program, "run", letter, "2", "kill"]
                )
                #expect(run.status == 128 + 9, "\(run.errors)")
            }
            return (folder: folder, recordings: recordings)
        }

        private func words(_ arguments: [String]) throws -> String {
            try consume([siltExecutable] + arguments).split(separator: /\s+/).joined(separator: " ")
        }

        @Test(arguments: [("p", "mapping"), ("d", "descriptor"), ("z", "zombie")])
        func growthAndDifferencesAreOfWhatIsKept(letter: String, kind: String) throws {
            let recordings = try Self.recordings.get().recordings
            let (other, leaking) = (try #require(recordings["sleep"]), try #require(recordings[letter]))
            let growth = ["report", leaking, "--top", "--by", "growth"]
            let compared = try [
                words(["diff", other, leaking]), words(["report", leaking, "--between", "1s", "end"]),
            ]
            for text in try compared + [words(growth)] {
                #expect(text.contains("more than A: +") && text.contains(kind), "\(text)")
            }
            let ages = try words(["report", leaking, "--ages"])
            #expect(ages.hasPrefix("\(kind)s in use at the last snapshot"), "\(ages)")
        }
    }
}
