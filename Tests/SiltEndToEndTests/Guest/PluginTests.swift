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
    }
}
