import SiltGrowth
import Testing

@testable import SiltFindings
@testable import SiltReports

/// What a report says of a site with regard to others, and of what was given back on the way out.
struct OtherFindingsTests {
    @Test func noCallerIsTheOnlyOneWhereAnotherOfItsFunctionIsAFindingToo() throws {
        let report = try OrderServer.growingReport()
        let site = try #require(report.growing.first { $0.caller != nil && $0.fix != $0.blame })
        #expect(WhyText.line(site, others: [site])?.contains("only here") == true)
        var other = site
        other.caller = site.blame
        #expect(other.fix != site.fix)
        #expect(WhyText.line(site, others: [site, other]) == nil)
    }

    @Test func whatIsNotDecidedIsListedByWhatItHeldBeforeItWasGivenBack() throws {
        var report = try OrderServer.growingReport()
        var site = try #require(report.sites.first { !$0.isGrowing })
        (site.verdict, site.inUseBytes, site.inUseCount, site.lastInUseBytes) = (.stillFilling, 0, 0, 48 << 20)
        report.sites.append(site)
        var text = ""
        TextReport.render(report, into: &text)
        #expect(text.contains(/Not decided:\n  .*48\.0 MiB, 0 B left at exit/), "\(text)")
    }
}
