import SiltGrowth
import SiltRecording
import Testing

@testable import SiltFindings

/// Which growing sites are one finding.
struct FindingsTests {
    private func site(
        _ rank: Int,
        _ births: [Double],
        way: Set<UInt64> = [7],
        phase: String? = nil,
        place: Int? = nil
    ) -> ReportSite {
        let frame = ReportFrame(function: "f", file: nil, line: nil, module: "", offset: UInt64(rank), inlined: false)
        var site = ReportSite(blame: frame)
        site.verdict = .growing
        (site.rank, site.births, site.way, site.phase, site.place) = (rank, births, way, phase, place ?? rank)
        return site
    }

    private func followed(_ sites: [ReportSite]) -> [Int?] {
        var sites = sites
        Findings.join(&sites)
        return sites.map { $0.follows?.rank }
    }

    @Test func asManyInEachIntervalOnOneWayAreOne() {
        let sites = [site(1, [10, 12, 9, 11]), site(2, [10, 12, 9, 11]), site(3, [20, 24, 19, 21], way: [7, 8])]
        #expect(followed(sites) == [nil, 1, 1])
    }

    @Test func whatSharesNoWayStandsForItself() {
        #expect(followed([site(1, [10, 12, 9, 11]), site(2, [10, 12, 9, 11], way: [8])]) == [nil, nil])
    }

    @Test func whatGrowsAtOtherTimesStandsForItself() {
        #expect(followed([site(1, [10, 12, 9, 11]), site(2, [20, 2, 19, 1])]) == [nil, nil])
        #expect(followed([site(1, [10, 10, 10, 10]), site(2, [15, 15, 15, 15])]) == [nil, nil])
    }

    @Test func aFewBlocksAreNoEvidence() {
        #expect(followed([site(1, [1, 1, 1, 1]), site(2, [1, 1, 1, 1])]) == [nil, nil])
    }

    @Test func whatALineTakesBesidesIsOneFindingWithIt() {
        var sites = [site(1, [10, 12, 9, 11]), site(2, [10, 12, 9, 11]), site(3, [10, 12, 9, 11], way: [8])]
        sites[2].resource = .thread
        sites[2].blame = sites[0].blame
        #expect(followed(sites) == [nil, 1, 1])
        // Also with one that follows another.
        sites[2].blame = sites[1].blame
        #expect(followed(sites) == [nil, 1, 1])
        sites[2].phase = "orders"
        #expect(followed(sites) == [nil, 1, nil])
    }

    /// Whatever is heavier, and however many blocks of it are for a thread.
    @Test func whatThreadsTakeAtTheirStartIsOneFindingWithTheLineThatCreatesThem() {
        var sites = [
            site(1, [70, 80, 90], way: [8]), site(2, [10, 12, 9]), site(3, [10, 12, 9]), site(4, [3, 2, 3], way: [9]),
        ]
        sites[2].resource = .thread
        sites[2].blame = sites[1].blame
        for index in [0, 3] { sites[index].isOfThreadStart = true }
        #expect(followed(sites) == [2, nil, 2, 2])
        // Without threads that grow in the same phase, for itself.
        sites[2].phase = "orders"
        #expect(followed(sites) == [nil, nil, nil, nil])
    }

    /// A handle of a library is many blocks of as many places of its own.
    @Test func whatOneLineMakesIsOneFindingHoweverManyOfEach() {
        var sites = [site(1, [10, 12, 9, 11]), site(2, [300, 360, 270, 330])]
        #expect(followed(sites) == [nil, nil])
        let line = ReportFrame(function: "open", file: "a.c", line: 5, module: "a", offset: 0, inlined: false)
        (sites[0].caller, sites[1].caller) = (line, line)
        #expect(followed(sites) == [nil, 1])
        sites[1].births = [300, 300, 300, 0]
        #expect(followed(sites) == [nil, nil])
    }

    @Test func whatIsGivenBackByCallsOfItsOwnStandsForItself() {
        var sites = [site(1, [10, 12, 9, 11]), site(2, [10, 12, 9, 11])]
        sites[0].pair = KnownPair(maker: "fopen", giver: "fclose")
        #expect(followed(sites) == [nil, 1])
        sites[1].pair = KnownPair(maker: "getaddrinfo", giver: "freeaddrinfo")
        #expect(followed(sites) == [nil, nil])
        sites[1].pair = KnownPair(maker: "fdopen", giver: "fclose")
        #expect(followed(sites) == [nil, 1])
    }

    @Test func onePlaceInTwoPhasesIsOne() {
        let sites = [
            site(1, [10, 10], phase: "orders", place: 5), site(2, [3, 4], phase: "users", place: 5),
            site(3, [10, 10], phase: "users", place: 6),
        ]
        #expect(followed(sites) == [nil, 1, nil])
    }
}
