import Foundation
import SiltEvents
import SiltRecording
import SiltTestRecordings
import Testing

@testable import SiltFindings
@testable import SiltReports

@Suite struct RendererTests {
    private func options(_ change: (inout ReportOptions) -> Void = { _ in }) -> ReportOptions {
        var options = ReportOptions()
        change(&options)
        return options
    }

    private func text(_ report: HeapReport) -> String {
        var output = ""
        TextReport.render(report, into: &output)
        return output
    }

    private func json(_ report: HeapReport) throws -> [String: Any] {
        var output = ""
        JSONReport.render(report, into: &output)
        return try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }

    @Test func growingSitesComeFirst() throws {
        try expectGolden(text(OrderServer.growingReport()), "growing.txt")
    }

    @Test func aHuntIsToldPhaseByPhase() throws {
        try expectGolden(text(ShopHunt.report()), "hunt.txt")
        var output = ""
        JSONReport.render(try ShopHunt.report(), into: &output)
        try expectGolden(output, "hunt.json")
    }

    @Test func whatAHuntDidNotMeasureIsInTheFirstLineAndInJSON() throws {
        var report = try ShopHunt.report()
        report.phases[1].failedRequests = 700
        report.sites.removeAll { $0.phase == "users" }
        let why = "the load of phase cart failed; it printed:"
        report.endEarly(why + "\n  first\n  this", planned: ["users", "orders", "cart"])
        let line = report.verdictLine
        #expect(line.hasPrefix("GROWING: "))
        #expect(line.contains("; 5 % of the requests of users failed"), "\(line)")
        #expect(line.hasSuffix("; the hunt ended early (not measured: cart): \(why) … this"), "\(line)")
        let root = try json(report)
        #expect(root["headline"] as? String == line)
        #expect((root["failure"] as? String)?.hasSuffix("first\n  this") == true)
        #expect(root["phases_not_reached"] as? [String] == ["cart"])
        let phases = try #require(root["phases"] as? [[String: Any]])
        #expect(phases.map { ($0["reason"] as? String)?.hasPrefix("5 % of the requests") } == [nil, true, nil])
    }

    @Test func aPhaseThatStillFillsSaysSoInEveryForm() throws {
        var report = try ShopHunt.report()
        let index = try #require(report.sites.firstIndex { $0.phase == "users" })
        (report.sites[index].verdict, report.sites[index].inUseBytes) = (.stillFilling, 1 << 20)
        let reason =
            "still filling? cache_fill cache.c:9 still rose after 7 rounds of users, as a cache does until it is full"
        let phases = try #require(try json(report)["phases"] as? [[String: Any]])
        #expect(phases.map { $0["reason"] as? String } == [nil, reason, nil])
        var page = ""
        PageData.render(report, into: &page)
        #expect(page.contains("\"problem\": \"\(reason)\""), "\(page.prefix(2000))")
        let words = text(report).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("users cannot tell: " + reason))
        #expect(words.contains("Not decided: cache_fill cache.c:9, 1.00 MiB: "), "\(words)")
    }

    @Test func aHuntThatEndedEarlyAcquitsNobody() throws {
        var report = try ShopHunt.report()
        report.sites.removeAll(where: \.isGrowing)
        report.decide()
        #expect(report.verdict == .notGrowing)
        report.endEarly("interrupted", planned: ["users", "orders"])
        #expect(report.verdict == .inconclusive)
        #expect(report.verdictLine == "INCONCLUSIVE: the hunt ended early: interrupted")
        var recording = try OrderServer.recording()
        recording.huntEnd = RecordedHuntEnd(reason: "interrupted", planned: ["users"])
        let built = try ReportBuilder.build(recording, options: ReportOptions())
        #expect(built.failure == HuntFailure(reason: "interrupted", missing: ["users"]))
    }

    @Test func aHuntWithoutAPhaseSaysWhyAndNotThatItWasShort() throws {
        var recording = try OrderServer.recording(snapshots: 2)
        recording.huntEnd = RecordedHuntEnd(reason: "the service ended before it was ready", planned: ["users"])
        let line = try ReportBuilder.build(recording, options: ReportOptions()).verdictLine
        let why = "the hunt ended early (not measured: users): the service ended before it was ready"
        #expect(line == "INCONCLUSIVE: \(why)")
    }

    @Test func aCommandOnSeveralLinesCanBeRunAsItStands() {
        var page = TextPage(width: 40, isColored: false)
        let command = "silt report 'it'\\''s name' --list 'one quoted word' --resource descriptor --limit 3"
        page.command("next: " + command, indent: 4)
        let lines = page.text.split(separator: "\n")
        #expect(lines.count > 2 && lines.allSatisfy { $0.count <= 40 }, "\(page.text)")
        #expect(lines.dropLast().allSatisfy { $0.hasSuffix(" \\") } && page.text.contains("'one quoted word'"))
        let joined = page.text.replacing(" \\\n    ", with: " ")
        #expect(joined == "    next: \(command)\n")
    }

    @Test func aWordOfACommandIsNeverCut() {
        var page = TextPage(width: 40, isColored: false)
        let name = "'a function of a name (longer than the terminal is wide)'"
        page.command("next: silt report F --list \(name) --limit 3", indent: 4)
        #expect(page.text == "    next: silt report F --list \\\n    \(name) \\\n    --limit 3\n")
    }

    @Test func aNarrowTerminalIsHonored() throws {
        for width in [40, 60, 80, 120] {
            let text = text(try OrderServer.growingReport(options { $0.width = width }))
            for line in text.split(separator: "\n") { #expect(line.count <= width, "\(line)") }
        }
        try expectGolden(text(OrderServer.growingReport(options { $0.width = 80 })), "growing-80.txt")
    }

    @Test(arguments: [80, 120])
    func theFileIsCutBeforeTheFunctionAndNeverTheLine(width: Int) throws {
        var page = TextPage(width: width, isColored: false)
        let place = ReportFrame(
            function: "handle_request_of_the_shop",
            file: "/src/shop/a_file_with_quite_a_long_name_as_real_ones_have.c",
            line: 1209,
            module: "/opt/shop/server",
            offset: 0x10,
            inlined: false
        )
        page.sites([
            TextPage.SiteLine(
                rank: 1,
                lead: "+108 B/request",
                blame: place,
                size: "105 KiB in 1,000 blocks",
                end: "certain (4 of 4 rounds)"
            )
        ])
        #expect(page.text.contains(".c:1209 "), "\(page.text)")
        #expect(page.text.contains(width == 80 ? "handle_reque…" : "handle_request_of_the_shop  …"), "\(page.text)")
        #expect(page.text.contains("105 KiB in 1,000 blocks"))
        #expect(page.text.split(separator: "\n").allSatisfy { $0.count <= width })
    }

    @Test func whatGrowsTogetherIsOneFinding() throws {
        var report = try ShopHunt.report()
        report.sites[1].follows = .init(rank: 1, why: .lockStep)
        report.sites[2].follows = .init(rank: 1, why: .samePlace)
        let page = text(report)
        #expect(page.hasPrefix("GROWING: 1 call site leaks: users 40 B per request, orders 113 B per request"))
        #expect(page.contains("    grows in step with it: cache_fill cache.c:9 +40 B/request\n"), "\(page)")
        #expect(page.contains("    on orders: +12 B/request, watch it: "), "\(page)")
        #expect(!page.contains("\n 2  "), "\(page)")
        // Of a function that was named the line is enough.
        var inOneFunction = report
        inOneFunction.sites[1].blame.function = report.sites[0].fix.function
        inOneFunction.sites[1].blame.module = report.sites[0].fix.module
        #expect(text(inOneFunction).contains("    grows in step with it: cache.c:9 +40 B/request\n"))
        let sites = try #require(try json(report)["sites"] as? [[String: Any]])
        let part = try #require(sites[1]["part_of"] as? [String: Any])
        #expect(part["rank"] as? Int == 1 && part["reason"] as? String == "lock-step")
        #expect(sites[0]["part_of"] == nil)
    }

    @Test func whatOneLineTakesIsOneFindingAndSaysWhatGivesItBack() throws {
        var report = try ShopHunt.report()
        report.sites[0].pair = KnownPair(maker: "SSL_new", giver: "SSL_free")
        report.sites[1].follows = .init(rank: 1, why: .sameLine)
        report.sites[1].pair = KnownPair(maker: "timer_create", giver: "timer_delete")
        // Of a line that follows another one the second says nothing.
        #expect(!text(report).contains("timer_create"))
        let leader = report.sites[0]
        (report.sites[1].blame, report.sites[1].caller, report.sites[1].origin) = (
            leader.blame, leader.caller, leader.origin
        )
        let page = text(report)
        #expect(page.contains("    SSL_new made it: SSL_free gives it back\n"), "\(page)")
        #expect(page.contains("    timer_create made it: timer_delete gives it back\n"), "\(page)")
        #expect(page.contains("    grows in step with it: +40 B/request at the same line\n"), "\(page)")
        // Things without a size stand beside the bytes.
        #expect(!page.contains("B/request, +40"), "\(page)")
        report.sites[1].resource = .timer
        #expect(text(report).contains("\n 1  +101 B/request, +40 B/request  http.c:77  "), "\(text(report))")
        let sites = try #require(try json(report)["sites"] as? [[String: Any]])
        #expect((sites[1]["part_of"] as? [String: Any])?["reason"] as? String == "same-line")
        #expect(sites[0]["made_by"] as? String == "SSL_new" && sites[0]["given_back_by"] as? String == "SSL_free")
    }

    @Test func colorIsUsedOnlyWhenAsked() throws {
        #expect(!text(try OrderServer.growingReport()).contains("\u{1b}"))
        #expect(text(try OrderServer.growingReport(options { $0.color = true })).hasPrefix("\u{1b}[1;31mGROWING:"))
    }

    @Test func aShortRunIsInconclusiveAndStillLists() throws {
        let report = try ReportBuilder.build(OrderServer.recording(snapshots: 3), options: ReportOptions())
        #expect(report.verdict == .inconclusive)
        #expect(report.obstacle == .tooFewSnapshots(3))
        try expectGolden(text(report), "short.txt")
    }

    @Test func anEmptyRecordingIsInconclusive() throws {
        let writer = try RecordingWriter(path: nil)
        let report = try ReportBuilder.build(Recording(of: writer), options: ReportOptions())
        #expect(report.verdict == .inconclusive)
        #expect(text(report).hasPrefix("INCONCLUSIVE: no process was traced"))
    }

    @Test func anUntraceableTargetSaysWhy() throws {
        let writer = try RecordingWriter(path: nil)
        var target = RecordedTarget(command: ["/bin/static"])
        target.untraceable = "/bin/static is statically linked: nothing can be preloaded into it"
        try writer.write(target)
        let report = try ReportBuilder.build(Recording(of: writer), options: ReportOptions())
        #expect(text(report).hasPrefix("INCONCLUSIVE: /bin/static is statically linked"))
    }

    @Test func topLooksLikePprof() throws {
        var output = ""
        TopTable.render(try OrderServer.growingReport(), into: &output)
        try expectGolden(output, "top.txt")
    }

    @Test func allocatedTopCountsEverything() throws {
        var output = ""
        TopTable.render(try OrderServer.growingReport(options { $0.order = .allocated }), into: &output)
        try expectGolden(output, "top-alloc.txt")
    }

    @Test func foldedStacksAddUpProcesses() throws {
        var output = ""
        FoldedStacks.render(try OrderServer.growingReport(), into: &output)
        try expectGolden(output, "folded.txt")
    }

    @Test func jsonIsAsItWas() throws {
        var output = ""
        JSONReport.render(try OrderServer.growingReport(), into: &output)
        try expectGolden(output, "growing.json")
    }

    @Test func jsonHasExactlyItsKeys() throws {
        let root = try json(OrderServer.growingReport())
        #expect(
            Set(root.keys) == [
                "format", "version", "target", "verdict", "headline", "totals", "trust", "processes", "untraced",
                "sites",
            ]
        )
        #expect(root["format"] as? String == "silt-report")
        #expect(root["version"] as? Int == 1)
        #expect(root["verdict"] as? String == "growing")
        func keys(_ value: Any?) throws -> Set<String> { Set(try #require(value as? [String: Any]).keys) }
        #expect(try keys(root["target"]) == ["command", "pid", "allocator", "exit_status"])
        let totals: Set = [
            "alloc_objects", "alloc_space", "free_objects", "inuse_objects", "inuse_space", "peak_inuse_space",
        ]
        #expect(try keys(root["totals"]) == totals)
        #expect(
            try keys(root["trust"]) == [
                "events_sent", "events_received", "lost", "unknown_frees", "waits", "stacks_complete_percent",
                "symbolized_percent", "imports_unbound", "descriptors_unseen",
            ]
        )
        let processes = try #require(root["processes"] as? [[String: Any]])
        #expect(processes.map { $0["pid"] as? Int } == [4000, 4001])
        #expect(processes.map { $0["parent"] as? Int } == [1000, 4000])
        #expect(try keys(processes[0]) == ["pid", "parent", "command", "totals", "memory"])
        #expect(try keys(processes[0]["totals"]) == totals)
        let sites = try #require(root["sites"] as? [[String: Any]])
        #expect(sites.count == 3)
        for site in sites {
            #expect(
                try keys(site) == [
                    "rank", "kind", "verdict", "confidence", "reason", "evidence", "rate", "blame", "caller",
                    "inuse_space", "inuse_objects", "alloc_space", "alloc_objects", "temporary_objects",
                    "moved_objects", "moved_space", "stack",
                ]
            )
            #expect(try keys(site["blame"]) == ["function", "file", "line", "module"])
            let stack = try #require(site["stack"] as? [[String: Any]])
            #expect(try keys(stack[0]) == ["function", "file", "line", "module", "offset", "inlined"])
        }
        #expect(try keys(sites[0]["rate"]) == ["value", "low", "high", "unit"])
        #expect(try keys(sites[0]["caller"]) == ["function", "file", "line", "module"])
        #expect(sites[1]["rate"] is NSNull && sites[1]["caller"] is NSNull)
        let stack = try #require(sites[0]["stack"] as? [[String: Any]])
        #expect(
            stack.map { $0["function"] as? String } == [
                "xmalloc", "order_create", "parse_header", "handle_order", "main",
            ]
        )
        #expect(stack.map { $0["inlined"] as? Bool } == [false, false, true, false, false])
    }

    @Test func jsonSurvivesAnyName() throws {
        let writer = try RecordingWriter(path: nil)
        let name = "a\"b\\c\u{0}\u{1}\u{1b}[31m\n\t\u{7f}é\u{1F600}\u{fffd}"
        try writer.write(RecordedTarget(command: [name]))
        try writer.write(RecordedProcess(id: 1, pid: 1))
        try writer.add(module: 1, path: "/lib/x", buildID: [])
        try writer.add(frame: 1, module: 1, offset: 1)
        try writer.add(stack: 1, parent: 0, frame: 1)
        try writer.write(symbols: [SourceFrame(function: name)], frame: 1)
        var counters = RecordedCounters(.heap, process: 1, stack: 1)
        counters.allocatedBytes = .max
        counters.allocatedCount = 1
        try writer.write(counters)
        let report = try ReportBuilder.build(Recording(of: writer), options: ReportOptions())
        let root = try json(report)
        let site = try #require((root["sites"] as? [[String: Any]])?.first)
        #expect((site["blame"] as? [String: Any])?["function"] as? String == name)
        #expect(site["alloc_space"] as? UInt64 == .max)
        let lines = text(report).unicodeScalars
        #expect(!lines.contains { $0.value < 0x20 && $0 != "\n" })
    }

    @Test func limitsAreHonored() throws {
        #expect((try json(OrderServer.growingReport(options { $0.limit = 1 }))["sites"] as? [Any])?.count == 1)
        var output = ""
        TopTable.render(try OrderServer.growingReport(options { $0.limit = 2 }), into: &output)
        #expect(output.contains("Showing top 2 nodes out of"))
        #expect(output.split(separator: "\n").count == 7)
    }

    @Test func hiddenFunctionsAreNotBlamed() throws {
        let report = try ReportBuilder.build(
            OrderServer.recording(),
            options: options { $0.hide = ["order_create"] }
        )
        #expect(Set(report.sites.map(\.blame.function)) == ["parse_header", "cache_fill", ""])
    }
}
