import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Functions that allocate and are bound past the preload library are traced all the same (CShim/docs/imports.md).
    @Suite
    struct BoundPast {
        /// The host, and plugins of the same source; those have a folder in their RUNPATH where libinner.so lies.
        private struct Plugins {
            let folder: ScratchFolder
            let host: String

            init() throws {
                folder = try ScratchFolder()
                host = try buildWorkload("bound_past", into: folder)
                let inner = folder.file("inner")
                try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
                let built = try buildWorkload("deepbound", into: folder, flags: ["-shared", "-fPIC"])
                try FileManager.default.moveItem(atPath: built, toPath: inner + "/libinner.so")
            }

            func plugin(_ name: String, _ flags: [String]) throws -> String {
                let place = ["-shared", "-fPIC", "-Wl,-rpath,$ORIGIN/inner", "-Wl,--enable-new-dtags"]
                let built = try buildWorkload("bound_plugin", into: folder, flags: place + flags)
                let path = folder.file(name + ".so")
                try FileManager.default.moveItem(atPath: built, toPath: path)
                return path
            }
        }

        /// Blocks that a function has made, those that are left, and their bytes.
        private struct Counts: Equatable {
            var made = 0
            var left = 0
            var bytes = 0

            init(made: Int, left: Int, bytes: Int) {
                self.made = made
                self.left = left
                self.bytes = bytes
            }

            init(_ report: TraceReport, of function: String) {
                for site in report.sites(named: function) {
                    made += site.allocObjects
                    left += site.inuseObjects
                    bytes += site.inuseSpace
                }
            }
        }

        /// Slots that are bound at the first call, at once and read-only from then on, and without stubs; tables.
        @Test(arguments: [[], ["-Wl,-z,now"], ["-fno-plt"], ["-Wl,--hash-style=sysv"]])
        func aLibraryThatWasOpenedToBindDeepIsTraced(flags: [String]) throws {
            let plugins = try Plugins()
            let plugin = try plugins.plugin("plugin", flags)
            let plain = try runProgram([plugins.host, plugin])
            let (result, report) = try trace([plugins.host, plugin])
            #expect(plain.output.hasPrefix("weak 0 0 0\n"))
            #expect(plain.output.hasSuffix("next is none 1\ninner 1 0\nby handle 1\n"))
            #expect(result.output == plain.output)
            #expect(result.status == 0)
            #expect(Counts(report, of: "plugin_kept") == Counts(made: 61, left: 30, bytes: 18_390))
            #expect(Counts(report, of: "plugin_all") == Counts(made: 16, left: 0, bytes: 0))
            #expect(report.trust.unknownFrees == 0)
            #expect(!result.errors.contains("whose free was not seen"))
        }

        @Test func whatCannotBeFollowedIsNamed() throws {
            let plugins = try Plugins()
            let plugin = try plugins.plugin("plugin", [])
            let plain = try runProgram([plugins.host, "filtered", plugin])
            let (result, report) = try trace([plugins.host, "filtered", plugin])
            #expect(result.output == plain.output)
            #expect(result.status == 0)
            let words = result.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains(" of functions that allocate not followed: what goes through them is not seen"))
            #expect(report.sites(named: "plugin_kept").isEmpty)
        }

        @Test func threadsThatCallWhileOthersAreOpenedLoseNothing() throws {
            let plugins = try Plugins()
            let paths = try (1...8).map { try plugins.plugin("plugin\($0)", []) }
            for _ in 1...3 {
                let (result, report) = try trace([plugins.host, "race"] + paths)
                #expect(result.output == "weak 0 0 0\nrace done\n")
                #expect(result.status == 0)
                #expect(Counts(report, of: "plugin_kept") == Counts(made: 9600, left: 0, bytes: 0))
                #expect(report.trust.unknownFrees == 0)
            }
        }

        /// Also by a process whose threads have forked at the same time.
        @Test(arguments: ["again", "forked"])
        func aLibraryThatIsOpenedAgainIsTracedAgain(way: String) throws {
            let plugins = try Plugins()
            let (result, report) = try trace([plugins.host, way, try plugins.plugin("plugin", [])])
            #expect(result.output == "weak 0 0 0\nagain done\n")
            #expect(result.status == 0)
            #expect(Counts(report, of: "plugin_kept") == Counts(made: 100, left: 50, bytes: 30_650))
            #expect(report.trust.unknownFrees == 0)
        }

        @Test func whatALibraryTookBeforeItWasFollowedIsNoFault() throws {
            let plugins = try Plugins()
            let (result, report) = try trace([plugins.host, "early", try plugins.plugin("plugin", [])])
            #expect(result.output == "weak 0 0 0\nearly done\n")
            #expect(result.status == 0)
            #expect(report.trust.unknownFrees == 0)
            let words = result.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains(" 7 frees of blocks from before their library was followed"), "\(result.errors)")
            #expect(words.contains("complete: all "))
        }

        /// Executables with slots of each kind.
        @Test(
            arguments: [
                ("JEMALLOC", "libjemalloc.so.2"), ("TCMALLOC", "libtcmalloc_minimal.so.4"),
                ("MIMALLOC", "libmimalloc.so.2.0"),
            ],
            [[], ["-no-pie", "-fno-pie", "-Wl,-z,now"], ["-fno-plt"]]
        )
        func allocatorsByTheirOwnNamesAreTraced(allocator: (define: String, library: String), flags: [String]) throws {
            let folder = try ScratchFolder()
            try #require(FileManager.default.fileExists(atPath: "/usr/lib/x86_64-linux-gnu/" + allocator.library))
            let link = ["-D" + allocator.define, "-l:" + allocator.library]
            let program = try buildWorkload("interfaces", into: folder, flags: link + flags)
            let plain = try runProgram([program])
            let (result, report) = try trace([program])
            #expect(result.output == plain.output)
            #expect(result.status == 0)
            #expect(Counts(report, of: "interface_kept") == Counts(made: 40, left: 20, bytes: 12_340))
            let others = Counts(report, of: "others")
            #expect(others.made >= 5)
            #expect(others.left == 0)
            #expect(report.trust.unknownFrees == 0)
            #expect(!result.errors.contains("whose free was not seen"))
        }
    }
}
