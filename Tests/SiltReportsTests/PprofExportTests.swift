import Foundation
import SiltEvents
import SiltPprof
import SiltRecording
import SiltTestRecordings
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

/// Profiles, as we and `go tool pprof` read them.
@Suite struct PprofExportTests {
    private func file(_ report: HeapReport, in folder: ScratchFolder, _ name: String = "heap.pb.gz") throws -> String {
        var bytes: [UInt8] = []
        try PprofExport.write(report) { bytes += $0 }
        try Data(bytes).write(to: URL(filePath: folder.file(name)))
        return folder.file(name)
    }

    @Test func goToolPrintsTheProfileAsItDid() throws {
        let folder = try ScratchFolder()
        try expectGolden(goToolPprof(["-raw", file(OrderServer.growingReport(), in: folder)]), "pprof-raw.txt")
        try expectGolden(goToolPprof(["-raw", file(ShopHunt.report(), in: folder)]), "pprof-hunt-raw.txt")
    }

    @Test func oneSampleForEachStackAndProcessHasItsCounters() throws {
        let folder = try ScratchFolder()
        let profile = try PprofProfile(path: file(OrderServer.growingReport(), in: folder))
        #expect(profile.sampleTypes.map(\.type) == ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"])
        #expect(profile.sampleTypes.map(\.unit) == ["count", "bytes", "count", "bytes"])
        #expect(profile.defaultSampleType == "inuse_space")
        #expect(profile.periodType == PprofValueType(type: "space", unit: "bytes"))
        #expect(profile.period == 1)
        #expect(profile.dropFrames.isEmpty && profile.keepFrames.isEmpty)
        #expect(profile.samples.count == 6)
        let leak = try #require(profile.samples.first)
        #expect(leak.values == [57856, 57856 * 1024, 57412, 57412 * 1024])
        // xmalloc is not there.
        #expect(
            profile.frames(of: leak).map(\.function.name) == ["order_create", "parse_header", "handle_order", "main"]
        )
        #expect(profile.frames(of: leak).map(\.isInlined) == [false, true, false, false])
        #expect(leak.locations.count == 3)
        #expect(leak.labels.map(\.key) == ["pid", "command"])
        let mapping = try #require(profile.mappings.first)
        #expect(profile.mappings.count == 1)
        #expect(mapping.file == "/opt/shop/server" && mapping.buildID == "01020304")
        #expect(profile.locations.allSatisfy { $0.address >= mapping.start && $0.address < mapping.end })
    }

    @Test func tooManyRowsAreSummedOverProcesses() throws {
        let report = try OrderServer.growingReport()
        func profile(maximumRows: Int) throws -> PprofProfile {
            var bytes: [UInt8] = []
            try PprofExport.write(report, maximumRows: maximumRows) { bytes += $0 }
            return try PprofProfile(reading: bytes)
        }
        let rows = report.recording.counters.count
        let (apart, summed) = (try profile(maximumRows: rows), try profile(maximumRows: rows - 1))
        func total(_ profile: PprofProfile) -> [Int64] {
            profile.samples.reduce([0, 0, 0, 0]) { zip($0, $1.values).map(+) }
        }
        #expect(total(summed) == total(apart) && summed.samples.count < apart.samples.count)
        #expect(summed.samples.allSatisfy { !$0.labels.contains { $0.key == "pid" || $0.key == "command" } })
        #expect(summed.comments == apart.comments + ["2 processes in one: no labels pid, command"])
    }

    @Test(arguments: [ReportOptions.Order.inUse, .allocated], [nil, 2, 1000])
    func topIsTheTableOfGoTool(order: ReportOptions.Order, limit: Int?) throws {
        let folder = try ScratchFolder()
        var options = ReportOptions()
        options.order = order
        options.limit = limit
        let report = try OrderServer.growingReport(options)
        var ours = ""
        TopTable.render(report, into: &ours)
        // What has no name is one row of its file there.
        ours = ours.replacing("server+0x6abc", with: "[server]")
        let type = order == .inUse ? "inuse_space" : "alloc_space"
        let limits = limit.map { ["-nodecount=\($0)", "-nodefraction=0", "-edgefraction=0"] } ?? []
        let theirs = try goToolPprof(["-top", "-sample_index=\(type)"] + limits + [file(report, in: folder)])
        #expect(table(in: ours) == table(in: theirs))
        #expect(ours.contains("Type: \(type)\n") && theirs.contains("Type: \(type)\n"))
    }

    @Test func labelsChooseWhatGrowsInAPhase() throws {
        let folder = try ScratchFolder()
        let path = try file(ShopHunt.report(), in: folder)
        func total(_ focus: String) throws -> String? {
            // It says on standard error that it takes a number for a range.
            let result = try runProgram(["go", "tool", "pprof", "-top", "-unit=B", "-tagfocus=\(focus)", path])
            return result.output.split(separator: "\n").first { $0.contains("Showing nodes accounting for") }
                .map(String.init)
        }
        #expect(try total("phase=orders")?.hasPrefix("Showing nodes accounting for 73487360B") == true)
        #expect(try total("phase=users")?.hasPrefix("Showing nodes accounting for 2621440B") == true)
        #expect(try total("verdict=growing")?.hasPrefix("Showing nodes accounting for 76108800B") == true)
        #expect(try total("pid=4000")?.hasPrefix("Showing nodes accounting for \(4 * (14353 + 512) * 1024)B") == true)
    }

    /// `go tool pprof` finds the functions itself, with the file and the addresses that the profile names.
    @Test(arguments: [["-pie", "-fPIE"], ["-no-pie"], ["-pie", "-fPIE", "-Wl,-z,noseparate-code"]])
    func goToolFindsTheNamesOfAddresses(flags: [String]) throws {
        let folder = try ScratchFolder()
        let program = try buildWorkload("growth", into: folder, flags: flags)
        let symbols = try consume(["nm", program]).split(separator: "\n").map { $0.split(separator: " ") }
        func address(_ name: String) throws -> UInt64 {
            let line = try #require(symbols.first { $0.last.map(String.init) == name })
            return try #require(UInt64(line[0], radix: 16))
        }
        let writer = try RecordingWriter(path: nil)
        var target = RecordedTarget(command: [program])
        target.executable = program
        try writer.write(target)
        var process = RecordedProcess(id: 1, pid: 5)
        process.executable = program
        try writer.write(process)
        try writer.add(module: 1, path: "/opt/gone.so", buildID: [1])
        try writer.add(module: 2, path: program, buildID: [])
        // A return address may be the first after its function.
        for (index, place) in [
            (UInt32(1), UInt64(0x1234)), (2, try address("build_string") + 8), (2, try address("main") + 1),
        ].enumerated() {
            try writer.add(frame: UInt32(index + 1), module: place.0, offset: place.1)
        }
        for (id, parent, frame) in [(UInt32(1), UInt32(0), UInt32(3)), (2, 1, 2), (3, 1, 1)] {
            try writer.add(stack: id, parent: parent, frame: frame)
        }
        for stack in [UInt32(2), 3] {
            var counters = RecordedCounters(.heap, process: 1, stack: stack)
            counters.inUseBytes = 100 * UInt64(stack)
            counters.inUseCount = 1
            counters.allocatedBytes = counters.inUseBytes
            counters.allocatedCount = 1
            try writer.write(counters)
        }
        let report = try ReportBuilder.build(Recording(of: writer), options: ReportOptions())
        let path = try file(report, in: folder)
        let profile = try PprofProfile(path: path)
        #expect(profile.functions.isEmpty)
        #expect(profile.mappings.map(\.file) == [program, "/opt/gone.so"])
        #expect(!profile.mappings[0].overlaps(profile.mappings[1]))
        let bare = try goToolPprof(["-top", "-symbolize=none", path])
        #expect(bare.contains("300B 60.00% 60.00%       300B 60.00%  [gone.so]"))
        // It says that it does not find the other file.
        let found = try runProgram(["go", "tool", "pprof", "-top", path])
        #expect(found.status == 0)
        #expect(found.output.contains("200B 40.00%   100%       200B 40.00%  build_string"))
        #expect(found.output.contains("0     0%   100%       500B   100%  main"))
    }

    /// Sums by function, and inlining, survive the way through a profile and back.
    @Test func aProfileOfAProfileIsTheSame() throws {
        let folder = try ScratchFolder()
        var header = PprofProfile()
        header.sampleTypes = [
            PprofValueType(type: "inuse_objects", unit: "count"), PprofValueType(type: "inuse_space", unit: "bytes"),
        ]
        var builder = PprofBuilder(header)
        var inner = PprofFrame("shop.make", file: "/src/shop.go", line: 3, address: 0x1010)
        inner.isInlined = true
        let outer = PprofFrame("shop.order", file: "/src/shop.go", line: 9, address: 0x1010)
        builder.add(stack: [inner, outer, PprofFrame("main.main", file: "/src/main.go", line: 4)], values: [3, 300])
        let writer = try RecordingWriter(path: nil)
        try writer.write(RecordedTarget(command: []))
        var process = RecordedProcess(id: 1, pid: 0)
        process.isProfiled = true
        try writer.write(process)
        // As a hunt writes what a profile says: a frame for each function.
        for (index, frame) in builder.profile.frames(of: builder.profile.samples[0]).enumerated() {
            let id = UInt32(index + 1)
            try writer.add(frame: id, module: 0, offset: 0)
            let row = SourceFrame(
                function: frame.function.name,
                file: frame.function.file,
                line: Int(frame.line),
                inlined: frame.isInlined
            )
            try writer.write(symbols: [row], frame: id)
        }
        for id: UInt32 in 1...3 { try writer.add(stack: id, parent: id - 1, frame: 4 - id) }
        var counters = RecordedCounters(.heap, process: 1, stack: 3)
        counters.inUseBytes = 300
        counters.inUseCount = 3
        counters.allocatedBytes = 300
        counters.allocatedCount = 3
        try writer.write(counters)
        let report = try ReportBuilder.build(Recording(of: writer), options: ReportOptions())
        let again = try PprofProfile(path: file(report, in: folder))
        let frames = again.frames(of: try #require(again.samples.first))
        #expect(frames.map(\.function.name) == ["shop.make", "shop.order", "main.main"])
        #expect(frames.map(\.isInlined) == [true, false, false])
        #expect(frames.map(\.line) == [3, 9, 4])
        #expect(again.samples.map(\.labels) == [[]])
        var ours = ""
        TopTable.render(report, into: &ours)
        #expect(try table(in: ours) == table(in: goToolPprof(["-top", file(report, in: folder)])))
        #expect(ours.contains("shop.make (inline)"))
    }

    @Test func goroutinesAreCountedBesideBlocksOrAlone() throws {
        let folder = try ScratchFolder()
        let writer = try RecordingWriter(path: nil)
        for (id, resource) in [(UInt32(1), Resource.heap), (2, .goroutine)] {
            var process = RecordedProcess(id: id, pid: 0)
            process.isProfiled = true
            try writer.write(process)
            try writer.add(frame: id, module: 0, offset: 0)
            try writer.write(symbols: [SourceFrame(function: "main.f\(id)", file: "/src/m.go", line: 1)], frame: id)
            try writer.add(stack: id, parent: 0, frame: id)
            var counters = RecordedCounters(resource, process: id, stack: id)
            counters.inUseBytes = UInt64(id) * 10
            counters.inUseCount = UInt64(id) * 10
            counters.allocatedBytes = counters.inUseBytes
            counters.allocatedCount = counters.inUseCount
            try writer.write(counters)
        }
        let both = try Recording(of: writer)
        var report = try ReportBuilder.build(both, options: ReportOptions())
        var profile = try PprofProfile(path: file(report, in: folder))
        #expect(profile.samples.map(\.values) == [[10, 10, 10, 10, 0], [0, 0, 0, 0, 20]])
        #expect(profile.sampleTypes.last == PprofValueType(type: "goroutine", unit: "count"))
        #expect(profile.defaultSampleType == "inuse_space")
        var alone = both
        alone.processes.removeFirst()
        alone.totals.removeFirst()
        alone.trust.removeFirst()
        alone.counters.removeFirst()
        report = try ReportBuilder.build(alone, options: ReportOptions())
        profile = try PprofProfile(path: file(report, in: folder))
        #expect(profile.sampleTypes == [PprofValueType(type: "goroutine", unit: "count")])
        #expect(profile.samples.map(\.values) == [[20]])
        var ours = ""
        TopTable.render(report, into: &ours)
        #expect(try table(in: ours) == table(in: goToolPprof(["-top", file(report, in: folder)])))
    }
}

extension PprofMapping {
    fileprivate func overlaps(_ other: PprofMapping) -> Bool { start < other.end && other.start < end }
}
