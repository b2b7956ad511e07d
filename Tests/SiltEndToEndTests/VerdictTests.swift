import SiltTestSupport
import Testing

extension EndToEnd {
    struct Verdicts {
        @Test func oneLeakingCallerAmongTenIsNamedAndTheOthersAreNot() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("growth", into: folder)
            let (result, report) = try trace([program, "5"], options: ["--snapshot-every", "200ms"])
            #expect(result.status == 0)
            #expect(report.verdict == "growing")
            let growing = report.sites.filter { $0.verdict == "growing" }
            #expect(growing.count == 1)
            let first = try #require(growing.first)
            #expect(first.blame.function == "build_string")
            #expect(first.blame.file?.hasSuffix("growth.c") == true)
            #expect(first.caller?.function == "leaky_caller")
            #expect(first.confidence == "high")
            let callsPerSecond = Double(first.inuseObjects) / 5
            let rate = try #require(first.rate)
            #expect(rate.unit == "bytes/second")
            #expect(abs(rate.value - callsPerSecond * 1009) < 0.15 * callsPerSecond * 1009)
        }
    }
}
