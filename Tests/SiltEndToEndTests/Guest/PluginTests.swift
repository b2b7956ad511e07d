import SiltTestSupport
import Testing

extension EndToEnd {
    /// Libraries that are opened and closed over and over.
    @Suite(.serialized)
    struct Plugins {
        /// More often than there is room for modules that are loaded at a time; `moving`: each time elsewhere.
        @Test(arguments: [[], ["moving"]])
        func aPluginHasItsNamesHoweverOftenItWasReloaded(options: [String]) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("reload", into: folder)
            let libraries = try ["sha1": 3, "none": 2].map { buildID, variant in
                let flags = ["-shared", "-fPIC", "-fno-optimize-sibling-calls", "-Wl,--build-id=\(buildID)"]
                let built = try buildWorkload("reloaded", into: folder, flags: flags + ["-DVARIANT=\(variant)"])
                let library = folder.file(buildID + ".so")
                #expect(try runProgram(["mv", built, library]).status == 0)
                return library
            }
            let (result, report) = try trace([program, "4300"] + options + libraries)
            #expect(result.status == 0)
            #expect(result.output == (options.isEmpty ? "mostly at the same place\n" : "at different places\n"))
            #expect(!result.errors.contains("not recorded"), "\(result.errors)")
            #expect(report.trust.stacksCompletePercent == 100)
            #expect(report.trust.symbolizedPercent == 100)
            let kept = report.sites(named: "leaf").map(\.inuseObjects).reduce(0, +)
            #expect(kept == 80, "what each library made in the end, which is kept")
        }

        /// What the loader does not read of them may say anything: the number of symbols in DT_HASH, the symbol of a
        /// relocation by an offset.
        @Test func tablesThatTheLoaderDoesNotReadMayBeWrong() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("reload", into: folder)
            let flags = ["-shared", "-fPIC", "-Wl,--hash-style=sysv", "-DVARIANT=1"]
            let library = try buildWorkload("reloaded", into: folder, flags: flags)
            let patch = #"""
                at() { readelf -SW "$1" | sed -n "s/.* $2 *[A-Z]* *[0-9a-f]* *\([0-9a-f]*\) .*/\1/p"; }
                put() {
                    printf '\377\377\377\0' | dd of="$1" bs=1 seek=$((0x$(at "$1" "$2") + $3)) conv=notrunc status=none
                }
                put "$0" '[.]rela[.]dyn' 12 && put "$1" '[.]hash' 4
                """#
            #expect(try runProgram(["bash", "-e", "-c", patch, program, library]).status == 0)
            let words = [program, "20", library, library]
            let plain = try runProgram(words)
            #expect(plain.status == 0)
            let (result, report) = try trace(words)
            #expect(result.status == 0)
            #expect(result.output == plain.output)
            #expect(!report.sites(named: "leaf").isEmpty)
        }

        /// None of these waits for a callback of dl_iterate_phdr(3) natively, which may wait for what its caller holds;
        /// nor for one that a fork has left in the parent.
        @Test(arguments: ["new", "dlsym", "dlclose", "fork"])
        func noHookWaitsForWhoIteratesOverModules(way: String) throws {
            let folder = try ScratchFolder()
            let plugin = try buildWorkload("plugin", into: folder, flags: ["-shared", "-fPIC"])
            let words = ["timeout", "-s", "KILL", "20", try buildWorkload("iterates", into: folder), way, plugin]
            let plain = try runProgram(words)
            #expect(plain.status == 0)
            let (result, _) = try trace(words)
            #expect(result.status == 0)
            #expect(result.output == plain.output)
        }

        /// Each new plugin's operators are looked up in the list of all libraries, which other threads change meanwhile.
        @Test func threadsMayOpenAndClosePluginsAtOnce() throws {
            let folder = try ScratchFolder()
            let plugin = try buildWorkload("plugin", into: folder, flags: ["-shared", "-fPIC"])
            let copies = (1...8).map { folder.file("plugin\($0).so") }
            for copy in copies {
                #expect(try runProgram(["cp", plugin, copy]).status == 0)
            }
            let host = try buildWorkload("turnover", into: folder)
            let (result, report) = try trace([host, "4000"] + copies)
            #expect(result.output == "turned over\n")
            #expect(result.status == 0, "\(result.errors)")
            let made = report.sites(named: "plugin_make")
            #expect(made.map(\.allocObjects).reduce(0, +) == 4 * 4000 - 6)
            #expect(made.map(\.inuseObjects).reduce(0, +) == 0)
        }
    }
}
