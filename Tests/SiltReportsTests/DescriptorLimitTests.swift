import SiltEvents
import SiltRecording
import Testing

@testable import SiltFindings
@testable import SiltReports

/// What is said where a process has as many descriptors open as it may, or will have.
struct DescriptorLimitTests {
    /// Nothing is charged in it, and one line holds descriptors.
    private static func report(
        open: UInt64,
        of limit: UInt64,
        fullNs: UInt64?,
        growing: Bool = false
    ) throws -> HeapReport {
        var report = try OrderServer.growingReport()
        report.sites.removeAll(where: \.isGrowing)
        var site = try #require(report.sites.first)
        (site.resource, site.inUseBytes, site.inUseCount) = (.descriptor, open, open)
        if growing {
            (site.verdict, site.confidence) = (.growing, .high)
            let unit = Rate.Unit(.objects(.descriptor), per: .second)
            site.rate = Rate(value: 2, low: 2, high: 2, unit: unit)
        }
        report.sites.append(site)
        report.recording.descriptorLimits[1] = DescriptorLimit(limit: limit, open: open, fullNs: fullNs)
        report.decide()
        return report
    }

    @Test func whatHoldsMuchOfALimitThatIsReachedIsNotAcquitted() throws {
        let report = try Self.report(open: 64, of: 64, fullNs: 1_000_000_000)
        #expect(report.verdict == .inconclusive)
        #expect(report.verdictLine.hasPrefix("INCONCLUSIVE: used up? "), "\(report.verdictLine)")
        #expect(report.verdictLine.hasSuffix("; limit of 64 open files reached"), "\(report.verdictLine)")
    }

    @Test(arguments: [(UInt64(64), UInt64?.none), (15, 1_000_000_000)])
    func whereThereIsRoomOrOthersHoldThemTheVerdictStands(open: UInt64, fullNs: UInt64?) throws {
        #expect(try Self.report(open: open, of: open == 64 ? 1024 : 64, fullNs: fullNs).verdict == .notGrowing)
    }

    /// Of 100 that are left, two a second; the process was seen for 48 s.
    @Test func aLeakSaysWhenTheLimitWillBeReached() throws {
        let line = try Self.report(open: 924, of: 1024, fullNs: nil, growing: true).verdictLine
        #expect(line.hasSuffix("; limit of 1,024 open files reached in about 50 s"), "\(line)")
    }
}
