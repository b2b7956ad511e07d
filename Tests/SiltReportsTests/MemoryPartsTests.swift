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

    /// Looks are few where they are expensive, or the machine is busy.
    @Test func whatCameAfterTheLastLookIsNotGuessed() throws {
        func look(_ snapshot: UInt32, mapped: UInt64) -> RecordedMemory {
            var look = RecordedMemory(process: 1, snapshot: snapshot)
            (look.bytes[.live], look.bytes[.mapped], look.bytes[.files]) = (1 << 20, mapped, 7 << 20)
            return look
        }
        func line(lastLookAt snapshot: UInt32) throws -> String? {
            var scene = Scene()
            scene.resident = (8 << 20, 56 << 20)
            scene.memory = [look(0, mapped: 0), look(snapshot, mapped: UInt64(snapshot) << 21)]
            let way = [Scene.Frame(function: "main", file: "/src/main.c", line: 3)]
            scene.places = [Scene.Place(frames: way, bytes: 1 << 20, count: 10)]
            let report = try scene.report()
            return WholeProcess(report).lines.first { $0.hasPrefix("RSS") }
        }
        #expect(
            try line(lastLookAt: 16)
                == "RSS: 56.0 MiB, 8.00 MiB at the start; 32.0 MiB mapped by the program, 7.00 MiB files and shared memory, "
                + "1.00 MiB live blocks, 16.0 MiB came later"
        )
        // What a process was at its start says nothing of its end.
        #expect(try line(lastLookAt: 6)?.contains("of it is not live heap") == true)
    }

    @Test func whatAProcessLetsGoAtItsEndIsNotForgotten() {
        func rows(_ resident: [UInt64]) -> [RecordedSnapshot] {
            resident.indices.map { index in
                var row = RecordedSnapshot(process: 1, snapshot: UInt32(index), timeNs: UInt64(index) * 1_000_000_000)
                row.rssBytes = resident[index] << 20
                return row
            }
        }
        let grown = (0..<24).map { 8 + UInt64($0) * 2 }
        #expect(MemoryGrowth.beforeLetGo(rows(grown)).count == 24)
        #expect(MemoryGrowth.beforeLetGo(rows(grown + [50, 4])).count == 25)
        // Longer than its last moments: that is how it is now.
        #expect(MemoryGrowth.beforeLetGo(rows(grown + [50] + Array(repeating: 4, count: 8))).count == 33)
    }
}
