import Foundation
import SiltTestSupport
import Testing

@testable import silt_conformance

/// What is wrong of a hunt's report, beside what is known of the service.
struct ServiceHuntTests {
    private static let service = Service(
        name: "server",
        needs: [],
        usual: 1000,
        planted: [100],
        culprit: "make_record",
        start: ""
    )

    private static func row(
        _ verdict: String,
        _ headline: String,
        charged: [(function: String, rate: Double)] = [],
        isFixed: Bool
    ) throws -> ServiceHunt.Row {
        let sites = charged.map { site in
            """
            {"rank": 1, "kind": "allocation", "verdict": "growing", "blame": {"function": "malloc"}, "inuseSpace": 1,
            "inuseObjects": 1, "allocSpace": 1, "allocObjects": 1, "phase": "order", "stack":
            [{"function": "malloc"}, {"function": "\(site.function)"}], "rate": {"value": \(site.rate), "low": 1,
            "high": 1, "unit": "bytes/request"}}
            """
        }
        let json = """
            {"format": "silt-report", "version": 1, "target": {"command": "server", "pid": 1}, "verdict": "\(verdict)",
            "headline": "\(headline)", "totals": {"allocObjects": 0, "allocSpace": 0, "freeObjects": 0, "inuseObjects": 0,
            "inuseSpace": 0, "peakInuseSpace": 0}, "trust": {"eventsSent": 0, "eventsReceived": 0, "lost": 0, "unknownFrees":
            0, "waits": 0, "stacksCompletePercent": 100, "symbolizedPercent": 100}, "processes": [], "untraced": [],
            "sites": [\(sites.joined(separator: ","))],
            "phases": [{"name": "order", "rounds": 7, "verdict": "\(verdict)"}]}
            """
        let report = try JSONDecoder().decode(TraceReport.self, from: Data(json.utf8))
        return ServiceHunt.row(report, of: service, requests: 1000, isFixed: isFixed)
    }

    @Test func anAcquittalIsRightOfAServiceWithoutALeakOnly() throws {
        #expect(try Self.row("not-growing", "NOT GROWING", isFixed: true).faults == [])
        #expect(try Self.row("not-growing", "NOT GROWING", isFixed: false).faults.count == 1)
    }

    @Test func whatFillsIsNoFaultAndAnythingElseThatIsInconclusiveIs() throws {
        #expect(try Self.row("inconclusive", "still filling? f still rose", isFixed: true).faults == [])
        let heap = "still filling? RSS grew 9 MiB outside malloc"
        #expect(try Self.row("inconclusive", heap, isFixed: true).faults == [])
        #expect(try Self.row("inconclusive", "too few rounds", isFixed: true).faults.count == 1)
        #expect(try !Self.row("inconclusive", "RSS grew 9 MiB outside malloc", isFixed: true).faults.isEmpty)
    }

    @Test(arguments: [(92.0, 0), (108, 0), (88, 1), (112, 1)])
    func aPlantedLeakIsChargedWithinATenth(rate: Double, faults: Int) throws {
        let row = try Self.row("growing", "GROWING", charged: [("make_record", rate)], isFixed: false)
        #expect(row.faults.count == faults)
    }

    @Test func aHuntThatEndedEarlyIsAFaultWhateverItCharged() throws {
        let headline = "GROWING: 1 call site leaks; the hunt ended early: the load failed"
        let row = try Self.row("growing", headline, charged: [("make_record", 100)], isFixed: false)
        #expect(row.faults == [headline])
    }

    @Test func aChargeOfAnythingElseIsAFault() throws {
        let charged = [("make_record", 100.0), ("intern", 0.1)]
        #expect(try Self.row("growing", "GROWING", charged: charged, isFixed: false).faults.count == 1)
        #expect(try Self.row("growing", "GROWING", charged: [("make_record", 0.1)], isFixed: true).faults.count == 1)
    }
}
