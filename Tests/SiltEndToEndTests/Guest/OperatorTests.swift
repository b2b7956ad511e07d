import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// C++ operator new and delete, whoever defines them, and mappings.
    @Suite(.serialized)
    struct Operators {
        static let jemalloc = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
        static let tcmalloc = "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4"

        /// "" stands for the operators of libstdc++, which call malloc; the others define their own.
        @Test(arguments: ["", jemalloc, tcmalloc])
        func everyOperatorIsCountedOnceWhoeverDefinesIt(allocator: String) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("operators", into: folder, flags: ["-std=c++17"])
            let environment = allocator.isEmpty ? [:] : ["LD_PRELOAD": allocator]
            let plain = try runProgram([program], environment: environment)
            let (result, report) = try trace([program], environment: environment)
            #expect(result.output == plain.output)
            #expect(result.status == 0)
            let sites = report.sites(named: "make(int)")
            for form in 0..<8 {
                // libstdc++ rounds the size of an aligned block up to its alignment.
                let size = 1000 + 16 * form
                let recorded = allocator.isEmpty && form >= 4 ? (size + 63) / 64 * 64 : size
                let made = form == 0 ? 110 : 10
                let same = sites.filter { $0.allocObjects == made && $0.allocSpace == made * recorded }
                let alike = (4..<8).filter { (1000 + 16 * $0 + 63) / 64 * 64 == recorded }.count
                #expect(same.count == (allocator.isEmpty && form >= 4 ? alike : 1), "form \(form): \(same.count)")
                #expect(same.allSatisfy { $0.inuseObjects == 1 })
            }
            #expect(sites.count == 8)
            #expect(report.totals.allocObjects - report.totals.freeObjects == report.totals.inuseObjects)
            #expect(report.trust.unknownFrees == 0)
            #expect(report.trust.lost == 0)
            let allocators = allocator.isEmpty ? "libc.so.6" : String(allocator.split(separator: "/").last ?? "")
            #expect(report.target.allocator?.hasSuffix(allocators) == true)
        }

        /// The operators of a library that is in no global scope, and those that a plugin brings itself.
        @Test(arguments: [[], ["-DOWN"]], [[], ["global"]])
        func aPluginOfACProgramKeepsItsOwnOperators(flags: [String], scope: [String]) throws {
            let folder = try ScratchFolder()
            let plugin = try buildWorkload("plugin", into: folder, flags: ["-shared", "-fPIC"] + flags)
            let host = try buildWorkload("host", into: folder)
            let plain = try runProgram([host, plugin] + scope)
            let (result, report) = try trace([host, plugin] + scope)
            #expect(plain.output.contains(flags.isEmpty ? "made 100 1 0" : "made 100 1 104"))
            #expect(result.output == plain.output)
            #expect(result.status == 0)
            let sites = report.sites(named: "plugin_make")
            #expect(sites.map(\.allocObjects).reduce(0, +) == 303)
            #expect(sites.map(\.inuseObjects).reduce(0, +) == 3)
            #expect(sites.map(\.allocSpace).reduce(0, +) == 303 * (flags.isEmpty ? 1701 : 1702))
            #expect(report.trust.unknownFrees == 0)
        }

        @Test(arguments: [0, 8])
        func mappingsAreThoseTheProgramMade(threads: Int) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("mappings", into: folder)
            let plain = try runProgram([program, "\(threads)"])
            let recording = folder.file("run.silt")
            let result = try runProgram([siltExecutable, "run", "--out", recording, "--", program, "\(threads)"])
            #expect(result.output == plain.output)
            #expect(result.status == 0)
            let query = """
                SELECT mapped_space, maps, unmaps, remaps, events_sent - allocations - frees - reallocations - maps
                - unmaps - remaps FROM totals JOIN trust USING (process)
                """
            let row = try runProgram(["sqlite3", recording, query])
            // 10 × 8,192 + 10 × 20,480 + 10 × 12,288; each mremap is an unmap before it and a remap after.
            let moved = 10 + 1
            let left = 409_600
            let maps = 40 + threads * 2000
            // Each thread is made, ends and is joined.
            #expect(row.output == "\(left)|\(maps)|\(20 + moved + threads * 2000)|\(moved)|\(3 * threads)\n")
        }

        /// jemalloc maps its memory by mmap, from inside malloc and in its start-up: no mapping of the program's.
        @Test(arguments: [jemalloc, tcmalloc])
        func whatAnAllocatorMapsIsNoMappingOfTheProgram(allocator: String) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("operators", into: folder, flags: ["-std=c++17"])
            let recording = folder.file("run.silt")
            let result = try runProgram(
                [siltExecutable, "run", "--out", recording, "--", program],
                environment: ["LD_PRELOAD": allocator]
            )
            #expect(result.status == 0)
            #expect(try runProgram(["sqlite3", recording, "SELECT maps, unmaps FROM trust"]).output == "0|0\n")
        }
    }
}
