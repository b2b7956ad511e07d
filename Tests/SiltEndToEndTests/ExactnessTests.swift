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

        @Test func everyForkedChildIsAProcessOfItsOwn() throws {
            let program = try buildWorkload("forks", into: try Self.folder.get())
            let (result, report) = try trace([program, "25"])
            #expect(result.status == 0)
            #expect(report.processes.count == 26)
            let sites = report.sites(named: "child_work")
            #expect(sites.map(\.allocObjects).reduce(0, +) == 25_000)
            #expect(sites.map(\.inuseObjects).reduce(0, +) == 25 * 600)
            #expect(report.trust.unknownFrees == 0)
        }

        @Test func aProgramThatClosesAllDescriptorsKeepsItsFilesCleanAndIsStillTraced() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("closes_descriptors", into: folder)
            let file = folder.file("data")
            let (result, report) = try trace([program, file])
            #expect(result.status == 0)
            #expect(try runProgram(["stat", "-c", "%s", file]).output == "0\n")
            let main = report.sites(named: "main").filter { $0.allocSpace == $0.allocObjects * 77 }
            #expect(main.map(\.allocObjects).reduce(0, +) == 200_000)
            #expect(main.map(\.inuseObjects).reduce(0, +) == 100_000)
        }

        @Test func resultsAndErrnoAreThoseWithoutSilt() throws {
            let program = try buildWorkload("semantics", into: try Self.folder.get(), flags: ["-Wno-use-after-free"])
            let plain = try runProgram([program])
            let (result, report) = try trace([program])
            #expect(result.output == plain.output)
            #expect(result.status == plain.status)
            #expect(report.trust.unknownFrees == 0)
        }

        @Test func aSignalHandlerMayAllocateAtAnyTime() throws {
            let program = try buildWorkload("signals", into: try Self.folder.get())
            let (result, report) = try trace([program])
            #expect(result.output == "handled enough\n")
            let handler = report.sites(named: "on_timer")
            #expect(handler.map(\.allocObjects).reduce(0, +) >= 50)
            #expect(handler.allSatisfy { $0.allocSpace == $0.allocObjects * 55 })
            #expect(report.trust.unknownFrees == 0)
            #expect(report.trust.lost == 0)
        }
    }
}
