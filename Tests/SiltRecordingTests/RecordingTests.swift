import Foundation
import SiltEvents
import SiltTestRecordings
import Testing

@testable import SiltRecording

@Suite struct RecordingTests {
    @Test func resourcesOfOneStackAreKeptApart() throws {
        let writer = try RecordingWriter(path: nil)
        try SmallWorld.write(to: writer)
        for (resource, bytes) in [(Resource.mapping, UInt64(4096)), (.goroutine, 7)] {
            var counters = RecordedCounters(resource, process: 1, stack: 2)
            counters.inUseBytes = bytes
            try writer.write(counters)
            try writer.write(history: [UInt8(bytes % 251)], of: resource, process: 1, stack: 2)
            for snapshot: UInt32 in 0..<200 {
                try writer.write(
                    RecordedSample(
                        resource,
                        process: 1,
                        group: 1,
                        snapshot: snapshot,
                        inUseBytes: bytes,
                        inUseCount: 1
                    )
                )
            }
        }
        try writer.thin()
        let recording = try Recording(of: writer)
        #expect(recording.counters.map(\.resource) == [.heap, .heap, .heap, .mapping, .goroutine])
        #expect(recording.counters.map(\.inUseBytes) == [100, 200, 300, 4096, 7])
        #expect(recording.histories.map(\.resource) == [.heap, .mapping, .goroutine])
        for (resource, bytes) in [(Resource.heap, UInt64(6)), (.mapping, 4096), (.goroutine, 7)] {
            let samples = recording.groupSamples.filter { $0.resource == resource }
            #expect(samples.allSatisfy { $0.inUseBytes == bytes } && (1...64).contains(samples.count), "\(resource)")
        }
    }

    private func check(_ recording: Recording) {
        #expect(recording.target == SmallWorld.target())
        #expect(recording.cost == SmallWorld.cost())
        #expect(recording.processes == SmallWorld.processes())
        #expect(recording.totals[0].inUseBytes == 600)
        #expect(recording.totals[0].peakInUseBytes == 777)
        #expect(recording.totals[1] == RecordedTotals())
        #expect(recording.trust[0].eventsReceived == 14)
        #expect(recording.trust[0].eventsSent == 15)
        #expect(recording.trust[0].offReason == 2)
        #expect(recording.modules == [RecordedModule(path: "/opt/server", buildID: [0xde, 0xad])])
        #expect(recording.frames.map(\.offset) == [0x1234, 0xffff_8000_0000_1000])
        #expect(recording.frames(ofStack: 3) == [1, 2, 1])
        #expect(recording.counters.map(\.inUseBytes) == [100, 200, 300])
        #expect(recording.counters.allSatisfy { $0.allocatedBytes == .max && $0.group == 1 })
        #expect(recording.snapshots.map(\.rssBytes) == [4096])
        #expect(recording.groupSamples.map(\.troughBytes) == [6])
        #expect(recording.histories.map { Array(recording.historyBytes[$0.range]) } == [[1, 2, 3]])
        #expect(recording.groupHistories.map { Array(recording.historyBytes[$0.range]) } == [[4, 5]])
        #expect(recording.symbols(ofFrame: 1).map { recording.string($0.function) } == ["inner", "outer"])
        #expect(recording.symbols(ofFrame: 1).map(\.inlined) == [true, false])
        #expect(recording.symbols(ofFrame: 2).isEmpty)
        #expect(recording.memoryLimit == 512 << 20)
        #expect(recording.memory == [SmallWorld.look()] && recording.pins == SmallWorld.pins())
        #expect(recording.moves == SmallWorld.moves())
        #expect(recording.marks == [RecordedMark(name: "ready", timeNs: 6_000_000_000)])
        #expect(
            recording.phases == [
                RecordedPhase(name: "/orders", startNs: 6_000_000_000, endNs: 7_000_000_000, requests: 2000)
            ]
        )
        #expect(recording.rounds.map(\.kind) == [.warmUp])
        #expect(recording.rounds.first?.requests == 2000 && recording.rounds.first?.failedRequests == 1)
        #expect(
            recording.phaseAllocations == [PhaseAllocations(process: 1, phase: 1, stack: 3, count: 5, bytes: 500)]
        )
        #expect(
            recording.phaseFrees == [PhaseFrees(process: 1, phase: 1, stack: 3, freeStack: 2, count: 4, bytes: 400)]
        )
        #expect(recording.threads.map(\.name) == ["main", "pool"])
        #expect(recording.threads.map(\.stacks) == [[1, 3], []])
    }

    @Test func whyAHuntEndedEarlyIsKept() throws {
        let folder = try Folder()
        let path = folder.file("run.silt")
        let first = try RecordingWriter(path: path)
        try SmallWorld.write(to: first)
        try first.close()
        #expect(try Recording(path: path).huntEnd == nil)
        let end = RecordedHuntEnd(reason: "the load failed\n  'no such route'", planned: ["/orders", "it's a phase"])
        let writer = try RecordingWriter(addingTo: path)
        try writer.write(end)
        try writer.close()
        let recording = try Recording(path: path)
        #expect(recording.huntEnd == end && recording.isClosed)
        check(recording)
    }

    /// What a closed recording has stays as it was, and what is added gets ids of its own.
    @Test(arguments: [true, false])
    func rowsAreAddedToARecordingThatIsThere(isClosed: Bool) throws {
        let folder = try Folder()
        let path = folder.file("run.silt")
        do {
            let first = try RecordingWriter(path: path)
            try SmallWorld.write(to: first)
            if isClosed { try first.close() }
        }
        let writer = try RecordingWriter(addingTo: path)
        let process = writer.storedProcesses + 1
        let frame = UInt32(writer.storedFrames + 1)
        let stack = UInt32(writer.storedStacks + 1)
        #expect((process, frame) == (3, 3) && stack > 3)
        try writer.begin()
        var row = RecordedProcess(id: process, pid: 101)
        row.isProfiled = true
        row.executable = ProfileSource.text("profiles of host", period: 512)
        row.samplePeriod = 512
        try writer.write(row)
        try writer.add(frame: frame, module: 1, offset: 7)
        try writer.write(symbols: [SourceFrame(function: "inner"), SourceFrame(function: "shop.Order")], frame: frame)
        try writer.add(stack: stack, parent: UInt32(0), frame: frame)
        try writer.add(stack: stack + 1, parent: stack, frame: UInt32(1))
        var counters = RecordedCounters(.heap, process: process, stack: StackID(stack + 1))
        counters.inUseBytes = 77
        try writer.write(counters)
        #expect(try writer.roundTimes().count == 2)
        try writer.close()
        var recording = try Recording(path: path)
        #expect(recording.isClosed == isClosed)
        #expect(recording.processes.last == row)
        #expect(recording.counters.last?.inUseBytes == 77)
        #expect(recording.frames(ofStack: StackID(stack + 1)) == [1, 3])
        #expect(recording.symbols(ofFrame: 3).map { recording.string($0.function) } == ["inner", "shop.Order"])
        recording.processes.removeLast()
        recording.totals.removeLast()
        recording.trust.removeLast()
        recording.counters.removeLast()
        recording.frames.removeLast()
        check(recording)
    }

    @Test func everythingWrittenIsReadBack() throws {
        let folder = try Folder()
        let writer = try RecordingWriter(path: folder.file("a.silt"))
        try SmallWorld.write(to: writer)
        try writer.close()
        let recording = try Recording(path: folder.file("a.silt"))
        check(recording)
        #expect(recording.isClosed)
    }

    @Test func aTemporaryRecordingIsReadThroughItsWriter() throws {
        let writer = try RecordingWriter(path: nil)
        try SmallWorld.write(to: writer)
        check(try Recording(of: writer))
        try writer.close()
    }

    @Test func aRecordingIsReadableWhileItIsWritten() throws {
        let folder = try Folder()
        let writer = try RecordingWriter(path: folder.file("a.silt"))
        try SmallWorld.write(to: writer)
        let recording = try Recording(path: folder.file("a.silt"))
        check(recording)
        #expect(!recording.isClosed)
        try writer.close()
    }

    @Test func closingLeavesOnePrivateFile() throws {
        let folder = try Folder()
        let writer = try RecordingWriter(path: folder.file("a.silt"))
        try SmallWorld.write(to: writer)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.file(name))
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
        try writer.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.silt"])
    }

    @Test func rowsOfOneKeyReplaceEachOther() throws {
        let writer = try RecordingWriter(path: nil)
        try SmallWorld.write(to: writer)
        var counters = RecordedCounters(.heap, process: 1, stack: 2)
        counters.inUseBytes = 1
        try writer.write(counters)
        try writer.write(symbols: [SourceFrame(function: "only")], frame: 1)
        let recording = try Recording(of: writer)
        #expect(recording.counters.map(\.inUseBytes) == [100, 1, 300])
        #expect(recording.symbols(ofFrame: 1).map { recording.string($0.function) } == ["only"])
    }

    @Test func theSessionsStacksAreAddedOnce() throws {
        let table = StackTable()
        let writer = try RecordingWriter(path: nil)
        let module = table.intern(module: Module(path: "/opt/a", buildID: [7]))
        let outer = table.intern(frame: Frame(module: module, offset: 16, kind: .returnAddress))
        let main = table.intern(parent: .none, frame: outer)
        try writer.addNew(of: table)
        let inner = table.intern(frame: Frame(module: .none, offset: 99, kind: .exact))
        let leaf = table.intern(parent: main, frame: inner)
        try writer.addNew(of: table)
        try writer.addNew(of: table)
        let recording = try Recording(of: writer)
        #expect(recording.modules.map(\.buildID) == [[7]])
        #expect(recording.frames(ofStack: leaf) == [inner, outer])
        #expect(recording.frames.map(\.kind) == [.returnAddress, .exact])
    }

    @Test(arguments: [
        [[]], [[""]], [["a"]], [["a b", "c"]], [["it's"]], [["'"]], [["\\", "\"", "$HOME"]], [["é", "a\nb"]],
    ])
    func aCommandKeepsItsWords(_ cases: [[String]]) {
        for words in cases { #expect(ShellWords.words(ShellWords.joined(words)) == words) }
    }
}
