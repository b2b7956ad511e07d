import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Descriptors that are opened and never closed: exact at the line, and judged as blocks are.
    @Suite(.serialized)
    struct DescriptorVerdicts {
        static let program: Result<(folder: ScratchFolder, path: String), any Error> = Result {
            let folder = try ScratchFolder()
            return (folder, try buildWorkload("keeps_open", into: folder, flags: ["-pthread"]))
        }

        /// Tests/Workloads/opens.c says how many it has got in each way, and how many of those it still has.
        @Test func eachWayToGetADescriptorIsCountedAtItsLineAndSoIsEachWayToLoseOne() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("opens", into: folder, flags: ["-pthread"])
            let native = try runProgram([program, folder.path])
            let (result, report) = try trace([program, folder.path])
            #expect(result.status == 0 && result.output == native.output, "\(result.errors)")
            let lines = result.output.split(separator: "\n").map { $0.split(separator: " ") }
            try #require(lines.count > 50)
            for line in lines {
                let sites = report.sites.filter { $0.kind == "descriptor" && $0.blame.function == line[0] }
                let counted = (sites.map(\.allocObjects).reduce(0, +), sites.map(\.inuseObjects).reduce(0, +))
                #expect("\(counted.0) \(counted.1)" == "\(line[1]) \(line[2])", "\(line[0])")
            }
            #expect(report.trust.lost == 0 && report.trust.eventsSent == report.trust.eventsReceived)
        }

        /// By the kernel's word, at each snapshot; also where the recording is made again from the raw stream.
        @Test func whatNoHookSeesIsFoundByALookAtWhatIsOpen() throws {
            let (folder, program) = try Self.program.get()
            let events = folder.file("unseen.events")
            let recording = folder.file("unseen.silt")
            let result = try runProgram(
                [siltExecutable, "run", "--snapshot-every", "50ms", "--events", events, "--out", recording, "--"]
                    + [program, "unseen"]
            )
            #expect(result.status == 0, "\(result.errors)")
            for input in [recording, events] {
                let text = try runProgram([siltExecutable, "report", input]).output
                    .split(whereSeparator: \.isWhitespace).joined(separator: " ")
                #expect(text.contains(" 3 descriptors whose opening was not seen"), "\(text)")
                #expect(text.contains(" 5 descriptors in use at exit"), "\(text)")
            }
        }

        /// Also where the recording is made again from the raw stream.
        @Test func ofEachLeakItIsSaidWhatIsKeptAndForHowLong() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("kept_kinds", into: folder)
            let events = folder.file("kinds.events")
            let recording = folder.file("kinds.silt")
            let result = try runProgram(
                [siltExecutable, "run", "--snapshot-every", "100ms", "--events", events, "--out", recording, "--"]
                    + [program, folder.path, "3"]
            )
            #expect(result.status == 0, "\(result.errors)")
            let port = result.output.trimmingCharacters(in: .whitespacesAndNewlines)
            let kinds = [
                ("dial", "socket", /tcp 127\.0\.0\.1:\d+ – 127\.0\.0\.1:(\d+), close-wait/),
                ("bind_name", "socket", /unix .*\/s(\d+)/), ("open_file", "file", /.*\/orders\.(log)/),
                ("make_pipe", "pipe", /()/), ("make_event", "eventfd", /()/),
                ("make_memory", "memory file", /(frames)/),
            ]
            for input in [recording, events] {
                let report = try report(of: input)
                for (function, kind, text) in kinds {
                    let site = try #require(report.sites.first { $0.isGrowing && $0.blame.function == function })
                    let example = try #require(site.example, "\(function)")
                    let match = try #require(try text.wholeMatch(in: example.text), "\(function): \(example)")
                    #expect(example.kind == kind && (function != "dial" || match.1 == port), "\(example)")
                    #expect((0.3...30).contains(example.ageSeconds), "\(example)")
                }
            }
            let text = try runProgram([siltExecutable, "report", recording]).output
                .split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(text.contains(" old: file \(folder.path)/orders.log "), "\(text)")
            #expect(text.contains(":\(port), close-wait "), "\(text)")
        }

        private func expectOneLeak(_ report: TraceReport, _ rate: Double, _ unit: String) throws {
            let growing = report.sites.filter(\.isGrowing)
            #expect(growing.map(\.blame.function) == ["open_order"], "\(growing.map(\.evidence))")
            let site = try #require(growing.first)
            #expect(site.kind == "descriptor" && site.confidence != "low")
            #expect(site.blame.file?.hasSuffix("keeps_open.c") == true)
            let found = try #require(site.rate)
            #expect(found.unit == unit)
            #expect(abs(found.value - rate) <= 0.1 * rate, "\(found.value) against \(rate)")
        }

        @Test(arguments: ["alone", "forked", "threads"])
        func aHuntFindsTheOneThatARequestForgets(way: String) throws {
            let (folder, program) = try Self.program.get()
            let socket = folder.file("s")
            let load = { (letter: String) in "'\(program)' load '\(socket)' \(letter) 100" }
            let outcome = try Hunts.hunt(
                [("order", load("k")), ("user", load("f"))],
                options: ["--idle", "1s", "--max-rounds", "7", "--ready", "unix:\(socket)"],
                service: [program, "serve", socket, way]
            )
            #expect(outcome.status == 1, "\(outcome.errors)")
            #expect(outcome.growing.map(\.phase) == ["order"])
            try expectOneLeak(outcome.report, 1, "objects/request")
        }

        @Test func aServiceThatNeverCallsMallocIsHuntedOnceItHasBeenQuiet() throws {
            let (folder, program) = try Self.program.get()
            let socket = folder.file("silent")
            let outcome = try Hunts.hunt(
                [("order", "'\(program)' load '\(socket)' k 100")],
                options: ["--idle", "1s", "--max-rounds", "7"],
                service: [program, "serve", socket, "alone"]
            )
            #expect(outcome.status == 1, "\(outcome.errors)")
            try expectOneLeak(outcome.report, 1, "objects/request")
        }

        /// Also while the analyzer is kept from looking for some of the time, as on a busy machine, and where the program
        /// has to wait for it then.
        @Test(arguments: ["alone", "forked", "threads", "late", "held"])
        func aFreeRunFindsItAtItsRate(way: String) throws {
            let (_, program) = try Self.program.get()
            let (result, report) = try trace([program, "run", way, "4"], options: ["--snapshot-every", "100ms"])
            #expect(result.status == 0, "\(result.errors)")
            let rate = try #require(Double(result.output.trimmingCharacters(in: .whitespacesAndNewlines)))
            try expectOneLeak(report, rate, "objects/second")
        }

        /// Opening fails from then on, so that no more are kept: that is no end of the leak.
        @Test func oneThatHasUsedUpItsLimitIsNotAcquittedAndTheLimitIsNamed() throws {
            let (_, program) = try Self.program.get()
            func run(limit: Int, seconds: Int) throws -> (text: String, rate: Double, report: TraceReport) {
                let folder = try ScratchFolder()
                let recording = folder.file("limited.silt")
                let script = "ulimit -n \(limit); exec '\(program)' run limited \(seconds)"
                let result = try runProgram(
                    [siltExecutable, "run", "--snapshot-every", "100ms", "--out", recording, "--", "sh", "-c", script]
                )
                #expect(result.status == 0, "\(result.errors)")
                let rate = try #require(Double(result.output.trimmingCharacters(in: .whitespacesAndNewlines)))
                let text = try runProgram([siltExecutable, "report", recording]).output
                    .split(whereSeparator: \.isWhitespace).joined(separator: " ")
                return (text, rate, try report(of: recording))
            }
            let full = try run(limit: 1000, seconds: 8)
            try expectOneLeak(full.report, full.rate, "objects/second")
            #expect(full.text.contains(" per second; limit of 1,000 open files reached 1 +"), "\(full.text)")
            // Too soon to be charged with certainty.
            let early = try run(limit: 64, seconds: 3)
            #expect(!early.text.hasPrefix("NOT GROWING"), "\(early.text)")
            #expect(early.text.contains("; limit of 64 open files reached "), "\(early.text)")
            let growing = try run(limit: 4000, seconds: 4)
            #expect(growing.text.contains(/; limit of 4,000 open files reached in about [12]\d s/), "\(growing.text)")
        }

        /// Functions of the C library's headers are inlined where programs are built with checks of buffers.
        @Test func aProgramThatIsBuiltWithChecksOfBuffersIsBlamedAtItsOwnLine() throws {
            let folder = try ScratchFolder()
            let flags = ["-pthread", "-O2", "-D_FORTIFY_SOURCE=2"]
            let program = try buildWorkload("keeps_open", into: folder, flags: flags)
            let (result, report) = try trace([program, "run", "alone", "4"], options: ["--snapshot-every", "100ms"])
            let rate = try #require(Double(result.output.trimmingCharacters(in: .whitespacesAndNewlines)))
            try expectOneLeak(report, rate, "objects/second")
        }

        /// Tests/Workloads/ring_files.c; its status is 77 where the kernel has no io_uring for it.
        @Test func whatIoUringOpensIsFoundAtItsRateAndWhatItClosesIsNotLive() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("ring_files", into: folder)
            guard try runProgram([program, "0"]).status != 77 else {
                print("no io_uring here: what it opens and closes is not tested")
                return
            }
            let recording = folder.file("ring.silt")
            let result = try runProgram(
                [siltExecutable, "run", "--snapshot-every", "100ms", "--out", recording, "--", program, "4"]
            )
            #expect(result.status == 0, "\(result.errors)")
            let report = try report(of: recording)
            let words = result.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            try #require(words.count == 2, "\(result.output)")
            let growing = report.sites.filter(\.isGrowing)
            #expect(growing.count == 1, "\(growing.map(\.blame))")
            let found = try #require(growing.first?.rate)
            #expect(growing.first?.kind == "descriptor" && growing.first?.blame.function != "make_socket")
            #expect(abs(found.value - words[1]) <= 0.15 * words[1], "\(found.value) against \(words[1])")
            let sockets = report.sites.filter { $0.blame.function == "make_socket" }
            #expect(sockets.map(\.inuseObjects).reduce(0, +) <= 1 && sockets.map(\.allocObjects).reduce(0, +) > 100)
            let text = try runProgram([siltExecutable, "report", recording]).output
                .split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(text.contains(" descriptors whose opening was not seen"), "\(text)")
            #expect(!text.contains("free was not seen"), "\(text)")
        }
    }
}
