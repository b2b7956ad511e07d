import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Programs that close, replace and reuse descriptor numbers, silt's among them.
    @Suite(.serialized)
    struct Descriptors {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

        /// 1,500 rounds, while two threads fill their rings: by bare system calls, by the C library, by syscall(3).
        @Test(arguments: ["raw", "libc", "syscall"])
        func nothingArrivesInWhatAProgramPutsInThePlaceOfOurDescriptors(way: String) throws {
            let folder = try Self.folder.get()
            let program = try buildWorkload("descriptors", into: folder)
            let (result, report) = try trace([program, way, folder.path])
            #expect(result.output == "0 foreign bytes, 0 lost\n")
            #expect(result.status == 0)
            #expect(report.sites(named: "descriptor_block").map(\.allocObjects).reduce(0, +) > 10_000)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        @Test(arguments: ["daemon", "spawning-daemon"])
        func aDaemonThatClosesAllAndChangesRootAndUserBeforeItAllocatesIsTraced(way: String) throws {
            let folder = try Self.folder.get()
            let program = try buildWorkload("descriptors", into: folder)
            let (result, report) = try trace([program, way, folder.path])
            #expect(result.status == 0)
            #expect(report.processes.count == 2)
            #expect(report.sites(named: "descriptor_block").map(\.allocObjects).reduce(0, +) == 1000)
        }

        /// Only then is the analyzer out of its reach.
        @Test(.enabled(if: geteuid() == 0, "needs root"))
        func aDaemonThatClosesByBareSystemCallsIsNamed() throws {
            let folder = try Self.folder.get()
            let program = try buildWorkload("descriptors", into: folder)
            let (result, report) = try trace([program, "bare-daemon", folder.path])
            #expect(result.status == 0)
            #expect(report.processes.count == 1)
            #expect(result.errors.contains("a fork child of process "))
            #expect(result.errors.contains(" is not traced: the analyzer could not be reached"))
        }

        @Test(arguments: ["until-none", "until-none-by-range"])
        func aLoopThatClosesWhatIsListedUntilNothingIsEndsAndTheTraceGoesOn(way: String) throws {
            let program = try buildWorkload("descriptors", into: try Self.folder.get())
            let plain = try runProgram([program, way])
            #expect(plain.output == "none, 3, first 3\n")
            let (result, report) = try trace([program, way])
            #expect(result.output == plain.output)
            #expect(result.status == 0)
            #expect(report.processes.count == 2)
            #expect(report.sites(named: "descriptor_block").map(\.allocObjects).reduce(0, +) == 200_001)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        @Test func callsAnswerAsIfOurDescriptorsWereNotThere() throws {
            let program = try buildWorkload("descriptors", into: try Self.folder.get())
            let plain = try runProgram([program, "answers"])
            #expect(plain.output.contains(" 0, put 1097 1097, ranges -1 22 -1 22 0 0 0 0, errno 5, -1 22, 3 0\n"))
            let (result, _) = try trace([program, "answers"])
            #expect(result.output == plain.output)
            #expect(result.status == 0)
        }
    }
}
