import SiltTestSupport
import Testing

extension EndToEnd {
    /// Programs that forbid themselves system calls (seccomp(2)), on pain of death.
    @Suite(.serialized)
    struct Sandboxes {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

        private func blocks(_ report: TraceReport) -> Int {
            report.sites(named: "sandboxed_block").map(\.allocObjects).reduce(0, +)
        }

        @Test(arguments: [
            ("strict-prctl", "strict done\n"), ("strict-seccomp", "strict done\n"), ("closed", "closed done\n"),
        ])
        func recordingStopsBeforeASandboxThatLeavesNoCallAndTheReportSaysSo(way: String, output: String) throws {
            let program = try buildWorkload("sandboxes", into: try Self.folder.get())
            let (result, report) = try trace([program, way])
            #expect(result.output == output)
            #expect(result.status == 0)
            #expect(result.errors.contains("recording stopped at "))
            #expect(result.errors.contains(" s: the program entered a sandbox without futex (seccomp)"))
            #expect(blocks(report) == 30_000)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        /// Two threads; with and without more memory to be had.
        @Test(arguments: ["filter-prctl", "filter-seccomp"])
        func aProgramUnderAFilterOfItsOwnIsTracedToTheEnd(way: String) throws {
            let program = try buildWorkload("sandboxes", into: try Self.folder.get())
            let (result, report) = try trace([program, way])
            #expect(result.output == "filter done\n")
            #expect(result.status == 0)
            #expect(blocks(report) == 4 * 30_000)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        @Test func forkChildrenUnderAFilterRunUntracedAndAreNamed() throws {
            let program = try buildWorkload("sandboxes", into: try Self.folder.get())
            let (result, report) = try trace([program, "fork"])
            #expect(result.output == "fork done\n")
            #expect(result.status == 0)
            #expect(blocks(report) == 30_000)
            #expect(result.errors.contains("3 fork children of process "))
            #expect(result.errors.contains("are not traced: it has put itself under a seccomp filter"))
            let named = report.untraced.filter { $0.program == program }
            #expect(named.map(\.reason) == ["forked under a seccomp filter"])
            #expect(named.map(\.processes) == [3])
        }

        /// A new image would be killed by what silt does in it.
        @Test func programsThatAreStartedUnderAFilterThatForbidsTheirTracingRunAsWithoutSilt() throws {
            let program = try buildWorkload("sandboxes", into: try Self.folder.get())
            let native = try runProgram([program, "starts"])
            #expect(native.output.hasSuffix("itself\n"), "\(native.output)\(native.errors)")
            #expect(native.output.contains("executed\n0\n"), "\(native.output)")
            let (result, _) = try trace([program, "starts"])
            #expect(result.output == native.output)
            #expect(result.status == native.status)
        }

        @Test func noSystemCallIsMadeByAProgramThatLetsOnlyTheCLibraryMakeThem() throws {
            let program = try buildWorkload("sandboxes", into: try Self.folder.get())
            let native = try runProgram([program, "dispatch"])
            try #require(native.output == "by a shell\nmaps 1, status 0, signals 0\n", "\(native.output)")
            let (result, _) = try trace([program, "dispatch"])
            #expect(result.output == native.output)
            #expect(result.status == 0)
            #expect(result.errors.contains("recording stopped at "))
        }

        @Test func aFilterThatTheKernelRefusesChangesNothing() throws {
            let program = try buildWorkload("sandboxes", into: try Self.folder.get())
            let (result, report) = try trace([program, "refused"])
            #expect(result.output == "refused 2\n")
            #expect(report.processes.count == 2)
            #expect(blocks(report) == 2 * 30_000)
        }
    }
}
