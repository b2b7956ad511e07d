import Testing

@testable import SiltFindings
@testable import SiltReports

@Suite struct TopViewTests {
    @Test func sparklinesSpanTheirRange() {
        #expect(Sparkline.text([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█")
        #expect(Sparkline.text([1000, 1001, 1000]) == "▁▁▁")
        #expect(Sparkline.text([]) == "")
    }

    private func view() throws -> TopView {
        var view = TopView("/var/tmp/server.silt")
        view.take(try OrderServer.growingReport())
        return view
    }

    @Test func theScreenShowsGrowthFirst() throws {
        var view = try view()
        try expectGolden(
            view.lines(width: 110, height: 12, color: false).joined(separator: "\n") + "\n",
            "top-view.txt"
        )
        #expect(view.press(.enter, rows: 8) == .none)
        try expectGolden(
            view.lines(width: 110, height: 16, color: false).joined(separator: "\n") + "\n",
            "top-stack.txt"
        )
    }

    @Test func at80ColumnsWhatAnEndedProgramHeldIsShownWithItsLine() throws {
        var report = try OrderServer.growingReport()
        for index in report.sites.indices where report.sites[index].isGrowing {
            report.sites[index].lastInUseBytes = report.sites[index].inUseBytes
            (report.sites[index].inUseBytes, report.sites[index].inUseCount) = (0, 0)
        }
        var view = TopView("/var/tmp/server.silt")
        view.take(report)
        let lines = view.lines(width: 80, height: 8, color: false)
        try expectGolden(lines.joined(separator: "\n") + "\n", "top-view-80.txt")
        #expect(lines.contains { $0.contains("70.1 MiB") && $0.contains("http.c:77 handle_order") })
    }

    @Test func aTraceThatRunsHasNoVerdictBeforeEightSnapshots() throws {
        for (snapshots, isEarly) in [(UInt32(7), true), (8, false)] {
            var report = try ReportBuilder.build(OrderServer.recording(snapshots: snapshots), options: ReportOptions())
            report.trust.isClosed = false
            var view = TopView("4000")
            view.take(report)
            let line = view.lines(width: 110, height: 12, color: false)[0]
            #expect((line == "too early to tell: 7 of 8 snapshots") == isEarly, "\(line)")
            report.trust.isClosed = true
            view.take(report)
            #expect(!view.lines(width: 110, height: 12, color: false)[0].hasPrefix("too early"))
        }
    }

    @Test(arguments: [(40, 5), (60, 10), (110, 24), (300, 60)])
    func everyScreenIsFilledAndNoMore(width: Int, height: Int) throws {
        var view = try view()
        for key in [TopView.Key.end, .enter, .escape, .character("?"), .character("x"), .character("/")] {
            _ = view.press(key, rows: TopView.rows(height: height))
            let lines = view.lines(width: width, height: height, color: false)
            #expect(lines.count == height)
            for line in lines { #expect(line.count <= width, "\(line)") }
        }
    }

    @Test func keysSortFilterFreezeAndMark() throws {
        var view = try view()
        func press(_ text: String) -> [TopView.Effect] { text.map { view.press(.character($0), rows: 5) } }
        _ = press("s")
        #expect(view.order == .inUse)
        _ = press("sss")
        #expect(view.order == .growth)
        _ = press("/cache")
        #expect(view.press(.enter, rows: 5) == .none && view.filter == "cache")
        let shown = view.lines(width: 110, height: 10, color: false)
        #expect(shown.contains { $0.contains("cache_fill") } && !shown.contains { $0.contains("order_create") })
        _ = press("/")
        for _ in 0..<5 { _ = view.press(.backspace, rows: 5) }
        _ = view.press(.enter, rows: 5)
        #expect(view.filter.isEmpty)
        // What is no regular expression is looked for as it is.
        _ = press("/order(")
        _ = view.press(.enter, rows: 5)
        #expect(
            view.lines(width: 110, height: 10, color: false).contains { $0.contains("no call site matches order(") }
        )
        _ = view.press(.escape, rows: 5)
        _ = press("f")
        #expect(view.isFrozen)
        _ = press("morders")
        #expect(view.press(.enter, rows: 5) == .mark("orders"))
        _ = press("m")
        #expect(view.press(.escape, rows: 5) == .none)
        #expect(press("q") == [.quit])
        #expect(view.press(.interrupt, rows: 5) == .quit)
    }

    @Test func aFrozenViewKeepsWhatItHas() throws {
        var view = try view()
        _ = view.press(.character("f"), rows: 5)
        view.take(try ReportBuilder.build(OrderServer.recording(snapshots: 2), options: ReportOptions()))
        #expect(view.lines(width: 110, height: 10, color: false)[0].hasPrefix("GROWING"))
        _ = view.press(.character("f"), rows: 5)
        view.take(try ReportBuilder.build(OrderServer.recording(snapshots: 2), options: ReportOptions()))
        #expect(view.lines(width: 110, height: 10, color: false)[0].hasPrefix("INCONCLUSIVE"))
    }
}
