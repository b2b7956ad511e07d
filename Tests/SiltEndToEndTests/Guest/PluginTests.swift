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
