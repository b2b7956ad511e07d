import SiltEvents
import SiltHeap
import SiltSymbols
import SiltTestReplay
import SiltTestSupport
import Testing

/// Who freed how much of whose blocks, by the functions of the program that called malloc and free.
private struct FreePartners {
    struct Pair: Hashable, CustomStringConvertible {
        var allocation: String
        var free: String

        var description: String { "\(allocation) → \(free)" }
    }

    struct Freed: Equatable {
        var blocks: UInt64 = 0
        var bytes: UInt64 = 0
    }

    /// By image, in the order in which they appeared.
    var images: [[Pair: Freed]] = []

    /// Replays an event file.
    init(events: String, program: String) throws {
        let replay = HeapReplay(countingFrees: true)
        try replay.run(path: events)
        #expect(replay.diagnosis == nil)
        let symbolizer = Symbolizer()
        func caller(_ stack: StackID) -> String {
            for id in replay.stacks.frames(of: stack) {
                let frame = replay.stacks.frames[Int(id.rawValue) - 1]
                guard frame.module != .none else { continue }
                let module = replay.stacks.modules[Int(frame.module.rawValue) - 1]
                guard module.path == program else { continue }
                let functions = symbolizer.resolve(module, offset: frame.offset, exact: frame.kind == .exact)
                return functions.last?.function ?? ""
            }
            return ""
        }
        for image in replay.images {
            var partners: [Pair: Freed] = [:]
            image.heap.forEachFreePartner { allocation, free, blocks, bytes in
                let pair = Pair(allocation: caller(allocation), free: caller(free))
                partners[pair, default: Freed()].blocks += blocks
                partners[pair, default: Freed()].bytes += bytes
            }
            images.append(partners)
        }
    }

    /// What that function of an image freed of what the other one allocated.
    func freed(_ allocation: String, by free: String, image: Int = 0) -> Freed {
        images[image][Pair(allocation: allocation, free: free)] ?? Freed()
    }
}

extension EndToEnd {
    /// Frees that carry their stacks (`SILT_FREE_STACKS=1`).
    @Suite(.serialized)
    struct FreeStacks {
        private static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }
        private static let asked = ["SILT_FREE_STACKS": "1"]

        /// Traces a program with and without stacks of its frees; returns the partners, and the reports of both.
        private func compare(
            _ program: String,
            _ arguments: [String]
        ) throws -> (partners: FreePartners, with: TraceReport, without: TraceReport) {
            let folder = try ScratchFolder()
            let recording = folder.file("run.silt")
            let events = folder.file("run.events")
            let result = try runProgram(
                [siltExecutable, "run", "--out", recording, "--events", events, "--", program] + arguments,
                environment: Self.asked
            )
            #expect(result.status == 0)
            let recorded = try runProgram([siltExecutable, "report", recording, "--json"])
            let replayed = try runProgram([siltExecutable, "report", events, "--json"])
            #expect(replayed.output == recorded.output && replayed.errors == "")
            let (plain, without) = try trace([program] + arguments)
            #expect(plain.status == 0)
            return (
                try FreePartners(events: events, program: program), try report(of: recording), without
            )
        }

        private func expectSame(_ with: TraceReport, _ without: TraceReport) {
            #expect(with.totals.allocObjects == without.totals.allocObjects)
            #expect(with.totals.allocSpace == without.totals.allocSpace)
            #expect(with.totals.freeObjects == without.totals.freeObjects)
            #expect(with.totals.inuseSpace == without.totals.inuseSpace)
            for report in [with, without] {
                #expect(report.trust.unknownFrees == 0 && report.trust.lost == 0)
                #expect(report.trust.eventsSent == report.trust.eventsReceived)
            }
            #expect(with.trust.eventsSent == without.trust.eventsSent)
            #expect(with.trust.stacksCompletePercent == without.trust.stacksCompletePercent)
        }

        @Test(arguments: ["1", "8"])
        func eachFreeingFunctionHasItsShareOfOneSitesBlocks(threads: String) throws {
            let program = try buildWorkload("frees", into: try Self.folder.get())
            let (partners, with, without) = try compare(program, [threads])
            expectSame(with, without)
            #expect(partners.freed("make_order", by: "order_free") == .init(blocks: 30_000, bytes: 1_200_000))
            #expect(partners.freed("make_order", by: "order_expire") == .init(blocks: 10_000, bytes: 400_000))
            // A realloc moves a block, which nobody has freed; one that fails does nothing.
            #expect(partners.freed("make_order", by: "order_grow") == .init())
            #expect(partners.freed("make_order", by: "order_grow_in_vain") == .init())
            #expect(partners.freed("make_note", by: "drop_note") == .init(blocks: 10_000, bytes: 240_000))
            let orders = with.sites(named: "make_order")
            #expect(orders.map(\.allocObjects).reduce(0, +) == 100_000)
            #expect(orders.map(\.inuseObjects).reduce(0, +) == 50_000)
            // All that was freed was freed by somebody, or moved.
            let freed = partners.images[0].values.reduce(0) { $0 + $1.blocks }
            #expect(freed == UInt64(with.totals.freeObjects))
        }

        @Test func eachFormOfOperatorDeleteIsToldApart() throws {
            let program = try buildWorkload("deletes", into: try Self.folder.get(), flags: ["-std=c++17"])
            let (partners, with, without) = try compare(program, [])
            expectSame(with, without)
            for (index, form) in ["plain", "sized", "array", "aligned", "quiet"].enumerated() {
                let count = UInt64(1000 * (index + 1))
                let size: UInt64 = form == "aligned" ? 256 : 200
                #expect(
                    partners.freed("make_item(Form)", by: "drop_\(form)(void*)")
                        == .init(blocks: count, bytes: count * size)
                )
            }
        }

        /// tcmalloc and jemalloc define operators that never call free.
        @Test(arguments: [Operators.jemalloc, Operators.tcmalloc])
        func anAllocatorsOwnOperatorsAreToldApart(allocator: String) throws {
            let program = try buildWorkload("deletes", into: try Self.folder.get(), flags: ["-std=c++17"])
            let folder = try ScratchFolder()
            let events = folder.file("run.events")
            let result = try runProgram(
                [siltExecutable, "run", "--events", events, "--", program],
                environment: ["LD_PRELOAD": allocator, "SILT_FREE_STACKS": "1"]
            )
            #expect(result.status == 0)
            let partners = try FreePartners(events: events, program: program)
            for (index, form) in ["plain", "sized", "array", "aligned", "quiet"].enumerated() {
                let freed = partners.freed("make_item(Form)", by: "drop_\(form)(void*)")
                #expect(freed.blocks == UInt64(1000 * (index + 1)))
            }
        }

        @Test(arguments: ["fork", "exec"])
        func childrenInheritTheWish(way: String) throws {
            let program = try buildWorkload("frees", into: try Self.folder.get())
            let (partners, with, without) = try compare(program, ["2", way])
            expectSame(with, without)
            // The child that executes another program at once has nothing to tell before.
            try #require(partners.images.count == 2)
            #expect(
                partners.freed("make_order", by: "order_free", image: 1)
                    == .init(blocks: 30_000, bytes: 1_200_000)
            )
        }

        @Test(arguments: [[:], ["SILT_FREE_STACKS": "0"], ["SILT_FREE_STACKS": ""]])
        func withoutTheWishNoFreeCarriesAStack(environment: [String: String]) throws {
            let program = try buildWorkload("frees", into: try Self.folder.get())
            let folder = try ScratchFolder()
            let events = folder.file("run.events")
            let result = try runProgram(
                [siltExecutable, "run", "--events", events, "--", program],
                environment: environment
            )
            #expect(result.status == 0)
            #expect(try FreePartners(events: events, program: program).images == [[:]])
        }
    }
}
