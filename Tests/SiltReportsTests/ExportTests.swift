import Foundation
import SiltEvents
import SiltPprof
import SiltRecording
import SiltTestRecordings
import SiltTestSupport
import Testing

@testable import SiltFindings
@testable import SiltReports

/// Outputs for other tools, as those tools read them.
@Suite struct ExportTests {
    private func options(_ change: (inout ReportOptions) -> Void = { _ in }) -> ReportOptions {
        var options = ReportOptions()
        change(&options)
        return options
    }

    // MARK: Folded stacks

    @Test func flameGraphsHaveTheFunctionsOfFoldedStacks() throws {
        var folded = ""
        FoldedStacks.render(try OrderServer.growingReport(), into: &folded)
        let titles = try flameGraphTitles(folded, options: ["--countname", "bytes"])
        #expect(titles.contains("all (76,108,800 bytes, 100%)"))
        #expect(titles.contains("order_create (73,487,360 bytes, 96.56%)"))
        #expect(titles.contains("cache_fill (2,621,440 bytes, 3.44%)"))
        #expect(titles.count == 8)
    }

    @Test func namesWithSemicolonsAndAllocationsWithoutAStackStayCounted() throws {
        let report = try smallReport(functions: ["a;b", "c"], unattributed: 7)
        var folded = ""
        FoldedStacks.render(report, into: &folded)
        #expect(folded == "[no stack] 7\nc;a:b 100\n")
        let titles = try flameGraphTitles(folded, options: ["--countname", "bytes"])
        #expect(titles.contains("all (107 bytes, 100%)"))
    }

    // MARK: Speedscope

    @Test func speedscopeIsAsItWas() throws {
        var output = ""
        SpeedscopeExport.render(try OrderServer.growingReport(), into: &output)
        try expectGolden(output, "speedscope.json")
    }

    /// Beyond its schema: as many weights as samples, frames that exist, and ends that are the sums.
    @Test func speedscopeFollowsItsSchema() throws {
        let folder = try ScratchFolder()
        let schema = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Golden/speedscope.schema.json"
        )
        let check = """
            import json, jsonschema, sys
            file, schema = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
            jsonschema.Draft7Validator.check_schema(schema)
            jsonschema.Draft7Validator(schema).validate(file)
            frames = file["shared"]["frames"]
            for profile in file["profiles"]:
                assert len(profile["samples"]) == len(profile["weights"])
                assert all(index < len(frames) for sample in profile["samples"] for index in sample)
                assert sum(profile["weights"]) == profile["endValue"]
                heaviest = max(zip(profile["weights"], profile["samples"]), default=(0, []))
                path = ";".join(frames[index]["name"] for index in heaviest[1])
                print(profile["name"], profile["unit"], profile["endValue"], heaviest[0], path)
            """
        for (report, wanted) in [
            (
                try OrderServer.growingReport(),
                """
                in use bytes 76108800 73487360 main;handle_order;parse_header;order_create;xmalloc
                allocated bytes 77220864 74396672 main;handle_order;parse_header;order_create;xmalloc
                in use at the peak bytes 76108800 73487360 main;handle_order;parse_header;order_create;xmalloc

                """
            ),
            (
                try smallReport(functions: ["a\"b\\", "c\u{1b}é"], unattributed: 700),
                """
                in use bytes 800 700 [no stack]
                allocated bytes 800 700 [no stack]
                in use at the peak bytes 0 0 \("")

                """
            ),
        ] {
            var output = ""
            SpeedscopeExport.render(report, into: &output)
            try output.write(toFile: folder.file("s.json"), atomically: false, encoding: .utf8)
            #expect(try consume(["python3", "-c", check, folder.file("s.json"), schema.path()]) == wanted)
        }
    }

    // MARK: CSV

    @Test func csvIsAsItWas() throws {
        var output = ""
        CSVExport.render(try ShopHunt.report(), into: &output)
        try expectGolden(output, "sites.csv")
    }

    /// Names with quotes, commas and line ends, through Python's csv module and the sqlite3 shell.
    @Test func csvIsReadByPythonAndSQLite() throws {
        let folder = try ScratchFolder()
        let names = ["plain", "a,b", "say \"so\"", "two\nlines", "x\r\ny", "é, \"ü\"", " spaced "]
        var report = try smallReport(functions: ["first", "main"], unattributed: 0)
        let site = try #require(report.sites.first)
        report.sites = names.enumerated().map { index, name in
            var copy = site
            copy.rank = index + 1
            copy.blame.function = name
            copy.phase = name + ", and more"
            copy.inUseBytes = UInt64(index) * 1000
            return copy
        }
        var output = ""
        CSVExport.render(report, into: &output)
        try Data(output.utf8).write(to: URL(filePath: folder.file("sites.csv")))
        let script = """
            import csv, json, sys
            with open(sys.argv[1], newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file, strict=True))
            assert all(None not in row and None not in row.values() for row in rows)
            print(json.dumps([[row["function"], row["phase"], row["inuse_space"]] for row in rows]))
            """
        let python = try consume(["python3", "-c", script, folder.file("sites.csv")])
        let wanted = names.enumerated().map { [$1, $1 + ", and more", "\($0 * 1000)"] }
        #expect(try JSONDecoder().decode([[String]].self, from: Data(python.utf8)) == wanted)
        let sqlite = try consume(
            ["sqlite3"],
            input: """
                .mode csv
                .import \(folder.file("sites.csv")) sites
                .mode list
                SELECT count(*), sum(inuse_space), sum(line), group_concat(DISTINCT kind) FROM sites;
                SELECT hex(function) FROM sites ORDER BY CAST(rank AS INTEGER);

                """
        )
        let hex = names.map { $0.utf8.map { String(format: "%02X", $0) }.joined() }
        #expect(sqlite == (["7|21000|84|heap"] + hex).joined(separator: "\n") + "\n")
    }

    // MARK: Suppressions

    @Test func suppressionsAreAsTheyWere() throws {
        var output = ""
        SuppressionExport.render(try ShopHunt.report(), into: &output)
        try expectGolden(output, "known.supp")
        output = ""
        SuppressionExport.render(try smallReport(functions: ["a", "b"], unattributed: 0), into: &output)
        #expect(output.hasSuffix("# Nothing grows: there is nothing to suppress.\n"))
    }

    @Test(arguments: [
        "order_create", "shop::Cache<int*>::fill(char const*)", "$s4Shop5CacheC4fillyyF",
        "operator new[](unsigned long)",
        "a\nleak:*", "<shop::Cache as core::ops::Drop>::drop", "operator^=(int)",
    ])
    func aSuppressionMatchesTheNameItIsMadeOf(_ name: String) throws {
        let pattern = try #require(SuppressionExport.pattern(of: name))
        #expect(!pattern.contains("\n"))
        #expect(SuppressionPattern(Array(pattern.utf8)).matches(Array(name.utf8)))
        #expect(!SuppressionPattern(Array(pattern.utf8)).matches(Array("another".utf8)))
    }

    /// `silt check` lets pass what the suppressions of a report name, and nothing else.
    @Test func suppressionsLetPassWhatGrows() throws {
        let folder = try ScratchFolder()
        let report = try ShopHunt.report()
        var text = ""
        SuppressionExport.render(report, into: &text)
        try text.write(toFile: folder.file("known.supp"), atomically: false, encoding: .utf8)
        let settings = try ShopHunt.settings { try $0.suppressions.read(path: folder.file("known.supp")) }
        let outcomes = ShopHunt.outcomes(CheckReport(report, settings: settings))
        #expect(
            outcomes["order_create"]
                == .allowed(.suppression("leak:^handle_order$", source: folder.file("known.supp:7")))
        )
        #expect(
            outcomes["cache_fill"] == .allowed(.suppression("leak:^cache_fill$", source: folder.file("known.supp:10")))
        )
        #expect(outcomes[""] == .doubtful)
    }

    /// One stack, innermost first, with 100 bytes in use, and bytes whose stack is not known.
    private func smallReport(functions: [String], unattributed: UInt64) throws -> HeapReport {
        let writer = try RecordingWriter(path: nil)
        try writer.write(RecordedTarget(command: ["./small"]))
        try writer.write(RecordedProcess(id: 1, pid: 77))
        try writer.add(module: 1, path: "/opt/small", buildID: [])
        for (index, function) in functions.enumerated() {
            try writer.add(frame: UInt32(index + 1), module: 1, offset: UInt64(index + 1) * 16)
            try writer.write(
                symbols: [SourceFrame(function: function, file: "/src/s.c", line: 12)],
                frame: UInt32(index + 1)
            )
        }
        for (index, frame) in functions.indices.reversed().enumerated() {
            try writer.add(stack: UInt32(index + 1), parent: UInt32(index), frame: UInt32(frame + 1))
        }
        for (stack, bytes) in [(UInt32(0), unattributed), (UInt32(functions.count), 100)] where bytes > 0 {
            var counters = RecordedCounters(.heap, process: 1, stack: stack)
            counters.inUseBytes = bytes
            counters.inUseCount = 1
            counters.allocatedBytes = bytes
            counters.allocatedCount = 1
            try writer.write(counters)
        }
        return try ReportBuilder.build(Recording(of: writer), options: ReportOptions())
    }
}
