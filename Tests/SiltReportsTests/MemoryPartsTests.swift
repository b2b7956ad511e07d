import Foundation
import SiltEvents
import SiltRecording
import Testing

@testable import SiltFindings
@testable import SiltReports

/// What resident memory is for, over time: in the page's timeline and in `silt top`.
@Suite struct MemoryPartsTests {
    private func report() throws -> HeapReport {
        func look(_ snapshot: UInt32, mapped: UInt64) -> RecordedMemory {
            var look = RecordedMemory(process: 1, snapshot: snapshot)
            (look.bytes[.live], look.bytes[.mapped], look.bytes[.files]) = (1 << 20, mapped, 6 << 20)
            look.bytes[.own] = 4096
            return look
        }
        var scene = Scene()
        scene.resident = (8 << 20, 27 << 20)
        scene.memory = [look(6, mapped: 1 << 20), look(12, mapped: 10 << 20), look(24, mapped: 20 << 20)]
        let way = [Scene.Frame(function: "main", file: "/src/main.c", line: 3)]
        scene.places = [Scene.Place(frames: way, bytes: 1 << 20, count: 10)]
        return try scene.report()
    }

    @Test func topNamesThePartThatGrew() throws {
        var view = TopView("4000")
        view.take(try report())
        let lines = view.lines(width: 110, height: 12, color: false)
        #expect(
            lines[2] == "RSS is 20.0 MiB mapped by the program (+19.0 MiB), 6.00 MiB files and shared memory, "
                + "1.00 MiB live blocks"
        )
        #expect(lines[3].contains("call site (by growth)") && lines.count == 12)
    }

    @Test func theTimelineStacksTheParts() throws {
        var text = ""
        try PageData.render(report(), into: &text)
        let root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let timeline = try #require(root["timeline"] as? [String: Any])
        let parts = try #require(timeline["parts"] as? [[String: Any]])
        // What is never a fiftieth of it is others.
        #expect(parts.map { $0["use"] as? String } == ["live", "mapped", "files", "other"])
        let values = try parts.map { try #require($0["values"] as? [UInt64]) }
        #expect(values.allSatisfy { $0.count == 400 })
        // Nobody looked before the sixth of 24 seconds; a look stands until the next.
        #expect(values.map { $0[50] } == [0, 0, 0, 0])
        #expect(values.map { $0[150] } == [1 << 20, 1 << 20, 6 << 20, 4096])
        #expect(values.map { $0[250] } == [1 << 20, 10 << 20, 6 << 20, 4096])
        #expect(values.map { $0[399] } == [1 << 20, 20 << 20, 6 << 20, 4096])
    }
}
