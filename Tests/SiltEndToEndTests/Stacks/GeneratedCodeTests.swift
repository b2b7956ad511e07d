import SiltTestSupport
import Testing

extension EndToEnd {
    /// Code that a program makes at run time (Tests/Workloads/generated.c).
    @Suite(.serialized)
    struct GeneratedCode {
        static let program: Result<(folder: ScratchFolder, path: String), any Error> = Result {
            let folder = try ScratchFolder()
            return (folder, try buildWorkload("generated", into: folder, flags: ["-fno-omit-frame-pointer"]))
        }

        /// The function is called through code at two places, from one frame and from three.
        @Test(arguments: ["anew", "protected", "shared", "data", "clobbered"])
        func whatIsCalledThroughGeneratedCodeIsOneCallSiteWithItsCallers(way: String) throws {
            let (result, report) = try trace([try Self.program.get().path, way])
            #expect(result.status == 0)
            #expect(report.trust.stacksCompletePercent == 100)
            let sites = report.sites.filter { $0.kind == "heap" && $0.inuseSpace >= 10_000 }
            let site = try #require(sites.first)
            #expect(sites.count == 1)
            #expect(site.inuseSpace == 2_000_000 && site.inuseObjects == 200)
            #expect(site.blame.function == "generated_leaf")
            let names = ["generated_leaf", "[generated code]", "request", "main"]
            #expect(site.stack.map(\.function).starts(with: names), "\(site.stack)")
            #expect(!result.errors.contains("[0x"))
        }

        /// In the middle of 200 allocations, which the page seems to have called.
        @Test(
            arguments: [
                ("stays", 100.0), ("again", 100), ("unmapped", 50), ("replaced", 50), ("read-only", 50), ("keyed", 50),
                ("moved", 50),
            ]
        )
        func aStackReturnsToGeneratedCodeOnlyWhileThatIsExecutable(way: String, complete: Double) throws {
            let (result, report) = try trace([try Self.program.get().path, way])
            #expect(result.status == 0)
            #expect(report.trust.stacksCompletePercent == complete)
        }

        /// A megabyte in front of an address is searched for a function that makes a frame, not at each allocation anew.
        @Test func codeOfAModuleWithoutTablesIsSearchedOnce() throws {
            let program = try buildWorkload("untabled", into: try Self.program.get().folder)
            let (result, report) = try trace([program])
            #expect(result.status == 0)
            let times = try #require(Double(result.output.split(separator: "\n").first ?? ""))
            #expect(times < 20, "as long as without a megabyte")
            #expect(report.sites(named: "leaf").map(\.allocObjects).reduce(0, +) == 6000)
        }
    }
}
