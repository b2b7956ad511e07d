import SiltTestSupport
import Testing

extension EndToEnd {
    /// How processes begin and end.
    @Suite(.serialized)
    struct Processes {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

        private func blocks(_ report: TraceReport) -> [Int] {
            let sites = report.sites(named: "child_block")
            return [sites.map(\.allocObjects).reduce(0, +), sites.map(\.inuseObjects).reduce(0, +)]
        }

        /// While other threads of the parent allocate, so that a lock that one of them held would stay locked.
        @Test(arguments: ["fork", "_Fork", "vfork", "spawn", "clone", "syscall"])
        func aChildIsTracedHoweverItIsMade(way: String) throws {
            let program = try buildWorkload("processes", into: try Self.folder.get())
            let (result, report) = try trace([program, way, "30"])
            #expect(result.output == "0 failed\n")
            #expect(result.status == 0)
            #expect(report.processes.count == 31)
            #expect(blocks(report) == [30 * 500, 30 * 300])
            #expect(report.trust.unknownFrees == 0)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        /// A child that shares the descriptors of its parent could not have its own.
        @Test func aChildThatSharesWithItsParentIsTracedOrNamed() throws {
            let program = try buildWorkload("clones", into: try Self.folder.get())
            let (result, report) = try trace([program])
            #expect(result.output == "done\n")
            #expect(result.status == 0)
            #expect(report.processes.count == 5)
            #expect(report.sites(named: "clone_block").map(\.allocObjects).reduce(0, +) == 7 * 100)
            let named = report.untraced.filter { $0.program == program }
            #expect(named.map(\.reason) == ["made by clone(2) with CLONE_FILES"])
            #expect(named.map(\.processes) == [2])
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        /// Its first act makes a thread whose stack the C library still has, so nothing is allocated before.
        @Test func aForkChildWhoseFirstActIsAThreadIsTraced() throws {
            let (result, report) = try trace([try buildWorkload("forks_threads", into: try Self.folder.get())])
            #expect(result.output == "300\n")
            #expect(report.processes.count == 2)
            #expect(report.sites(named: "thread_block").map(\.allocObjects).reduce(0, +) == 2 * 1000)
            #expect(report.untraced.isEmpty)
        }

        /// As after `rm -rf /tmp/*`, or in a /tmp of its own.
        @Test func whatDoesNotSeeTheSocketsFolderIsTraced() throws {
            let program = try buildWorkload("forks_threads", into: try Self.folder.get())
            let (result, report) = try trace(["sh", "-c", "rm -rf \"${SILT_SOCKET%/*}\"; exec \(program)"])
            #expect(result.output == "300\n")
            #expect(report.sites(named: "thread_block").map(\.allocObjects).reduce(0, +) == 2 * 1000)
            #expect(report.untraced.isEmpty)
        }

        @Test(arguments: ["bare-vfork", "bare-spawn"])
        func aChildWithAnEmptyEnvironmentRunsUntraced(way: String) throws {
            let program = try buildWorkload("processes", into: try Self.folder.get())
            let (result, report) = try trace([program, way, "5"])
            #expect(result.output == "0 failed\n")
            #expect(result.errors.contains("preload") == false)
            #expect(report.processes.count == 1)
        }

        @Test func aProcessThatExecutesItselfIsOneImageAfterTheOther() throws {
            let program = try buildWorkload("processes", into: try Self.folder.get())
            let (result, report) = try trace([program, "chain", "8"])
            #expect(result.status == 3)
            #expect(report.processes.count == 8)
            #expect(Set(report.processes.map(\.pid)).count == 1)
            // What an image held is gone with it when another takes its place.
            #expect(blocks(report) == [8 * 500, 300])
        }

        @Test(arguments: [("_exit", 3), ("quick_exit", 3), ("abort", 134), ("segv", 139), ("kill", 137), ("thread", 3)])
        func nothingIsLostHoweverAProcessEnds(way: String, status: Int) throws {
            let program = try buildWorkload("processes", into: try Self.folder.get())
            let (result, report) = try trace([program, "end", way])
            #expect(result.status == Int32(status))
            #expect(report.target.exitStatus == status)
            let times = way == "thread" ? 2 : 1
            #expect(blocks(report) == [times * 500, times * 300])
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        /// The analyzer is killed, or stopped for a second and then killed, while the program fills its rings.
        @Test(arguments: ["kill -KILL $silt", "kill -STOP $silt; sleep 1; kill -KILL $silt"])
        func aProgramGoesOnWhenTheAnalyzerDies(how: String) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("confined", into: folder)
            let library = folder.file("libsilt.so")
            let socket = folder.file("s")
            _ = try runProgram([siltExecutable, "shim", library])
            let script = """
                \(siltExecutable) listen --out \(folder.file("r.silt")) \(socket) & silt=$!
                while ! [ -S \(socket) ]; do sleep 0.05; done
                LD_PRELOAD=\(library) SILT_SOCKET=\(socket) \(program) endless & pid=$!
                sleep 1; \(how); wait $pid; echo "status $?"
                """
            let result = try runProgram(["sh", "-c", script], seconds: 60)
            #expect(result.output == "done\nstatus 0\n")
        }

        @Test func anAnalyzerThatStandsStillHoldsAProgramForFiveSecondsAndTheReportSaysSo() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("confined", into: folder)
            let library = folder.file("libsilt.so")
            let (socket, recording) = (folder.file("s"), folder.file("r.silt"))
            _ = try runProgram([siltExecutable, "shim", library])
            let script = """
                \(siltExecutable) listen --once --out \(recording) \(socket) & silt=$!
                while ! [ -S \(socket) ]; do sleep 0.05; done
                LD_PRELOAD=\(library) SILT_SOCKET=\(socket) \(program) endless & pid=$!
                sleep 1; kill -STOP $silt; wait $pid; echo "status $?"; kill -CONT $silt; wait $silt
                """
            let result = try runProgram(["sh", "-c", script], seconds: 60)
            #expect(result.output.contains("done\nstatus 0\n"))
            let text = try runProgram([siltExecutable, "report", recording]).output
            #expect(text.hasPrefix("INCONCLUSIVE: recording stopped at "))
            #expect(text.contains(" s: the analyzer stood still for 5 s\n"))
            let report = try SiltTestSupport.report(of: recording)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        /// As before Linux 5.16: the news are looked at, not slept on.
        @Test func aKernelWithoutTheCallThatWaitsForManyWordsIsEnough() throws {
            let folder = try ScratchFolder()
            let without = try buildWorkload("without", into: folder)
            let program = try buildWorkload("processes", into: folder)
            let recording = folder.file("r.silt")
            let result = try runProgram(
                [without, "449", siltExecutable, "run", "--out", recording, "--", program, "fork", "30"]
            )
            #expect(result.output == "0 failed\n")
            let report = try SiltTestSupport.report(of: recording)
            #expect(report.processes.count == 31)
            #expect(blocks(report) == [30 * 500, 30 * 300])
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }
    }
}
