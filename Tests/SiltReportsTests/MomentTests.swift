import SiltEvents
import SiltHeap
import SiltRecording
import SiltTestRecordings
import Testing

@testable import SiltFindings
@testable import SiltReports

/// The past of a recording: snapshots of a free trace, rounds of a hunt.
@Suite struct MomentTests {
    private func total(_ recording: Recording) -> Int {
        recording.counters.reduce(0) { $0 + Int($1.inUseBytes) }
    }

    @Test(arguments: [
        ("start", MomentName.start), ("end", .end), ("0", .number(0)), ("12", .number(12)),
        ("orders", .phase("orders", round: nil)), ("orders:start", .phase("orders", round: 0)),
        ("orders:3", .phase("orders", round: 3)), ("a:b:2", .phase("a:b", round: 2)),
        ("a:b", .phase("a:b", round: nil)),
        ("-1", .phase("-1", round: nil)),
    ])
    func momentsAreReadAsUsersWriteThem(text: String, name: MomentName) {
        #expect(MomentName(text) == name)
        if text != "-1", text != "orders:start" { #expect(name.description == text) }
    }

    @Test(arguments: [(MomentName.start, 0), (.number(5), 5), (.seconds(20.5), 10), (.number(24), 24), (.end, 24)])
    func aFreeTraceIsKnownAtItsSnapshots(name: MomentName, snapshot: Int) throws {
        let recording = try OrderServer.recording()
        let moments = try Moments(recording, path: "run.silt")
        let past = moments.recording(at: try moments.moment(name))
        // The leak grows evenly, the cache comes with the third snapshot.
        let leak = [4, 1].map { 14_353 * $0 * 1024 * snapshot / 24 }.reduce(0, +)
        #expect(total(past) == leak + (snapshot >= 3 ? 5 * 512 * 1024 : 0))
    }

    @Test func momentsOfCallSitesAreCompared() throws {
        let recording = try OrderServer.recording()
        let moments = try Moments(recording, path: "run.silt")
        let (start, end) = (try moments.moment(.number(12)), try moments.moment(.end))
        #expect(start.name == "run.silt at 24 s" && end.name == "run.silt at 48 s")
        let sides = try [start, end].map { try DiffSide(recording, at: $0, of: moments, hide: []) }
        var settings = DiffSettings()
        settings.per = .second
        let diff = try HeapDiff(sides[0], sides[1], settings: settings)
        var text = ""
        DiffText.render(diff, into: &text)
        try expectGolden(text, "diff-between.txt")
        for (measure, problem) in [
            (
                DiffSettings.Measure.allocated,
                "a recording knows what was in use at its moments, not what had been allocated"
            ),
            (.peak, "a moment has no peak"),
        ] {
            settings.measure = measure
            let error = #expect(throws: ReportError.self) { try HeapDiff(sides[0], sides[1], settings: settings) }
            #expect(error?.description == "run.silt at 24 s: \(problem): compare --by inuse")
        }
        settings.measure = .inUse
        settings.per = .request
        let error = #expect(throws: ReportError.self) { try HeapDiff(sides[0], sides[1], settings: settings) }
        #expect(error?.description == "run.silt at 48 s: no requests were counted since run.silt at 24 s")
    }

    /// A hunt: two slices of idle, a warm-up and two rounds of orders; a stack that leaks and one that filled once.
    private func hunt() throws -> Recording {
        let writer = try RecordingWriter(path: nil)
        try writer.write(RecordedProcess(id: 1, pid: 9))
        try writer.write(RecordedProcess(id: 2, pid: 10))
        try writer.add(module: 1, path: "/opt/shop", buildID: [])
        for (index, name) in ["leak", "fill", "main"].enumerated() {
            let id = UInt32(index + 1)
            try writer.add(frame: id, module: 1, offset: UInt64(index))
            try writer.write(symbols: [SourceFrame(function: name, file: "/src/shop.c", line: index + 1)], frame: id)
        }
        for (id, parent, frame) in [(UInt32(1), UInt32(0), UInt32(3)), (2, 1, 1), (3, 1, 2)] {
            try writer.add(stack: id, parent: parent, frame: frame)
        }
        for (process, stack, live) in [
            (UInt32(1), UInt32(2), [10, 10, 10, 110, 210, 310]), (1, 3, [5, 5, 5, 50, 50, 50]),
            (2, 2, [0, 0, 0, 0, 1, 2]),
        ] {
            try writer.write(
                history: SiteHistory.rounds(RoundHistory(liveBytes: live.map { UInt64($0) })).encoded(),
                of: .heap,
                process: process,
                stack: stack
            )
        }
        try writer.write(RecordedPhase(name: "idle", startNs: 0), number: 1)
        try writer.write(RecordedPhase(name: "orders", startNs: 2), number: 2)
        for (index, kind) in [RecordedRound.Kind.idle, .idle, .warmUp, .round, .round].enumerated() {
            var round = RecordedRound(
                number: UInt32(index + 1),
                phase: kind == .idle ? 1 : 2,
                kind: kind,
                startNs: UInt64(index) * 1_000_000_000,
                endNs: UInt64(index + 1) * 1_000_000_000
            )
            if kind != .idle { round.requests = 50 }
            try writer.write(round)
        }
        return try Recording(of: writer)
    }

    @Test(arguments: [
        (MomentName.start, 15, "before the first round", 0), (.number(2), 15, "after 2 rounds of idle", 0),
        (.phase("idle", round: nil), 15, "after 2 rounds of idle", 0),
        (.phase("orders", round: 0), 15, "after 2 rounds of idle", 0),
        (.phase("orders", round: 1), 160, "after 1 round of orders", 50),
        (.seconds(4.5), 261, "after 2 rounds of orders", 100),
        (.phase("orders", round: nil), 362, "after 3 rounds of orders", 150),
        (.end, 362, "after 3 rounds of orders", 150),
    ])
    func aHuntIsKnownAtItsRounds(name: MomentName, bytes: Int, words: String, requests: Int) throws {
        let moments = try Moments(hunt(), path: "h.silt")
        let moment = try moments.moment(name)
        #expect(moment.name == "h.silt " + words)
        #expect(moment.requests == UInt64(requests))
        #expect(total(moments.recording(at: moment)) == bytes)
    }

    @Test func roundsOfAHuntAreComparedByStack() throws {
        let recording = try hunt()
        let moments = try Moments(recording, path: "h.silt")
        let sides = try [MomentName.phase("orders", round: 1), .end].map {
            try DiffSide(recording, at: moments.moment($0), of: moments, hide: [])
        }
        var settings = DiffSettings()
        settings.per = .request
        let diff = try HeapDiff(sides[0], sides[1], settings: settings)
        #expect(diff.functions.map(\.key.function) == ["leak", "main"])
        #expect(diff.functions[0].flat.value == 2.02)
        #expect(diff.functions[1].cumulative.value == 2.02)
        var folded = ""
        DiffFolded.render(diff, into: &folded)
        #expect(folded == "main;fill 50 50\nmain;leak 110 312\n")
    }

    @Test(arguments: [
        (MomentName.number(6), "there is no moment 6: the hunt has 5 rounds"),
        (.phase("users", round: nil), "there is no moment users: phases are idle, orders"),
        (.phase("orders", round: 4), "there is no moment orders:4: orders has 3 rounds"),
    ])
    func momentsThatAreNotThereAreNamed(name: MomentName, message: String) throws {
        let moments = try Moments(hunt(), path: "h.silt")
        let error = #expect(throws: ReportError.self) { try moments.moment(name) }
        #expect(error?.description == message)
    }

    @Test func aFreeTraceHasNeitherPhasesNorAFuture() throws {
        let moments = try Moments(OrderServer.recording(), path: "run.silt")
        for (name, message) in [
            (MomentName.number(25), "there is no moment 25: snapshots are 0 to 24"),
            (.seconds(60), "there is no moment 60 s: the recording ends after 48 s"),
            (
                .phase("orders", round: nil),
                "there is no moment orders: the trace ran freely: moments are snapshots (0 to 24), times (30s), start and end"
            ),
        ] {
            let error = #expect(throws: ReportError.self) { try moments.moment(name) }
            #expect(error?.description == message)
        }
    }

    @Test func aRecordingWithoutAPastSaysSo() throws {
        let writer = try RecordingWriter(path: nil)
        try writer.write(RecordedProcess(id: 1, pid: 1))
        let error = #expect(throws: ReportError.self) { try Moments(Recording(of: writer), path: "short.silt") }
        #expect(
            error?.description
                == "short.silt: it has fewer than two snapshots, so there are no moments to compare"
        )
    }
}
