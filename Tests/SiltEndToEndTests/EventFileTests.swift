import Foundation
import SiltTestNumbers
import SiltTestSupport
import Testing

extension EndToEnd {
    @Suite(.serialized)
    struct EventFiles {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

        @Test(arguments: [["counts", "8", "kill"], ["forks", "20"]])
        func anEventFileGivesTheReportOfItsRecording(words: [String]) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload(words[0], into: try Self.folder.get())
            let recording = folder.file("run.silt")
            let events = folder.file("run.events")
            let run = [siltExecutable, "run", "--out", recording, "--events", events, "--", program]
            let result = try runProgram(run + words.dropFirst())
            #expect(result.status == (words[0] == "forks" ? 0 : 137))
            let recorded = try runProgram([siltExecutable, "report", recording, "--json"])
            let replayed = try runProgram([siltExecutable, "report", events, "--json"])
            #expect(recorded.status == 0 && replayed.status == 0)
            #expect(replayed.output == recorded.output)
            #expect(replayed.errors == "")
            let mode = try runProgram(["stat", "-c", "%a", events])
            #expect(mode.output == "600\n")
        }

        @Test func aCutEventFileIsReportedAsFarAsItGoes() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("counts", into: try Self.folder.get())
            let events = folder.file("run.events")
            _ = try runProgram([siltExecutable, "run", "--events", events, "--", program, "1"])
            let bytes = try Data(contentsOf: URL(filePath: events))
            let cut = folder.file("cut.events")
            try bytes.prefix(bytes.count / 3).write(to: URL(filePath: cut))
            let result = try runProgram([siltExecutable, "report", cut, "--json"])
            #expect(result.status == 0)
            #expect(result.errors.contains("ends inside the chunk at byte"))
            #expect(result.errors.contains("events of"))
            let report = try report(of: cut)
            let made = report.sites(named: "make_block").map(\.allocObjects).reduce(0, +)
            #expect(made > 300_000 && made < 1_234_567)
            #expect(report.trust.unknownFrees == 0)
        }

        @Test func damagedEventFilesAreReportedOrRefusedButNeverCrash() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("forks", into: try Self.folder.get())
            let events = folder.file("run.events")
            _ = try runProgram([siltExecutable, "run", "--events", events, "--", program, "3"])
            let bytes = try Data(contentsOf: URL(filePath: events))
            var generator = SeededGenerator(seed: .random(in: 0 ... .max))
            print("seed \(generator.seed)")
            for _ in 0..<30 {
                var damaged = bytes
                for _ in 0..<8 {
                    let random = generator.next()
                    // Behind the first chunk: a file that does not begin like one is no event file.
                    damaged[32 + Int(random >> 33) % (damaged.count - 32)] ^=
                        UInt8(truncatingIfNeeded: random >> 25) | 1
                }
                let file = folder.file("damaged.events")
                try damaged.write(to: URL(filePath: file))
                let result = try runProgram([siltExecutable, "report", file, "--json"])
                #expect(result.status == 0 || result.status == 3, "status \(result.status): \(result.errors)")
            }
        }

        @Test func anEventFileThatCannotBeWrittenDoesNotTouchTheTrace() throws {
            let program = try buildWorkload("counts", into: try Self.folder.get())
            let (result, report) = try trace([program, "1"], options: ["--events", "/dev/full"])
            #expect(result.status == 7)
            #expect(result.errors.contains("No space left on device: the raw stream ends there"))
            #expect(report.sites(named: "make_block").map(\.allocObjects).reduce(0, +) == 1_234_567)
        }
    }
}
