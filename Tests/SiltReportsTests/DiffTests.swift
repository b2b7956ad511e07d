import Foundation
import SiltEvents
import SiltPprof
import SiltRecording
import SiltTestRecordings
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

/// Two recordings of the order server: the second is of another build, leaks more, and has lost its cache.
@Suite struct DiffTests {
    /// Another build: other addresses, folders and lines, and a clone of order_create.
    private func rebuilt() throws -> Recording {
        var recording = try OrderServer.recording()
        for index in recording.frames.indices { recording.frames[index].offset += 0x10000 }
        for index in recording.modules.indices {
            recording.modules[index].path = "/elsewhere/server"
            recording.modules[index].buildID = [9, 9]
        }
        for index in recording.strings.indices {
            recording.strings[index] = recording.strings[index].replacing("/src/", with: "/build/new/")
            if recording.strings[index] == "order_create" { recording.strings[index] = "order_create.constprop.0" }
        }
        for index in recording.symbols.indices { recording.symbols[index].line += 3 }
        return recording
    }

    /// The same, with other numbers.
    private func grown() throws -> Recording {
        var recording = try rebuilt()
        for index in recording.counters.indices {
            switch recording.counters[index].stack {
            case 4:
                recording.counters[index].inUseBytes += 1 << 20
                recording.counters[index].inUseCount += 1024
                recording.counters[index].allocatedBytes += 3 << 20
            case 6:
                recording.counters[index].inUseBytes = 0
                recording.counters[index].inUseCount = 0
                recording.counters[index].peakBytes += 5000
            default: break
            }
        }
        return recording
    }

    private func diff(
        _ before: Recording,
        _ after: Recording,
        _ change: (inout DiffSettings) -> Void = { _ in }
    ) throws -> HeapDiff {
        var settings = DiffSettings()
        change(&settings)
        return try HeapDiff(
            DiffSide(before, name: "old.silt", hide: []),
            DiffSide(after, name: "new.silt", hide: []),
            settings: settings
        )
    }

    private func text(_ diff: HeapDiff) -> String {
        var output = ""
        DiffText.render(diff, into: &output)
        return output
    }

    @Test func theBiggestChangeComesFirst() throws {
        try expectGolden(text(diff(OrderServer.recording(), grown())), "diff.txt")
        var json = ""
        DiffJSON.render(try diff(OrderServer.recording(), grown()), into: &json)
        try expectGolden(json, "diff.json")
    }

    @Test func aRebuildIsNoDifference() throws {
        for measure in DiffSettings.Measure.allCases {
            let diff = try diff(OrderServer.recording(), rebuilt()) { $0.measure = measure }
            #expect(diff.functions.isEmpty)
            #expect(text(diff).contains("as much as A"))
            #expect(text(diff).contains(": no call site differs\n"))
            #expect(text(diff).contains("Showing nodes accounting for 0, 0% of"))
        }
        let lines = try diff(OrderServer.recording(), rebuilt()) { $0.comparesLines = true }
        #expect(lines.functions.count == 10)
        #expect(text(lines).hasPrefix("B holds as much as A, in other places: "))
        #expect(lines.functions.contains { $0.key.name == "order_create orders.c:91" && $0.flat.value == 73_487_360 })
        #expect(lines.functions.contains { $0.key.name == "order_create orders.c:88" && $0.flat.value == -73_487_360 })
    }

    @Test(arguments: [
        (
            DiffSettings.Measure.inUse,
            "B holds 512 KiB less than A: -2.50 MiB cache_fill cache.c, +2.00 MiB order_create orders.c"
        ),
        (.allocated, "B allocated 6.00 MiB more than A: +6.00 MiB order_create orders.c"),
        (.peak, "B held 9.77 KiB more than A, each at its peak: +9.77 KiB cache_fill cache.c"),
    ])
    func theFirstLineSaysWhatChanged(measure: DiffSettings.Measure, line: String) throws {
        let diff = try diff(OrderServer.recording(), grown()) { $0.measure = measure }
        #expect(text(diff).split(separator: "\n").first.map(String.init) == line)
    }

    @Test func changesAreThoseOfRequestsOrSeconds() throws {
        var (old, new) = (try OrderServer.recording(), try grown())
        let refused = #expect(throws: ReportError.self) { try diff(old, new) { $0.per = .request } }
        #expect(refused?.description == "old.silt: no requests were counted in it; --per second may do")
        let timeless = #expect(throws: ReportError.self) { try diff(old, new) { $0.per = .second } }
        #expect(timeless?.description == "old.silt: it does not say how long was measured")
        old.target.endNs = 1_000_000_000
        new.target.endNs = 4_000_000_000
        let bySecond = try diff(old, new) { $0.per = .second }
        let order = try #require(bySecond.functions.first { $0.key.function == "order_create" })
        #expect(order.flat.value == Double(73_487_360 + 2 << 20) / 4 - 73_487_360)
        #expect(text(bySecond).contains("Type: inuse_space per second\n"))
        #expect(text(bySecond).contains("old.silt: 72.6 MiB in 74,325 blocks, 1.0 s\n"))
        old.phases = [RecordedPhase(name: "orders", startNs: 0)]
        new.phases = old.phases
        for (index, requests) in [UInt64(100), 300].enumerated() {
            var round = RecordedRound(number: 1, phase: 1, kind: .round, startNs: 0, endNs: 9)
            round.requests = requests
            if index == 0 { old.rounds = [round] } else { new.rounds = [round] }
        }
        let byRequest = try diff(old, new) { $0.per = .request }
        #expect(byRequest.total.value == Double(76_108_800 - (1 << 19)) / 300 - 761_088)
    }

    // MARK: For other tools

    private func profile(_ recording: Recording, in folder: ScratchFolder, _ name: String) throws -> String {
        let report = try ReportBuilder.build(recording, options: ReportOptions())
        return try file(name, in: folder) { write in try PprofExport.write(report, to: write) }
    }

    private func file(
        _ name: String,
        in folder: ScratchFolder,
        _ body: (@escaping ([UInt8]) -> Void) throws -> Void
    ) throws -> String {
        final class Output { var bytes: [UInt8] = [] }
        let output = Output()
        try body { output.bytes += $0 }
        try Data(output.bytes).write(to: URL(filePath: folder.file(name)))
        return folder.file(name)
    }

    /// The table, the profile of the difference, and `-diff_base` of the two profiles say the same.
    @Test(arguments: [DiffSettings.Measure.inUse, .allocated])
    func goToolShowsTheSameDifference(measure: DiffSettings.Measure) throws {
        let folder = try ScratchFolder()
        var new = try grown()
        // That pprof takes it for another function is why silt has another name for it.
        new.strings = Table(new.strings.map { $0.replacing(".constprop.0", with: "") })
        // It also tells files in other folders apart, where functions have no names.
        new.modules[0].path = "/opt/shop/server"
        let old = try OrderServer.recording()
        let diff = try diff(old, new) { $0.measure = measure }
        let type = "-sample_index=\(diff.settings.typeName)"
        let all = ["-nodefraction=0", "-edgefraction=0", type]
        let base = try profile(old, in: folder, "old.pb.gz")
        let theirs = try goToolPprof(["-top", "-diff_base", base] + all + [profile(new, in: folder, "new.pb.gz")])
        let single = try file("diff.pb.gz", in: folder) { try DiffPprof.write(diff, to: $0) }
        // The profile of a difference does not say what was inlined.
        let bare = table(in: theirs).replacing(" (inline)", with: "")
        #expect(try table(in: goToolPprof(["-top"] + all + [single])) == bare)
        // With files, as silt has them.
        let files = try goToolPprof(
            ["-top", "-filefunctions", "-diff_base", base] + all + [folder.file("new.pb.gz")]
        )
        #expect(files.contains("/build/new/orders.c"))
        let names = text(diff).replacing(" (inline)", with: "").split(separator: "\n").map { line in
            line.hasSuffix(".c") ? String(line[..<(line.lastIndex(of: " ") ?? line.endIndex)]) : String(line)
        }
        #expect(table(in: names.joined(separator: "\n") + "\n") == bare)
        let raw = try goToolPprof(["-raw", single])
        #expect(raw.contains("pprof::base:[true]"))
        #expect(raw.replacing("[dflt]", with: "").contains("alloc_space/bytes inuse_objects/count inuse_space/bytes\n"))
    }

    /// Python adds up the two files as difffolded.pl does.
    @Test func foldedDifferencesAreThoseOfTheTwoFiles() throws {
        let folder = try ScratchFolder()
        let (old, new) = (try OrderServer.recording(), try grown())
        var output = ""
        DiffFolded.render(try diff(old, new), into: &output)
        try expectGolden(output, "diff-folded.txt")
        for (recording, name) in [(old, "old"), (new, "new")] {
            var folded = ""
            FoldedStacks.render(try ReportBuilder.build(recording, options: ReportOptions()), into: &folded)
            try folded.write(toFile: folder.file(name), atomically: false, encoding: .utf8)
        }
        let script = """
            import sys
            stacks = {}
            for column, path in enumerate(sys.argv[1:]):
                for line in open(path):
                    stack, count = line.rstrip("\\n").rsplit(" ", 1)
                    stacks.setdefault(stack, [0, 0])[column] += int(count)
            for stack in sorted(stacks):
                print(stack, *stacks[stack])
            """
        let joined = try consume(["python3", "-c", script, folder.file("old"), folder.file("new")])
        #expect(output.split(separator: "\n").sorted() == joined.split(separator: "\n").sorted())
        // Widths are of the second number, colors of the difference.
        let titles = try flameGraphTitles(output, options: ["--countname", "bytes"])
        #expect(titles.contains { $0.hasPrefix("all (75,584,512 bytes, 100%") })
        #expect(titles.contains { $0.contains("order_create") })
    }

    @Test func whatIsUnnamedIsKnownByItsFile() throws {
        let (old, new) = (try OrderServer.recording(), try rebuilt())
        var grown = new
        for index in grown.counters.indices where grown.counters[index].stack == 7 {
            grown.counters[index].inUseBytes += 500
        }
        let diff = try diff(old, grown)
        #expect(diff.functions.first?.key.name == "[server]")
        #expect(diff.functions.first?.flat.value == 1000)
        let lines = try self.diff(old, grown) { $0.comparesLines = true }
        #expect(lines.functions.contains { $0.key.name == "server+0x16abc" && $0.flat.value == 1000 })
    }
}
