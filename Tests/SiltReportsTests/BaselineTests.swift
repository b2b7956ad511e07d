import Foundation
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

@Suite struct BaselineTests {
    private func baseline() throws -> GrowthBaseline {
        try #require(CheckReport(ShopHunt.report(), settings: ShopHunt.settings()).baseline)
    }

    private func check(_ report: HeapReport, _ baseline: GrowthBaseline) throws -> CheckReport {
        CheckReport(report, settings: ShopHunt.settings { $0.baseline = baseline })
    }

    @Test func whatWasWrittenIsReadAgain() throws {
        let folder = try ScratchFolder()
        let path = folder.file("growth.json")
        let baseline = try baseline()
        #expect(baseline.entries.count == 3)
        try baseline.write(to: path)
        #expect(try GrowthBaseline(path: path) == baseline)
        try GrowthBaseline.checkThatMayReplace(path)
        try GrowthBaseline().write(to: path)
        #expect(try GrowthBaseline(path: path) == GrowthBaseline())
        try expectGolden(baseline.text, "baseline.json")
    }

    @Test(arguments: ["[", "{\"a\":", "[[]"])
    func aFileNestedDeepIsRefused(_ part: String) throws {
        let folder = try ScratchFolder()
        let path = folder.file("deep.json")
        let text = String(repeating: part, count: (1 << 20) / part.utf8.count)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: ReportError.self) { try GrowthBaseline(path: path) }
        #expect(error?.description.contains("not JSON, cut off, or nested more than 64 deep") == true)
    }

    @Test func whatIsInTheBaselinePasses() throws {
        let check = try check(ShopHunt.report(), baseline())
        #expect(check.verdict == .passed)
        #expect(check.findings.allSatisfy { if case .allowed(.baseline) = $0.outcome { true } else { false } })
        #expect(check.mended.isEmpty)
    }

    @Test func somethingNewFails() throws {
        var baseline = try baseline()
        baseline.entries.removeAll { $0.phase == "users" }
        #expect(try ShopHunt.outcomes(check(ShopHunt.report(), baseline))["cache_fill"] == .failed(.growth))
        // The same place in another phase is new as well.
        baseline = try self.baseline()
        for index in baseline.entries.indices { baseline.entries[index].phase = "orders" }
        let moved = try check(ShopHunt.report(), baseline)
        #expect(ShopHunt.outcomes(moved)["cache_fill"] == .failed(.growth))
        #expect(moved.mended.map(\.stacks[0][0]) == ["cache_fill cache.c"])
    }

    @Test(
        arguments: [
            (101.3, true), (121, true), (122, false), (50, true),
        ] as [(Double, Bool)]
    )
    func aKnownSiteMayGrowAFifthFaster(_ rate: Double, _ passes: Bool) throws {
        var report = try ShopHunt.report()
        report.sites[0].rate = Rate(value: rate, low: rate - 1, high: rate + 1, unit: .bytesPerRequest)
        let outcome = try ShopHunt.outcomes(check(report, baseline()))["order_create"]
        #expect(outcome == (passes ? .allowed(.baseline(101.3)) : .failed(.baseline(101.3))))
    }

    @Test func anUncertainRateIsGivenTheBenefitOfTheDoubt() throws {
        var report = try ShopHunt.report()
        report.sites[0].rate = Rate(value: 150, low: 90, high: 210, unit: .bytesPerRequest)
        #expect(try ShopHunt.outcomes(check(report, baseline()))["order_create"] == .allowed(.baseline(101.3)))
    }

    @Test func twoSitesOfOneEntryShareItsRate() throws {
        var report = try ShopHunt.report()
        let known = try baseline()
        report.sites[0].rate = Rate(value: 60, low: 59, high: 61, unit: .bytesPerRequest)
        var half = report.sites[0]
        half.rate = Rate(value: 45, low: 44, high: 46, unit: .bytesPerRequest)
        report.sites.append(half)
        let enough = try check(report, known)
        #expect(enough.verdict == .passed)
        report.sites[report.sites.count - 1].rate = Rate(value: 55, low: 54, high: 56, unit: .bytesPerRequest)
        let faster = try check(report, known)
        #expect(faster.findings.count(where: \.isFailure) == 1)
    }

    @Test func anyStackInCommonMakesASiteKnown() throws {
        var baseline = try baseline()
        let index = try #require(baseline.entries.firstIndex { $0.stacks[0][0].hasPrefix("order_create") })
        baseline.entries[index].stacks.insert(["order_create orders.c", "elsewhere"], at: 0)
        #expect(try check(ShopHunt.report(), baseline).verdict == .passed)
        baseline.entries[index].stacks.removeLast()
        #expect(try ShopHunt.outcomes(check(ShopHunt.report(), baseline))["order_create"] == .failed(.growth))
    }

    @Test(
        arguments: [
            ("foo", "/src/a.c", "foo a.c"), ("foo.constprop.0", "/src/a.c", "foo a.c"), ("foo.isra.0.cold", nil, "foo"),
            ("foo.part.12", nil, "foo"), ("foo.cold", nil, "foo"), ("foo.bar", nil, "foo.bar"),
            ("foo.llvm.8123", nil, "foo"), ("main.run", nil, "main.run"), ("foo.1", nil, "foo.1"),
            ("cold", nil, "cold"),
            ("", nil, "[libshop.so.1]"),
        ] as [(String, String?, String)]
    )
    func framesAreKnownByNamesAlone(_ function: String, _ file: String?, _ text: String) {
        let frame = ReportFrame(
            function: function,
            file: file,
            line: 42,
            module: "/opt/lib/libshop.so.1",
            offset: 0xabc,
            inlined: false
        )
        #expect(BaselineStack.text(frame) == text)
    }

    @Test func whatIsSuppressedIsNotWritten() throws {
        let check = CheckReport(
            try ShopHunt.report(),
            settings: try ShopHunt.settings { try $0.suppressions.add("leak:cache_fill", from: "test") }
        )
        #expect(check.baseline?.entries.map(\.phase) == ["orders", "orders"])
    }

    @Test func onlyWhatWasMeasuredIsSaidToBeMended() throws {
        var report = try ShopHunt.report()
        report.sites.removeAll()
        #expect(try check(report, baseline()).mended.count == 3)
        report.phases.removeLast()
        #expect(try check(report, baseline()).mended.map(\.phase) == ["users"])
        report.phases[1].failedRequests = 1000
        #expect(try check(report, baseline()).mended.isEmpty)
    }

    @Test func thereIsNoneOfWhatWasNotMeasured() throws {
        var report = try ShopHunt.report()
        report.phases[1].rounds = 2
        report.sites.removeAll { $0.phase == "users" }
        #expect(CheckReport(report, settings: try ShopHunt.settings()).baseline == nil)
        let early = CheckReport(try ShopHunt.report(), settings: try ShopHunt.settings(), failure: "interrupted")
        #expect(early.baseline == nil)
    }

    @Test func aDamagedFileIsAnErrorWhereverItIsCut() throws {
        let folder = try ScratchFolder()
        let path = folder.file("growth.json")
        let text = try baseline().text
        let whole = Array(text.utf8).dropLast(2)
        for length in stride(from: 0, to: whole.count, by: 7) {
            try Data(whole.prefix(length)).write(to: URL(filePath: path))
            #expect(throws: ReportError.self, "\(length)") { try GrowthBaseline(path: path) }
        }
    }

    @Test(
        arguments: [
            ("{}", "format"), ("[]", "format"), (#"{"format": "silt-report", "version": 1, "entries": []}"#, "format"),
            (#"{"format": "silt-baseline", "version": 2, "entries": []}"#, "version"),
            (#"{"format": "silt-baseline", "version": 1}"#, "entries"),
            (#"{"format": "silt-baseline", "version": 1, "entries": [{}]}"#, "entry 1"),
            (entry(#""kind": "socket""#), "entry 1"), (entry(#""rate": -1"#), "entry 1"),
            (entry(#""rate": "1""#), "entry 1"), (entry(#""stacks": []"#), "entry 1"),
            (entry(#""stacks": [[]]"#), "entry 1"), (entry(#""stacks": [["a", 1]]"#), "entry 1"),
            (entry(#""stacks": ["a"]"#), "entry 1"), (entry(#""phase": 1"#), "entry 1"), ("\u{1}\u{2}", "JSON"),
        ] as [(String, String)]
    )
    func aForeignFileIsAnErrorThatSaysWhy(_ text: String, _ word: String) throws {
        let folder = try ScratchFolder()
        let path = folder.file("growth.json")
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        let error = try #require(throws: ReportError.self) { try GrowthBaseline(path: path) }
        #expect("\(error)".contains(word), "\(error)")
        #expect(throws: ReportError.self) { try GrowthBaseline.checkThatMayReplace(path) }
    }

    /// One entry, with one member replaced.
    private static func entry(_ change: String) -> String {
        let name = change.prefix { $0 != ":" }
        let members = [
            #""kind": "heap""#, #""phase": null"#, #""rate": 1"#, #""unit": "bytes/request""#, #""stacks": [["a"]]"#,
        ]
        let changed = members.map { $0.hasPrefix(name) ? change : $0 }
        return #"{"format": "silt-baseline", "version": 1, "entries": [{"# + changed.joined(separator: ", ") + "}]}"
    }

    @Test func theUnchangedEntryOfTheseTestsIsRead() throws {
        let folder = try ScratchFolder()
        let path = folder.file("growth.json")
        try Self.entry(#""rate": 2"#).write(toFile: path, atomically: false, encoding: .utf8)
        #expect(try GrowthBaseline(path: path).entries.map(\.rate) == [2])
    }
}
