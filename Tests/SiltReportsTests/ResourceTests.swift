import Foundation
import SiltEvents
import SiltPprof
import SiltRecording
import SiltTestRecordings
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

/// A recording with blocks, mappings and timers: each output shows one of them, or tells them apart.
@Suite struct ResourceTests {
    private static func recording(_ factor: UInt64 = 1) throws -> Recording {
        let writer = try RecordingWriter(path: nil)
        try writer.write(RecordedProcess(id: 1, pid: 7))
        for (index, resource) in [Resource.heap, .mapping, .timer].enumerated() {
            let id = UInt32(index + 1)
            try writer.add(frame: id, module: 0, offset: 0)
            let row = SourceFrame(function: "take_\(resource.name)", file: "/src/m.c", line: index + 1)
            try writer.write(symbols: [row], frame: id)
            try writer.add(stack: id, parent: 0, frame: id)
            var counters = RecordedCounters(resource, process: 1, stack: id)
            counters.inUseCount = 3 * factor
            counters.inUseBytes = resource.isCounted ? 3 * factor : 6144 * factor
            (counters.allocatedCount, counters.allocatedBytes) = (counters.inUseCount, counters.inUseBytes)
            try writer.write(counters)
        }
        return try Recording(of: writer)
    }

    private static func report(_ resource: Resource? = nil) throws -> HeapReport {
        var options = ReportOptions()
        options.resource = resource
        return try ReportBuilder.build(recording(), options: options)
    }

    private static func text(_ name: String, _ report: HeapReport) throws -> String {
        var bytes: [UInt8] = []
        try #require(ReportOutput.named(name)).write(report) { bytes += $0 }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A descriptor that a look has found is the program's as such; one without symbols has an address.
    @Test(arguments: [(Resource.descriptor, UInt64(0), true), (.descriptor, 4096, false), (.timer, 0, false)])
    func whatNoCallWasSeenForIsToldFromWhatHasNoName(resource: Resource, offset: UInt64, expected: Bool) throws {
        let writer = try RecordingWriter(path: nil)
        try writer.write(RecordedProcess(id: 1, pid: 7))
        try writer.add(module: 1, path: "/opt/server", buildID: [1])
        try writer.add(frame: 1, module: 1, offset: offset)
        try writer.add(stack: 1, parent: 0, frame: 1)
        var counters = RecordedCounters(resource, process: 1, stack: 1)
        (counters.inUseCount, counters.inUseBytes) = (3, 3)
        (counters.allocatedCount, counters.allocatedBytes) = (3, 3)
        try writer.write(counters)
        let report = try ReportBuilder.build(Recording(of: writer), options: ReportOptions())
        #expect(try report.isOfUnseenCalls(#require(report.sites.first)) == expected)
    }

    @Test(arguments: ["top", "tree", "flame", "folded"])
    func aViewAddsUpTheResourceThatIsAskedFor(name: String) throws {
        for resource in [Resource.heap, .mapping, .timer] {
            let text = try Self.text(name, Self.report(resource))
            for other in [Resource.heap, .mapping, .timer] {
                #expect(text.contains("take_\(other.name)") == (other == resource), "\(resource): \(text)")
            }
        }
        #expect(try Self.text(name, Self.report()) == Self.text(name, Self.report(.heap)))
    }

    /// Of what has no size, or of which nobody knows when it was taken, blocks are shown, and a line says so.
    @Test func sizesAndAgesAreOfWhatIsAskedForOrSayOfWhatTheyAre() throws {
        #expect(try Self.text("sizes", Self.report(.mapping)).hasPrefix("mappings in use at the end, by the mean size"))
        #expect(try Self.text("sizes", Self.report(.mapping)).contains(": 3 mappings, 6.00 KiB\n"))
        #expect(try Self.text("sizes", Self.report(.timer)).hasPrefix("of blocks: timers have no size\n"))
        for resource in [Resource.mapping, .timer] {
            let ages = try Self.text("ages", Self.report(resource))
            #expect(ages.hasPrefix("of blocks: \(resource.units) have no age\n"), "\(ages)")
        }
        #expect(try !Self.text("ages", Self.report()).contains("of blocks"))
    }

    /// Numbers of snapshots at which two call sites took and gave back; between them nothing changed.
    @Test func theCourseOfAResourceIsTheSumOfItsCallSites() throws {
        var recording = try OrderServer.recording(snapshots: 8)
        func sample(_ group: FrameID, _ snapshot: UInt32, _ count: UInt64) -> RecordedSample {
            RecordedSample(
                .descriptor,
                process: 1,
                group: group,
                snapshot: snapshot,
                inUseBytes: count,
                inUseCount: count
            )
        }
        recording.groupSamples = [
            sample(2, 1, 4), sample(2, 3, 7), sample(2, 6, 0), sample(5, 2, 1), sample(5, 6, 30),
        ]
        let levels = ResourceLevels(.descriptor, recording)
        let ofFirst = recording.snapshots.filter { $0.process == 1 }.map { levels.inUse(at: $0) }
        #expect(ofFirst == [0, 4, 5, 8, 8, 8, 30, 30, 30])
        #expect(recording.snapshots.filter { $0.process == 2 }.allSatisfy { levels.inUse(at: $0) == 0 })
        var options = ReportOptions()
        (options.width, options.resource) = (80, .descriptor)
        let text = try Self.text("timeline", ReportBuilder.build(recording, options: options))
        #expect(text.hasPrefix("descriptors in use: at most 30 at a snapshot, 30 at the last\n"), "\(text)")
    }

    /// Its table of functions is that of the recording.
    @Test func speedscopeWeighsTheResourceThatIsAskedFor() throws {
        let cases = [(Resource.heap, "in use", 6144), (.mapping, "in use", 6144), (.timer, "timers", 3)]
        for (resource, name, weight) in cases {
            let text = try Self.text("speedscope", Self.report(resource))
            #expect(text.contains("\"name\": \"\(name)\"") && text.contains("\"endValue\": \(weight)"), "\(text)")
        }
        let all = ReportOutput.all.filter(\.takesResource).map(\.name)
        let views = ["top", "tree", "flame", "timeline", "peak", "sizes", "ages"]
        #expect(all == views + ["folded", "speedscope", "firefox"])
    }

    @Test func theFirefoxProfilerWeighsTheResourceThatIsAskedFor() throws {
        struct Profile: Decodable {
            struct Allocations: Decodable { var weight: [Int] }
            struct Thread: Decodable {
                var name: String
                var nativeAllocations: Allocations
            }
            var threads: [Thread]
        }
        let cases = [(Resource.heap, "in use", 6144), (.mapping, "in use", 6144), (.timer, "timers", 3)]
        for (resource, name, weight) in cases {
            let text = try Self.text("firefox", Self.report(resource))
            let thread = try #require(try JSONDecoder().decode(Profile.self, from: Data(text.utf8)).threads.first)
            #expect(thread.name == "\(name), by the time it came")
            #expect(thread.nativeAllocations.weight.reduce(0, +) == weight, "\(text)")
        }
    }

    @Test func tablesNameWhatTheyCount() throws {
        #expect(try Self.text("top", Self.report(.mapping)).contains("Type: mapping_inuse_space\n"))
        let timers = try Self.text("top", Self.report(.timer))
        #expect(timers.contains("Type: timer\n") && timers.contains("         3   100%   100%          3   100%"))
    }

    @Test func whatHasNoSizeIsCountedInWords() throws {
        let text = try Self.text("sites", Self.report())
        #expect(text.contains("  3 timers\n") && text.contains("6.00 KiB in 3 mappings\n"), "\(text)")
        #expect(text.contains("\n3 timers in use at the end\n"), "\(text)")
    }

    @Test func ratesOfSeveralUnitsAreNotAddedUp() throws {
        var report = try Self.report()
        let units = [Resource.heap, .mapping, .timer].map { Rate.Unit(.init(of: $0), per: .second) }
        for index in report.sites.indices {
            report.sites[index].rate = Rate(value: 1024, low: 1000, high: 1100, unit: units[index])
        }
        #expect(Headline.sum(report.sites) == "2.00 KiB and 1024 timers per second")
        let each = Rate(value: 1, low: 1, high: 1, unit: Rate.Unit(.objects(.descriptor), per: .request))
        report.sites.append(report.sites[0])
        report.sites[3].rate = each
        #expect(Headline.sum(report.sites) == "2.00 KiB and 1024 timers per second and 1.00 descriptor per request")
        report.sites[0].rate = Rate(value: 1, low: 1, high: 1, unit: Rate.Unit(.objects(.thread), per: .second))
        #expect(Headline.sum(Array(report.sites[..<3])) == "1.00 thread, 1.00 KiB and 1024 timers per second")
        #expect(units.map(\.rawValue) == ["bytes/second", "bytes/second", "objects/second"])
        #expect(Rate.Unit("objects/second", of: .timer) == units[2])
        #expect(Rate.Unit("objects/second", of: .heap) == nil && Rate.Unit("bytes/second", of: .timer) == nil)
    }

    @Test func aProfileHasASampleTypeForEach() throws {
        var bytes: [UInt8] = []
        try PprofExport.write(Self.report()) { bytes += $0 }
        let profile = try PprofProfile(reading: bytes)
        let heap = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]
        #expect(profile.sampleTypes.map(\.type) == heap + heap.map { "mapping_" + $0 } + ["timer"])
        #expect(profile.defaultSampleType == "inuse_space")
        #expect(
            profile.samples.map(\.values) == [
                [3, 6144, 3, 6144, 0, 0, 0, 0, 0], [0, 0, 0, 0, 3, 6144, 3, 6144, 0], [0, 0, 0, 0, 0, 0, 0, 0, 3],
            ]
        )
    }

    @Test func aDifferenceIsThatOfTheResourceThatIsAskedFor() throws {
        for (resource, amount) in [(Resource.mapping, "6.00 KiB"), (.timer, "3 timers")] {
            let diff = try HeapDiff(
                DiffSide(Self.recording(), name: "A", hide: [], resource: resource),
                DiffSide(Self.recording(2), name: "B", hide: [], resource: resource),
                settings: DiffSettings()
            )
            let line = DiffText.headline(diff)
            #expect(line.hasPrefix("B holds \(amount) more than A: +\(amount) take_\(resource.name)"), "\(line)")
            var bytes: [UInt8] = []
            try DiffPprof.write(diff) { bytes += $0 }
            let names = try PprofProfile(reading: bytes).sampleTypes.map(\.type)
            #expect(names.last == resource.sampleType("inuse_space"))
        }
        let sides = try (
            DiffSide(Self.recording(), name: "A", hide: []),
            DiffSide(Self.recording(), name: "B", hide: [], resource: .timer)
        )
        #expect(throws: ReportError.self) { try HeapDiff(sides.0, sides.1, settings: DiffSettings()) }
    }
}
