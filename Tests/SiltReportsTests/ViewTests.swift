import Foundation
import SiltRecording
import SiltTestRecordings
import Testing

@testable import SiltFindings
@testable import SiltReports

/// The views of the order server, whose sources are nowhere.
@Suite struct ViewTests {
    private func report(_ change: (inout ReportOptions) -> Void = { _ in }) throws -> HeapReport {
        var options = ReportOptions()
        options.width = 100
        change(&options)
        return try OrderServer.growingReport(options)
    }

    private func flame(_ report: HeapReport, isInverted: Bool = false, root: String? = nil) throws -> String {
        var text = ""
        try FlameText.render(report, isInverted: isInverted, root: try root.map(FunctionPattern.init), into: &text)
        return text
    }

    private func tree(_ report: HeapReport, isInverted: Bool = false, root: String? = nil) throws -> String {
        var text = ""
        try TreeText.render(report, isInverted: isInverted, root: try root.map(FunctionPattern.init), into: &text)
        return text
    }

    // MARK: Names

    /// Of a program without symbols that was started through a link: what it was started as, in every output.
    @Test func aProgramHasTheNameThatItWasStartedBy() throws {
        var recording = try OrderServer.recording()
        for index in recording.processes.indices {
            recording.processes[index].executable = "/opt/shop/server"
            recording.processes[index].command = ["/usr/bin/shop"]
        }
        var options = ReportOptions()
        options.order = .allocated
        let report = try ReportBuilder.build(recording, options: options)
        var texts = ""
        for output in ReportOutput.all where output.isText {
            try output.write(report) { texts += String(decoding: $0, as: UTF8.self) }
        }
        #expect(!texts.contains("server+0x6abc"))
        #expect(texts.contains("shop+0x6abc"))
    }

    // MARK: Tables

    @Test(arguments: [40, 44, 57, 64, 80, 100])
    func noRowOfATableIsWiderThanTheTerminal(width: Int) throws {
        var text = ""
        TopTable.render(try report { ($0.width, $0.limit) = (width, 1000) }, into: &text)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= width }, "\(text)")
        #expect(text.contains("  order_create") && text.contains("cum"), "\(text)")
        #expect(text.contains("  sum%") == (width >= 64) && text.contains(" flat%") == (width >= 50), "\(text)")
    }

    // MARK: Flame

    @Test func boxesOfTheFlameAreAsWideAsHeavy() throws {
        try expectGolden(flame(report()), "flame.txt")
        try expectGolden(flame(report { $0.order = .allocated }, isInverted: true), "flame-inverted.txt")
    }

    @Test(arguments: [40, 60, 100, 250])
    func noRowOfTheFlameIsWiderThanTheTerminal(width: Int) throws {
        for row in try flame(report { $0.width = width }).split(separator: "\n").dropFirst() {
            #expect(row.count == width || !row.hasSuffix(" "), "\(row)")
            #expect(row.count <= width)
        }
    }

    @Test func theFlameBelowAFunctionIsThatFunctionsWhole() throws {
        let text = try flame(report(), root: "^cache_fill$")
        let rows = text.split(separator: "\n")
        #expect(rows[1].hasPrefix("▏all 2.50 MiB 100%"))
        #expect(rows[2].hasPrefix("▏cache_fill 2.50 MiB 100%"))
        #expect(rows.count == 3)
        #expect(throws: (any Error).self) { try FunctionPattern("(") }
    }

    @Test func colorFillsBoxesAndChangesNothingElse() throws {
        let colored = try flame(report { $0.color = true })
        #expect(colored.contains("\u{1b}[38;5;16;48;5;"))
        #expect(try colored.replacing(#/\u{1b}\[[0-9;]*m/#, with: "") == flame(report()))
        #expect(try !flame(report()).contains("\u{1b}"))
    }

    @Test func rowsBeyondTheLimitAreCounted() throws {
        let text = try flame(report { $0.depth = 2 })
        #expect(text.split(separator: "\n").count == 4)
        #expect(text.contains("deeper rows: --depth"))
    }

    @Test func differencesAreSignedWithoutColor() throws {
        var after = try OrderServer.recording()
        for index in after.counters.indices {
            if after.counters[index].stack == 4 { after.counters[index].inUseBytes += 3 << 20 }
            if after.counters[index].stack == 6 { after.counters[index].inUseBytes = 0 }
        }
        var settings = DiffSettings()
        settings.width = 100
        let diff = try HeapDiff(
            DiffSide(OrderServer.recording(), name: "A", hide: []),
            DiffSide(after, name: "B", hide: []),
            settings: settings
        )
        for (isInverted, name) in [(false, "diff-flame.txt"), (true, "diff-flame-inverted.txt")] {
            var text = ""
            try DiffFlame.render(diff, isInverted: isInverted, root: nil, into: &text)
            try expectGolden(text, name)
        }
        settings.sharesOfChange = true
        var table = ""
        try DiffText.render(
            HeapDiff(
                DiffSide(OrderServer.recording(), name: "A", hide: []),
                DiffSide(after, name: "B", hide: []),
                settings: settings
            ),
            into: &table
        )
        #expect(table.contains("3.50MB, 41.18% of 8.50MB total\n") && table.contains("70.59% 70.59%"), "\(table)")
        var tree = ""
        try TreeText.render(diff, isInverted: false, root: nil, into: &tree)
        try expectGolden(tree, "diff-tree.txt")
    }

    @Test func whatABoxHoldsStaysBesideAShortenedName() throws {
        var recording = try OrderServer.recording()
        for index in recording.strings.indices where recording.strings[index] == "main" {
            recording.strings[index] = "acme::commerce::ordering::Service<acme::Policy>::request(std::string const&)"
        }
        var options = ReportOptions()
        options.width = 50
        let text = try flame(ReportBuilder.build(recording, options: options))
        #expect(text.contains("▏ordering::Service<…>::request 72.6 MiB 100% "), "\(text)")
    }

    // MARK: Tree

    @Test func theTreeIndentsWhereItBranches() throws {
        try expectGolden(tree(report()), "tree.txt")
        try expectGolden(tree(report { $0.order = .peak }, isInverted: true), "tree-inverted.txt")
    }

    @Test func whatIsNotShownOfTheTreeIsAddedUp() throws {
        let text = try tree(report { $0.limit = 1 })
        #expect(text.contains("… 1 more"))
    }

    @Test func nothingInUseIsSaidSo() throws {
        var recording = try OrderServer.recording()
        for index in recording.counters.indices { recording.counters[index].inUseBytes = 0 }
        let report = try ReportBuilder.build(recording, options: ReportOptions())
        #expect(try flame(report) == "nothing was in use at the end: --by peak or --by alloc shows what was\n")
        #expect(try tree(report) == flame(report))
        var options = ReportOptions()
        options.resource = .timer
        #expect(try tree(ReportBuilder.build(recording, options: options)) == "no timers were recorded\n")
        for index in recording.counters.indices { recording.counters[index].temporaryCount = 0 }
        recording.moves = []
        options = ReportOptions()
        options.order = .temporary
        let text = try tree(ReportBuilder.build(recording, options: options))
        #expect(text.hasPrefix("nothing was temporary: no block was freed before the next one came"), "\(text)")
    }

    @Test func aFunctionThatIsNotThereIsAnErrorThatNamesWhatWasMeant() throws {
        let report = try report()
        let view: [(String) throws -> String] = [
            { try flame(report, root: $0) }, { try tree(report, root: $0) }, { try list(report, $0) },
        ]
        for show in view {
            #expect(throws: NoSuchFunction.self) { try show("nosuch") }
            for name in ["order_craete", "Order_Create", "^order_create_$"] {
                let error = #expect(throws: NoSuchFunction.self) { try show(name) }
                #expect(error?.description.hasSuffix("; did you mean order_create?") == true, "\(name)")
            }
        }
    }

    private func list(_ report: HeapReport, _ pattern: String) throws -> String {
        var text = ""
        try ListText.render(report, FunctionPattern(pattern), into: &text)
        return text
    }

    // MARK: Source

    @Test func linesHoldWhatTheirFunctionsDo() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "silt-views-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { _ = try? FileManager.default.removeItem(at: folder) }
        let long = String(repeating: ", long", count: 50)
        let source = (1...120).map { "line \($0) of orders.c\($0 == 89 ? long : "")" }.joined(separator: "\n")
        try source.write(to: folder.appending(path: "orders.c"), atomically: true, encoding: .utf8)
        var recording = try OrderServer.recording()
        for index in recording.strings.indices {
            recording.strings[index] = recording.strings[index].replacing(
                "/src/orders.c",
                with: folder.path() + "/orders.c"
            )
        }
        var options = ReportOptions()
        options.width = 100
        var text = ""
        let report = try ReportBuilder.build(recording, options: options)
        try ListText.render(report, try FunctionPattern("order_create|cache_fill"), into: &text)
        try expectGolden(text.replacing(folder.path(), with: "/src"), "list.txt")
        for width in [40, 60, 100] {
            var text = ""
            options.width = width
            let pattern = try FunctionPattern("order_create|cache_fill")
            try ListText.render(try ReportBuilder.build(recording, options: options), pattern, into: &text)
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= width }, "\(text)")
            #expect(text.contains(" 88:line 88 of") && text.contains("orders.c\n"), "\(text)")
        }
    }

    // MARK: Temporaries

    @Test func temporariesAndMovesAreShownWithTheWayToMostOfThem() throws {
        var text = ""
        let options = { (options: inout ReportOptions) in (options.order, options.width) = (.temporary, 80) }
        TextReport.render(try report(options), into: &text)
        try expectGolden(text, "temporary.txt")
        // Blocks of 44 that realloc moved are as many allocations that need not have been.
        #expect(try tree(report(options)).contains("cache_fill"))
    }

    // MARK: Time, peak, classes

    @Test func theCourseOfTimeHasItsPhasesBelowIt() throws {
        var recording = try OrderServer.recording()
        recording.phases = [
            RecordedPhase(name: "idle", startNs: 0, endNs: 10_000_000_000),
            RecordedPhase(name: "orders", startNs: 10_000_000_000, endNs: 40_000_000_000),
        ]
        recording.marks = [RecordedMark(name: "deployed", timeNs: 20_000_000_000)]
        var options = ReportOptions()
        options.width = 80
        var text = ""
        TimelineText.render(try ReportBuilder.build(recording, options: options), into: &text)
        try expectGolden(text, "timeline.txt")
        for line in text.split(separator: "\n") { #expect(line.count <= 80) }
    }

    @Test func aCourseNeedsTwoSnapshots() throws {
        var text = ""
        let report = try ReportBuilder.build(OrderServer.recording(snapshots: 0), options: ReportOptions())
        TimelineText.render(report, into: &text)
        #expect(text.hasPrefix("no course of time"))
    }

    @Test func thePeakIsMadeUpOfSites() throws {
        var text = ""
        PeakText.render(try report(), into: &text)
        try expectGolden(text, "peak.txt")
    }

    @Test func blocksFallIntoPowersOfTwo() throws {
        var recording = try OrderServer.recording()
        recording.classes = [
            RecordedClass(process: 1, kind: .size, number: 0, inUseCount: 3, inUseBytes: 0),
            RecordedClass(process: 1, kind: .size, number: 11, inUseCount: 57_412, inUseBytes: 57_412 * 1024),
            RecordedClass(process: 2, kind: .size, number: 11, inUseCount: 1, inUseBytes: 1024),
            RecordedClass(process: 1, kind: .age, number: 1, inUseCount: 10, inUseBytes: 1000),
            RecordedClass(process: 1, kind: .age, number: 5, inUseCount: 20, inUseBytes: 9000),
        ]
        var options = ReportOptions()
        options.width = 90
        let report = try ReportBuilder.build(recording, options: options)
        var text = ""
        HistogramText.renderSizes(report, into: &text)
        text += "\n"
        HistogramText.renderAges(report, into: &text)
        try expectGolden(text, "classes.txt")
        var none = ""
        HistogramText.renderSizes(try self.report(), into: &none)
        #expect(none.hasPrefix("not recorded"))
    }
}
