import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    @Suite(.serialized)
    struct Exactness {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

        @Test(arguments: [1, 8])
        func everyAllocationIsCountedWhateverThreadFreesIt(threads: Int) throws {
            let program = try buildWorkload("counts", into: try Self.folder.get())
            let (result, report) = try trace([program, "\(threads)"])
            #expect(result.status == 7)
            let sites = report.sites(named: "make_block")
            #expect(sites.map(\.allocObjects).reduce(0, +) == 1_234_567)
            #expect(sites.map(\.inuseObjects).reduce(0, +) == 345_678)
            #expect(sites.map(\.inuseSpace).reduce(0, +) == 345_678 * 40)
            #expect(report.trust.lost == 0)
            #expect(report.trust.unknownFrees == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        @Test(arguments: [1, 8])
        func aProgramThatKillsItselfIsAccountedToItsLastEvent(threads: Int) throws {
            let program = try buildWorkload("counts", into: try Self.folder.get())
            let (result, report) = try trace([program, "\(threads)", "kill"])
            #expect(result.status == 137)
            let sites = report.sites(named: "make_block")
            #expect(sites.map(\.allocObjects).reduce(0, +) == 1_234_567)
            #expect(sites.map(\.inuseObjects).reduce(0, +) == 345_678)
        }

        /// A thread's last record may be an allocation at the address at which it now frees another thread's block.
        @Test func aBlockThatTakesTheAddressOfAThreadsLastOneIsItsMakers() throws {
            let program = try buildWorkload("handoff", into: try Self.folder.get())
            let (result, report) = try trace([program, "3000"])
            #expect(result.status == 0)
            #expect((Int(result.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 1000)
            for function in ["make_first", "make_again"] {
                let sites = report.sites(named: function)
                #expect(sites.map(\.allocObjects).reduce(0, +) == 3000)
                #expect(sites.map(\.inuseObjects).reduce(0, +) == 0)
            }
            #expect(report.trust.unknownFrees == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        @Test func everyForkedChildIsAProcessOfItsOwn() throws {
            let program = try buildWorkload("forks", into: try Self.folder.get())
            let (result, report) = try trace([program, "60"])
            #expect(result.status == 0)
            #expect(report.processes.count == 61)
            let sites = report.sites(named: "child_work")
            #expect(sites.map(\.allocObjects).reduce(0, +) == 60_000)
            #expect(sites.map(\.inuseObjects).reduce(0, +) == 60 * 600)
            #expect(report.trust.unknownFrees == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
            #expect(report.trust.eventsSent >= 60 * 1_401)
        }

        /// With 1,200 files and a limit of 500 the program leaves no descriptor for a new pipe.
        @Test(arguments: [4096, 500])
        func aProgramThatClosesAllDescriptorsKeepsItsFilesCleanAndIsStillTraced(limit: Int) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("closes_descriptors", into: folder)
            let file = folder.file("data")
            let (result, report) = try trace(["/bin/sh", "-c", "ulimit -n \(limit); exec \(program) \(file)"])
            #expect(result.status == 0)
            #expect(try runProgram(["stat", "-c", "%s", file]).output == "0\n")
            let blocks = report.sites(named: "daemon_block")
            #expect(blocks.map(\.allocObjects).reduce(0, +) == 200_000)
            #expect(blocks.map(\.inuseObjects).reduce(0, +) == 100_000)
            #expect(blocks.map(\.inuseSpace).reduce(0, +) == 7_700_000)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        @Test(arguments: [[:], ["SILT_FREE_STACKS": "1"]])
        func resultsAndErrnoAreThoseWithoutSilt(environment: [String: String]) throws {
            let program = try buildWorkload("semantics", into: try Self.folder.get(), flags: ["-Wno-use-after-free"])
            let plain = try runProgram([program])
            let (result, report) = try trace([program], environment: environment)
            #expect(result.output == plain.output)
            #expect(result.status == plain.status)
            #expect(report.trust.unknownFrees == 0)
        }

        @Test(arguments: [[:], ["SILT_FREE_STACKS": "1"]])
        func aSignalHandlerMayAllocateAtAnyTime(environment: [String: String]) throws {
            let program = try buildWorkload("signals", into: try Self.folder.get())
            let (result, report) = try trace([program], environment: environment)
            #expect(result.output == "handled enough\n")
            let handler = report.sites(named: "on_timer")
            #expect(handler.map(\.allocObjects).reduce(0, +) >= 50)
            #expect(handler.allSatisfy { $0.allocSpace == $0.allocObjects * 55 })
            #expect(report.trust.unknownFrees == 0)
            #expect(report.trust.lost == 0)
        }
    }
}
