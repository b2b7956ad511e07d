import SiltTestSupport
import Testing

extension EndToEnd {
    /// Threads, their ends, and code that leaves a hook sideways.
    @Suite(.serialized)
    struct Threads {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

        @Test(arguments: [[:], ["SILT_FREE_STACKS": "1"]])
        func fiveThousandShortThreadsWhoseDestructorsAllocateAreCountedExactly(environment: [String: String]) throws {
            let program = try buildWorkload("threads", into: try Self.folder.get())
            let (result, report) = try trace([program, "short"], environment: environment)
            #expect(result.output == "done\n")
            let blocks = report.sites(named: "thread_block")
            #expect(blocks.map(\.allocObjects).reduce(0, +) == 15_000)
            // One is kept, one is overwritten by a destructor before its own turn came.
            #expect(blocks.map(\.inuseObjects).reduce(0, +) == 10_000)
            let late = report.sites(named: "late_block")
            #expect(late.map(\.allocObjects).reduce(0, +) == 15_000)
            #expect(late.map(\.inuseObjects).reduce(0, +) == 0)
            #expect(late.map(\.allocSpace).reduce(0, +) == late.map(\.allocObjects).reduce(0, +) * 223)
            #expect(report.trust.unknownFrees == 0)
            #expect(report.trust.lost == 0)
            #expect(report.totals.allocObjects - report.totals.freeObjects == report.totals.inuseObjects)
        }

        /// They go one after the other, and a look at the process may come in between.
        @Test func threadsThatGoWithTheirKilledProcessHaveNotEndedUnjoined() throws {
            let program = try buildWorkload("killed_threads", into: try Self.folder.get())
            let (_, report) = try trace([program], options: ["--snapshot-every", "20ms"])
            let kinds = Dictionary(grouping: report.sites.filter { $0.inuseObjects > 0 }, by: \.kind)
            #expect(kinds["thread"]?.reduce(0) { $0 + $1.inuseObjects } == 1600)
            #expect(kinds["unjoined"] == nil, "\(kinds["unjoined"] ?? [])")
        }

        /// The key that silt has until then is the last one.
        @Test(arguments: [[], ["c11"]])
        func aProgramThatTakesAllThreadKeysGetsAsManyAsWithoutSilt(arguments: [String]) throws {
            let program = try buildWorkload("keys", into: try Self.folder.get())
            let plain = try runProgram([program] + arguments)
            #expect(plain.output.hasSuffix("00 destroyed, 0 wrong, 0 seen\n"))
            let (result, report) = try trace([program] + arguments)
            #expect(result.output == plain.output)
            #expect(result.status == 0)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
            #expect(report.sites(named: "late").map(\.inuseObjects).reduce(0, +) == 0)
            #expect(report.sites(named: "late").map(\.allocObjects).reduce(0, +) > 100_000)
        }

        @Test(arguments: ["cancel", "jump"], [[:], ["SILT_FREE_STACKS": "1"]])
        func aThreadMayBeCancelledOrJumpedOutOf(way: String, environment: [String: String]) throws {
            let program = try buildWorkload("threads", into: try Self.folder.get())
            let (result, report) = try trace([program, way], environment: environment)
            #expect(result.output == "done\n")
            #expect(result.status == 0)
            #expect(report.trust.lost == 0)
            #expect(report.trust.unknownFrees == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
            if way == "jump" {
                let blocks = report.sites(named: "thread_block")
                #expect(blocks.map(\.allocObjects).reduce(0, +) == 500)
                #expect(blocks.map(\.inuseObjects).reduce(0, +) == 0)
            }
        }
    }
}
