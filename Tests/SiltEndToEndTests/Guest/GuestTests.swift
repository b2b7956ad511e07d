import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// What a program may do to silt, which must not harm the program (Tests/Workloads/guests.c).
    @Suite(.serialized)
    struct Guests {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

        private func blocks(_ report: TraceReport) -> Int {
            report.sites(named: "guest_block").map(\.allocObjects).reduce(0, +)
        }

        /// The thread goes on when the child is gone whose thread id is that of its first event.
        @Test func threadsWhoseVforkChildAllocatedFirstKeepTheirSlots() throws {
            let program = try buildWorkload("guests", into: try Self.folder.get())
            let (result, report) = try trace([program, "vforks"])
            #expect(result.output == "done\n")
            #expect(result.status == 0)
            #expect(blocks(report) == 1_600_008)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        /// What silt keeps of a thread belongs to the one that the kernel knew by its pointer first.
        @Test(arguments: ["process", "thread"])
        func whoHasTheThreadPointerOfAnotherIsNamedAndNotRecorded(way: String) throws {
            let program = try buildWorkload("lent", into: try Self.folder.get())
            let (result, report) = try trace([program, way])
            #expect(result.output == "done\n")
            #expect(result.status == 0)
            #expect(report.sites(named: "lent_block").map(\.allocObjects).reduce(0, +) == 20_000)
            #expect(report.trust.lost >= 40_000)
            #expect(result.errors.contains(" in a thread of control that clone(2) gave the thread pointer of another"))
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        /// The vfork child cannot make an image of what is its parent's.
        @Test func aForkChildIsTracedThoughItsVforkChildAllocatesFirst() throws {
            let program = try buildWorkload("lent", into: try Self.folder.get())
            let (result, report) = try trace([program, "daemon"])
            #expect(result.output == "done\n")
            #expect(result.status == 0)
            #expect(report.processes.count == 2)
            #expect(report.sites(named: "lent_block").map(\.allocObjects).reduce(0, +) == 20_001)
            #expect(report.trust.lost == 0)
        }

        /// Their hellos fill the connection that they share.
        @Test func forkChildrenOfAStoppedAnalyzerGoOn() throws {
            let program = try buildWorkload("guests", into: try Self.folder.get())
            let (result, report) = try trace([program, "stopped"])
            #expect(result.output == "done\n")
            #expect(result.status == 0)
            #expect(report.processes.count > 100)
            #expect(result.errors.contains(" fork children of process "), "\(result.errors)")
        }

        /// Each would find a place in the connection after a while, when the analyzer has read some.
        @Test func manyForkChildrenInARowDoNotWaitLongForASlowAnalyzer() throws {
            let program = try buildWorkload("guests", into: try Self.folder.get())
            let (result, report) = try trace([program, "slowed"])
            #expect(result.output == "in time\ndone\n")
            #expect(result.status == 0)
            let named = report.untraced.filter { $0.program == program }
            #expect(named.map(\.reason) == ["forked, the analyzer out of reach"])
            #expect(report.processes.count + named.map(\.processes).reduce(0, +) == 1 + 1500)
        }

        /// An unwinder that follows it reads beyond the stack.
        @Test func aMadeUpReturnAddressAtTheEndOfAStackIsNotFollowedBeyondIt() throws {
            let program = try buildWorkload("guests", into: try Self.folder.get())
            let (result, report) = try trace([program, "beyond"])
            #expect(result.output == "done\n")
            #expect(result.status == 0)
            #expect(blocks(report) == 4_000)
            #expect(report.trust.lost == 0)
        }

        /// A program that is started without the library gets a copy of the environment, which is large here.
        @Test(arguments: ["little", "filtered"])
        func aProgramIsStartedWithoutTheLibraryFromLittleStack(way: String) throws {
            let folder = try Self.folder.get()
            let program = try buildWorkload("guests", into: folder)
            let started = folder.file("started")
            let source = folder.file("started.c")
            try "int main(void) { return 5; }\n".write(toFile: source, atomically: true, encoding: .utf8)
            let built = try runProgram(["musl-gcc", "-o", started, source])
            #expect(built.status == 0, "\(built.errors)")
            let native = try runProgram([program, way, started])
            #expect(native.output == String(repeating: "0 50\n", count: 4) + "done\n")
            let (result, report) = try trace([program, way, started])
            #expect(result.output == native.output)
            #expect(result.status == native.status)
            // Under a filter the library makes no system call for it that the filter could answer with a signal.
            #expect(way == "filtered" || report.untraced.contains { $0.program == started })
        }
    }
}
