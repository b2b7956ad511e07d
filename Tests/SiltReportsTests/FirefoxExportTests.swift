import Foundation
import SiltRecording
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

/// Profiles for profiler.firefox.com.
@Suite struct FirefoxExportTests {
    /// What src/types/profile.ts of the Firefox Profiler asks for in version 60, and prints what the threads add up to.
    ///
    /// Columns of one length, indexes into tables that are there, callers before their callees, times that ascend.
    private let reader = """
        import json, sys
        profile = json.load(open(sys.argv[1]))
        meta, shared = profile["meta"], profile["shared"]
        assert meta["preprocessedProfileVersion"] == 60
        assert any(category["color"] == "grey" for category in meta["categories"])
        assert all(category["subcategories"][0] == "Other" for category in meta["categories"])
        columns = {
            "stackTable": "frame prefix", "resourceTable": "lib name host type", "sources": "id filename",
            "frameTable": "address inlineDepth category subcategory func nativeSymbol innerWindowID line column",
            "funcTable": "name isJS relevantForJS resource source lineNumber columnNumber",
            "nativeSymbols": "libIndex address name functionSize",
        }
        def table(value, names, extra=set()):
            assert set(value) == set(names.split()) | {"length"} | extra, set(value)
            for name in names.split():
                assert len(value[name]) == value["length"], name
        def indexes(values, count, nullable=False):
            assert all(nullable if value is None else 0 <= value < count for value in values)
        assert set(shared) == set(columns) | {"stringArray"}
        for name, names in columns.items(): table(shared[name], names)
        strings, functions = shared["stringArray"], shared["funcTable"]
        frames, stacks = shared["frameTable"], shared["stackTable"]
        indexes(shared["sources"]["filename"], len(strings))
        indexes(functions["name"], len(strings))
        indexes(functions["source"], shared["sources"]["length"], nullable=True)
        indexes(frames["func"], functions["length"])
        indexes(frames["category"], len(meta["categories"]))
        indexes(stacks["frame"], frames["length"])
        assert all(caller is None or caller < stack for stack, caller in enumerate(stacks["prefix"]))
        def path(stack):
            names = []
            while stack is not None:
                names.append(strings[functions["name"][frames["func"][stacks["frame"][stack]]]])
                stack = stacks["prefix"][stack]
            return ";".join(reversed(names))
        schemas = {schema["name"]: {field["key"] for field in schema["fields"]} for schema in meta["markerSchema"]}
        for thread in profile["threads"]:
            table(thread["samples"], "stack time", {"weight", "weightType"})
            markers, allocations = thread["markers"], thread["nativeAllocations"]
            table(markers, "data name startTime endTime phase category")
            table(allocations, "time weight stack", {"weightType"})
            indexes(allocations["stack"], stacks["length"], nullable=True)
            assert allocations["time"] == sorted(allocations["time"])
            assert isinstance(thread["pid"], str)
            heaviest = max(zip(allocations["weight"], allocations["stack"]), key=lambda row: row[0], default=(0, None))
            print(thread["name"], sum(allocations["weight"]), len(set(allocations["time"])), path(heaviest[1]))
            fields = [markers[key] for key in "name data startTime endTime phase".split()]
            for name, data, start, end, phase in zip(*fields):
                assert set(data) <= schemas[data["type"]] | {"type"}
                assert (phase, end is None) in [(0, True), (1, False)]
                print(strings[name], data["name"], round(start), end and round(end), data.get("requests"))
        for counter in profile["counters"]:
            table(counter["samples"], "time count")
            print(counter["name"], counter["category"], sum(counter["samples"]["count"]))
        growing = {strings[functions["name"][frames["func"][i]]] for i, c in enumerate(frames["category"]) if c == 1}
        print("growing:", sorted(growing))
        """

    private func read(_ report: HeapReport) throws -> [String] {
        let folder = try ScratchFolder()
        var output = ""
        FirefoxExport.render(report, into: &output)
        try output.write(toFile: folder.file("p.json"), atomically: false, encoding: .utf8)
        let result = try runProgram(["python3", "-c", reader, folder.file("p.json")])
        guard result.status == 0 else { throw TestSetupError(description: result.errors) }
        return result.output.split(separator: "\n").map(String.init)
    }

    @Test func aProfileHasTheReportsSumsAndStacks() throws {
        let lines = try read(try OrderServer.growingReport())
        let way = "main;handle_order;parse_header;order_create"
        let first = try #require(lines.first { $0.hasSuffix(way) })
        #expect(first.hasPrefix("in use, by the time it came 76108800 "), "\(lines)")
        #expect(lines.contains("allocated 77220864 1 \(way)"), "\(lines)")
        #expect(lines.contains("in use at the peak 76108800 1 \(way)"), "\(lines)")
        #expect(lines.contains { $0.hasPrefix("heap Memory ") }, "\(lines)")
    }

    @Test func whatGrowsHasAColorOfItsOwn() throws {
        let lines = try read(try ShopHunt.report())
        let growing = try #require(lines.last { $0.hasPrefix("growing: [") })
        #expect(growing.contains("'order_create'"), "\(lines)")
    }

    /// What came early and stayed is there early, what grows is there at many times.
    @Test func growthIsSpreadOverTime() throws {
        let lines = try read(try OrderServer.growingReport())
        let inUse = try #require(lines.first { $0.hasPrefix("in use, by the time it came ") })
        let times = try #require(inUse.split(separator: " ").compactMap { Int($0) }.dropFirst().first)
        #expect(times > 10, "\(inUse)")
    }

    @Test func phasesRoundsAndMarksAreMarkers() throws {
        var report = try OrderServer.growingReport()
        report.recording.phases = [
            RecordedPhase(name: "orders", startNs: 1_000_000_000, endNs: 5_000_000_000, requests: 800)
        ]
        report.recording.marks = [RecordedMark(name: "deployed", timeNs: 3_000_000_000)]
        let lines = try read(report)
        #expect(lines.contains("Phase orders 1000 5000 800"), "\(lines)")
        #expect(lines.contains("Mark deployed 3000 None None"), "\(lines)")
    }
}
