import Foundation
import SiltEvents
import SiltRecording
import SiltTestRecordings
import Testing

@testable import SiltFindings
@testable import SiltReports

@Suite struct PageTests {
    private func json(_ report: HeapReport) throws -> [String: Any] {
        var text = ""
        PageData.render(report, into: &text)
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func thePageHasWhatTheReportHas() throws {
        var options = ReportOptions()
        options.width = 100
        var text = ""
        PageData.render(try ShopHunt.report(options), into: &text)
        // The course of time is drawn in 400 columns, which say little here.
        try expectGolden(text.replacing(#/"(inuse|rss)": \[[0-9,]{200,}\]/#) { "\"\($0.1)\": []" }, "page.json")
    }

    @Test func whatHasNoSizeHasItsOwnCourseOfTime() throws {
        var scene = Scene()
        let way = [Scene.Frame(function: "accept_client", file: "/src/net.c", line: 58)]
        scene.places = [Scene.Place(frames: way, bytes: 0, count: 1_600, resource: .descriptor)]
        let page = try json(scene.report { $0.grow(by: 81) }.opening)
        let timeline = try #require(page["timeline"] as? [String: Any])
        #expect(page["unit"] as? String == "count" && timeline["name"] as? String == "descriptors in use")
        #expect((timeline["rss"] as? [Int])?.isEmpty == true && (timeline["parts"] as? [Any])?.isEmpty == true)
    }

    @Test func nodesAddUpToTheTotals() throws {
        let report = try OrderServer.growingReport()
        let tree = try #require(try json(report)["tree"] as? [String: Any])
        let parents = try #require(tree["parents"] as? [Int])
        for (index, parent) in parents.enumerated().dropFirst() { #expect(parent < index) }
        for (key, total) in [
            ("inuse", report.totals.inUseBytes), ("alloc", report.totals.allocatedBytes),
        ] {
            let values = try #require(tree[key] as? [UInt64])
            #expect(values.count == parents.count)
            #expect(values.reduce(0, +) == total)
        }
    }

    @Test func moreNodesThanAPageHoldsAreFoldedIntoTheirCallers() throws {
        let writer = try RecordingWriter(path: nil)
        try writer.begin()
        try writer.write(RecordedTarget(command: ["./big"]))
        try writer.add(module: 1, path: "/opt/big", buildID: [])
        try writer.write(RecordedProcess(id: 1, pid: 1))
        var total: UInt64 = 0
        for id: UInt32 in 1...120_000 {
            try writer.add(frame: id, module: 1, offset: UInt64(id))
            try writer.write(symbols: [SourceFrame(function: "f\(id)", file: "/src/f.c", line: 1)], frame: id)
            try writer.add(stack: id, parent: id == 1 ? 0 : 1, frame: id)
            var counters = RecordedCounters(.heap, process: 1, stack: id)
            counters.inUseBytes = UInt64(id)
            counters.inUseCount = 1
            total += counters.inUseBytes
            try writer.write(counters)
        }
        try writer.commit()
        try writer.close()
        let report = try ReportBuilder.build(Recording(of: writer), options: ReportOptions())
        let tree = try #require(try json(report)["tree"] as? [String: Any])
        let values = try #require(tree["inuse"] as? [UInt64])
        #expect(values.count <= 100_001 && values.count > 90_000)
        #expect(values.count - 1 + (tree["folded"] as? Int ?? 0) == 120_000)
        #expect(values.reduce(0, +) == total)
    }

    @Test func nothingInThePageEndsItsScriptElement() throws {
        var recording = try OrderServer.recording()
        recording.target.command = ["</script><!--<script>", "&lt;"]
        recording.strings = Table(recording.strings.map { $0 == "order_create" ? "</script>order" : $0 })
        var text = ""
        HTMLReport.render(try ReportBuilder.build(recording, options: ReportOptions()), into: &text)
        let start = try #require(text.range(of: "id=\"silt-data\">"))
        let end = try #require(text.range(of: "</script>", range: start.upperBound..<text.endIndex))
        let data = text[start.upperBound..<end.lowerBound]
        #expect(!data.contains("<"))
        let json = try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
        #expect((json?["command"] as? String)?.contains("</script><!--<script>") == true)
        #expect(HTMLReport.livePage.contains("data-live") && !HTMLReport.livePage.contains("id=\"silt-data\""))
    }
}
