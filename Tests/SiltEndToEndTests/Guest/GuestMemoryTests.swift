import SiltTestSupport
import Testing

extension EndToEnd {
    /// What silt takes of the memory of the program it is in.
    ///
    /// All figures in KiB.
    @Suite(.serialized)
    struct GuestMemory {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

        /// The number that the program prints last, natively and traced.
        private func figures(
            _ workload: String,
            _ arguments: [String]
        ) throws -> (native: Int, traced: Int, report: TraceReport) {
            let command = [try buildWorkload(workload, into: try Self.folder.get())] + arguments
            let native = try runProgram(command)
            let (result, report) = try trace(command)
            #expect(native.status == 0)
            #expect(result.status == 0, "\(result.errors)")
            func last(_ text: String) throws -> Int {
                try #require(text.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }, "\(text)")
            }
            return (try last(native.output), try last(result.output), report)
        }

        @Test(arguments: ["joined", "detached", "canceled", "exits"])
        func shortThreadsLeaveNoMemoryBehind(way: String) throws {
            let (native, traced, report) = try figures("short_threads", [way, "40000", "8"])
            #expect(traced <= native + 5 * 1024, "native \(native), traced \(traced)")
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
            #expect(report.totals.allocObjects >= 40_000 * 20)
        }

        @Test func manyThreadsAtOnceLoseNothingAndTheirMemoryComesBack() throws {
            let (native, traced, report) = try figures("short_threads", ["kept", "6000", "6000"])
            #expect(traced <= native + 24 * 1024, "native \(native), traced \(traced)")
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
            #expect(report.totals.allocObjects >= 6000 * 20)
        }

        /// The kernel allows a program so many mappings (vm.max_map_count); a thread's stack is two.
        @Test func manyThreadsAtOnceTakeFewMappings() throws {
            let (native, traced, report) = try figures("short_threads", ["counted", "2000", "2000"])
            #expect(native >= 2 * 2000, "native \(native)")
            // Whether neighbours become one is the kernel's choice; singly it would be two a thread.
            #expect(traced <= native + 2000 / 2, "native \(native), traced \(traced)")
            #expect(report.trust.lost == 0)
        }

        @Test(arguments: ["size", "locked"])
        func aProgramWithOneThreadPaysAtMostThreeMebibytes(way: String) throws {
            let (native, traced, _) = try figures("own_memory", [way])
            #expect(traced <= native + 3 * 1024, "native \(native), traced \(traced)")
        }

        @Test(arguments: ["20", "250"])
        func aThreadPaysAtMostHalfAMebibyte(frames: String) throws {
            let (native, traced, report) = try figures("own_memory", ["frames", frames])
            #expect(traced <= native + 512, "native \(native), traced \(traced)")
            #expect(report.trust.stacksCompletePercent == 100)
        }

        @Test func generationsOfForkDoNotAddUp() throws {
            let (native, traced, report) = try figures("own_memory", ["generations", "200"])
            #expect(traced <= native + 3 * 1024, "native \(native), traced \(traced)")
            #expect(report.processes.count == 201)
        }

        @Test func reloadsOfAPluginDoNotAddUp() throws {
            let folder = try Self.folder.get()
            let program = try buildWorkload("reload", into: folder)
            let library = try buildWorkload("reloaded", into: folder, flags: ["-shared", "-fPIC", "-DVARIANT=1"])
            let resident = try ["500", "8000"].map { rounds in
                let (result, report) = try trace([program, rounds, library])
                #expect(report.trust.lost == 0)
                let text = try #require(result.errors.firstMatch(of: /resident (\d+)/)).1
                return try #require(Int(text))
            }
            #expect(resident[1] <= resident[0] + 512, "\(resident)")
        }

        @Test func stacksWithoutEndTakeAPartOfWhatTheProgramMayHave() throws {
            let (native, traced, report) = try figures("own_memory", ["wander", "16000"])
            #expect(traced <= native + 14 * 1024, "native \(native), traced \(traced)")
            #expect(report.trust.lost == 0)
            #expect(report.trust.stacksCompletePercent == 100)
            #expect(report.sites(named: "wander_on").map(\.allocObjects).reduce(0, +) == 16_000)
        }

        @Test func aProgramMayLimitItsOwnAddressSpace() throws {
            let program = try buildWorkload("own_memory", into: try Self.folder.get())
            let (result, report) = try trace([program, "limited"])
            #expect(result.output == "got it\n")
            #expect(result.status == 0)
            #expect(report.trust.lost == 0)
        }

        @Test func childrenThatASignalHandlerForksGoOn() throws {
            let program = try buildWorkload("own_memory", into: try Self.folder.get())
            let (result, report) = try trace([program, "handler", "40"])
            #expect(result.output.hasSuffix("0 bad\n"), "\(result.output)")
            #expect(result.status == 0)
            #expect(report.trust.lost == 0)
        }
    }
}
