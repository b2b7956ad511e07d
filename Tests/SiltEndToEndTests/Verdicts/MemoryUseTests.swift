import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Memory that no allocation explains is never acquitted, and each use of memory is called what it is.
    @Suite(.serialized)
    struct MemoryUses {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }
        static let program: Result<String, any Error> = Result { try buildWorkload("memory_uses", into: folder.get()) }

        /// What silt says of a use of memory, without line breaks, and the status of `silt check`.
        static func report(_ use: String, seconds: Int = 3) throws -> (text: String, check: Int32) {
            let recording = try folder.get().file("\(use).silt")
            let result = try runProgram([
                siltExecutable, "run", "--out", recording, "--snapshot-every", "100ms", "--", try program.get(), use,
                "\(seconds)",
            ])
            guard result.status == 0 else { throw TestSetupError(description: "\(use): \(result.errors)") }
            let check = try runProgram([siltExecutable, "check", recording])
            let text = result.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return (text, check.status)
        }

        @Test func whatSiltDoesNotSeeLeavesTheVerdictOpen() throws {
            let (text, check) = try Self.report("syscall")
            #expect(text.hasPrefix("INCONCLUSIVE: RSS grew "), "\(text)")
            #expect(text.contains("MiB outside malloc (") && text.contains("cause unknown"), "\(text)")
            #expect(!text.contains("not a leak") && !text.contains("malloc_trim"), "\(text)")
            #expect(check == 3)
        }

        @Test func whatGrowsOutsideMallocIsOnTheFirstLineBesideALittleLeak() throws {
            let (text, check) = try Self.report("syscall-and-leak")
            #expect(text.hasPrefix("GROWING: 1 call site leaks, "), "\(text)")
            let first = text.components(separatedBy: " leak_little ")[0]
            #expect(first.contains("; RSS grew ") && first.contains("MiB outside malloc ("), "\(text)")
            #expect(check == 1)
        }

        @Test func mappingsAreJudgedAsBlocksAre() throws {
            let uses = ["maps", "pool", "worker", "break", "written", "shared"]
            let functions = ["map_buffer", "pool_take", "map_buffer", "move_break", "map_private_file", "map_shared"]
            let reports = try atOnce(uses) { try Self.report($0) }
            for ((text, check), function) in zip(reports, functions) {
                #expect(text.hasPrefix("GROWING: 1 call site leaks, ") && text.contains("MiB per second"), "\(text)")
                let site = try #require(text.split(separator: " MiB/s ", maxSplits: 1).last).split(separator: " ")
                #expect(site.first?.hasPrefix("memory_uses.c:") == true, "\(text)")
                #expect(site.dropFirst().first.map(String.init) == function, "\(text)")
                #expect(text.contains(#/ likely .* mappings /#), "\(text)")
                let use = function == "map_shared" ? " files and shared memory" : " mapped by the program"
                #expect(text.contains(use) && !text.contains("retention"), "\(text)")
                #expect(!text.contains("not a leak"), "\(text)")
                #expect(check == 1, "\(text)")
            }
        }

        @Test func stacksOfThreadsBelongToTheLineThatCreatedThem() throws {
            let (text, check) = try Self.report("threads")
            let first = #/^GROWING: 1 call site leaks, [\d.]+ MiB (and [\d.]+ threads )?per second/#
            #expect(text.contains(first), "\(text)")
            #expect(text.contains(#/ MiB\/s(, \+[\d.]+ threads\/s)? memory_uses\.c:\d+ accept_one /#), "\(text)")
            #expect(text.contains(#/ likely .* MiB/#), "\(text)")
            #expect(text.contains(#/ MiB of it are stacks of its threads /#), "\(text)")
            #expect(check == 1)
        }

        @Test func addressSpaceThatIsOnlyReservedDoesNotGrow() throws {
            let (text, check) = try Self.report("only-reserved")
            #expect(text.hasPrefix("NOT GROWING"), "\(text)")
            #expect(check == 0)
        }

        @Test func blocksThatAreTouchedLateAreNoRetention() throws {
            let (text, check) = try Self.report("reserve")
            #expect(text.hasPrefix("NOT GROWING"), "\(text)")
            #expect(text.contains("live blocks are touched for the first time (1.00 GiB are live)"), "\(text)")
            #expect(!text.contains("retention"), "\(text)")
            #expect(check == 0)
        }

        /// An allocator of the program's own may leak in there: the verdict is left open, but the reason is named.
        @Test func mappingsThatAreTouchedLateAreNamedWithWhatHelps() throws {
            let (text, check) = try Self.report("map-reserve")
            #expect(text.hasPrefix("INCONCLUSIVE: RSS grew "), "\(text)")
            let reason = #/memory_uses\.c:\d+.* has mapped 1\.00 GiB, of which [\d.]+ MiB are touched/#
            #expect(text.contains(reason), "\(text)")
            #expect(text.contains("touched at the start, it shows at the start"), "\(text)")
            #expect(check == 3)
        }

        @Test func retentionIsShownByWhatTheAllocatorHoldsAlsoBesideALeak() throws {
            let reports = try atOnce(["burst", "burst-and-leak"]) { try Self.report($0, seconds: 4) }
            for ((text, _), verdict) in zip(reports, ["NOT GROWING", "GROWING"]) {
                #expect(text.hasPrefix(verdict), "\(text)")
                #expect(text.contains(", not a leak: allocator retention ("), "\(text)")
                #expect(text.contains("freed memory"), "\(text)")
                // It is what a user asks first: in the lines right below the verdict.
                #expect(text.components(separatedBy: " heap: ")[0].contains("retention"), "\(text)")
                #expect(text.contains("malloc_trim(0)"), "\(text)")
            }
        }
    }
}
