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

        /// An event file of a program with children, its bytes, and what is reported of it as it is.
        private static let forks: Result<(bytes: Data, report: String), any Error> = Result {
            let folder = try ScratchFolder()
            let program = try buildWorkload("forks", into: try Self.folder.get())
            let events = folder.file("run.events")
            _ = try runProgram([siltExecutable, "run", "--events", events, "--", program, "3"])
            let whole = try runProgram([siltExecutable, "report", events, "--json"])
            #expect(whole.status == 0 && whole.errors == "")
            return (try Data(contentsOf: URL(filePath: events)), whole.output)
        }

        private func report(_ bytes: Data, in folder: ScratchFolder) throws -> ProgramResult {
            let file = folder.file("changed.events")
            try bytes.write(to: URL(filePath: file))
            return try runProgram([siltExecutable, "report", file, "--json"], seconds: 60)
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
            let report = try SiltTestSupport.report(of: cut)
            let made = report.sites(named: "make_block").map(\.allocObjects).reduce(0, +)
            #expect(made > 300_000 && made < 1_234_567)
            #expect(report.trust.unknownFrees == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived, "temporary blocks count once")
        }

        @Test func aFileCutAnywhereSaysSoOnce() throws {
            let folder = try ScratchFolder()
            let bytes = try Self.forks.get().bytes
            var generator = SeededGenerator(seed: .random(in: 0 ... .max))
            print("seed \(generator.seed)")
            for round in 0..<20 {
                let cut =
                    round < 6 ? [1, 2, 47, 48, 49, 72][round] : Int.random(in: 1..<bytes.count - 48, using: &generator)
                let result = try report(bytes.dropLast(cut), in: folder)
                #expect(result.status == 0, "\(cut): \(result.errors)")
                let notes = result.errors.split(separator: "\n").filter { $0.contains(" ends ") }
                #expect(notes.count == 1, "\(cut): \(result.errors)")
            }
        }

        @Test func damagedEventFilesAreNeverReadInSilenceWithAnotherAnswer() throws {
            let folder = try ScratchFolder()
            let (bytes, whole) = try Self.forks.get()
            var generator = SeededGenerator(seed: .random(in: 0 ... .max))
            print("seed \(generator.seed)")
            for round in 0..<45 {
                var damaged = bytes
                let place = 48 + Int(generator.next() >> 33) % (damaged.count - 48)
                let length = 1 + Int(generator.next() >> 33) % 300
                let end = min(damaged.count, place + length)
                switch round % 5 {
                case 0: damaged[place] ^= UInt8(truncatingIfNeeded: generator.next() >> 25) | 1
                case 1: damaged.removeSubrange(place..<end)
                case 2: damaged.insert(contentsOf: (0..<length).map { UInt8(truncatingIfNeeded: $0) }, at: place)
                case 3: damaged.insert(contentsOf: damaged[place..<end], at: place)
                default: for index in place..<end { damaged[index] = 0 }
                }
                if damaged == bytes { continue }
                let result = try report(damaged, in: folder)
                #expect(result.status == 0 || result.status == 3, "status \(result.status): \(result.errors)")
                #expect(result.output == whole || !result.errors.isEmpty, "\(round), byte \(place), \(length)")
                if result.status == 0 { #expect(!result.errors.isEmpty, "\(round), byte \(place), \(length)") }
            }
        }

        @Test func whatIsInsertedBetweenChunksIsSkippedAndNothingIsLost() throws {
            let folder = try ScratchFolder()
            let (bytes, whole) = try Self.forks.get()
            var padded = bytes
            // Right behind the first chunk.
            padded.insert(contentsOf: Array("no chunk at all".utf8), at: 48)
            let result = try report(padded, in: folder)
            #expect(result.status == 0 && result.output == whole)
            #expect(result.errors.contains("has a damaged part: 15 bytes are skipped, 0 chunks are missing"))
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
