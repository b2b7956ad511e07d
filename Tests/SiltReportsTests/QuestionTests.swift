import SiltEvents
import SiltGrowth
import SiltRecording
import SiltTestRecordings
import Testing

@testable import SiltFindings
@testable import SiltReports

/// What people come with, each answered by one screen of 80 columns.
@Suite struct QuestionTests {
    private typealias Frame = Scene.Frame

    private let main = Frame(function: "main", file: "/src/server.c", line: 40)

    private func expectScreen(_ report: HeapReport, _ name: String) throws {
        var text = ""
        TextReport.render(report, into: &text)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(text)")
        #expect(lines.count <= 25, "\(text)")
        try expectGolden(text, "question-\(name).txt")
    }

    @Test func aLeakInC() throws {
        let source = Scene.source("question.c")
        var scene = Scene()
        let way = [
            main, Frame(function: "event_loop", file: "/src/loop.c", line: 210),
            Frame(function: "handle_order", file: "/src/http.c", line: 77),
            Frame(function: "place_order", file: source, line: 3),
            Frame(function: "make_record", file: "/src/records.c", line: 34),
        ]
        scene.places = [Scene.Place(frames: way, bytes: 1_620_800, count: 1_600)]
        let report = try scene.report { site in
            site.grow(by: 81_040)
            site.caller = ReportFrame(
                function: "place_order",
                file: source,
                line: 3,
                module: "/opt/shop/server",
                offset: 0x4000,
                inlined: false
            )
        }
        try expectScreen(report, "leak-c")
    }

    @Test func aLeakInCPlusPlusThatIsFreedAtExit() throws {
        var scene = Scene()
        let way = [
            Frame(function: "std::thread::_State_impl<std::thread::_Invoker<std::tuple<shop::Server> > >::_M_run()"),
            Frame(function: "shop::Server::run()", file: "/src/server.cpp", line: 61),
            Frame(function: "shop::Server::order(int)", file: "/src/server.cpp", line: 31),
            Frame(
                function: "shop::AuditLog<std::string, 64>::note(int, std::string const&)",
                file: "/src/audit.cpp",
                line: 16
            ),
        ]
        scene.places = [
            Scene.Place(frames: way, bytes: 0, count: 0), Scene.Place(frames: [main], bytes: 74_752, count: 2),
        ]
        let report = try scene.report { site in
            guard site.blame.function.contains("note") else { return }
            site.grow(by: 332_800)
            site.lastInUseBytes = 3_774_873
        }
        try expectScreen(report, "leak-cpp-freed-at-exit")
    }

    @Test func childrenThatNobodyWaitsFor() throws {
        var scene = Scene()
        scene.places = [
            Scene.Place(frames: [Frame(function: "")], bytes: 1_200, count: 1_200, resource: .zombie),
            Scene.Place(frames: [main], bytes: 74_752, count: 2),
        ]
        let report = try scene.report { if $0.resource == .zombie { $0.grow(by: 50) } }
        try expectScreen(report, "leak-zombie")
    }

    /// Little is said of the fourth and later ones: a command says the rest.
    @Test(arguments: [3, 4, 5, 6]) func moreThanThreeLeaks(count: Int) throws {
        var scene = Scene()
        let (names, owners) = (["red", "green", "blue", "white", "black", "brown"], ["a", "b", "c", "d", "e", "f"])
        scene.places = (0..<count).map { index in
            let keeper = Frame(function: "keep_\(names[index])", file: "/src/\(owners[index]).c", line: 10 + index)
            return Scene.Place(frames: [main, keeper], bytes: UInt64(900_000 - 1_000 * index), count: 900)
        }
        func text(_ limit: Int?) throws -> String {
            var report = try scene.report { $0.grow(by: Double(80_000 - $0.rank)) }
            report.options.limit = limit
            var text = ""
            TextReport.render(report, into: &text)
            return text
        }
        func ways(_ text: String) -> Int { text.split(separator: "\n").count { $0.contains("main → keep_") } }
        let usual = try text(nil)
        #expect(ways(usual) == 3, "\(usual)")
        let words = count == 4 ? "finding 4" : count == 5 ? "findings 4 and 5" : "findings 4 to \(count)"
        let more = "more of \(words): silt report server.silt --limit \(count)\n"
        #expect(usual.contains(more) == (count > 3), "\(usual)")
        let all = try text(count)
        #expect(ways(all) == count && !all.contains("more of finding"), "\(all)")
    }

    @Test func aLeakInAPlugin() throws {
        var scene = Scene()
        scene.command = ["redis-server", "--loadmodule", "./shop.so"]
        scene.modules = ["/usr/bin/redis-server", "/opt/shop/shop.so", "/lib/x86_64-linux-gnu/libc.so.6"]
        // As on a system whose C library has no symbols but those it exports.
        let way = [
            Frame(function: "", module: 2), Frame(function: "__libc_start_main", module: 2),
            Frame(function: "", module: 2),
            Frame(function: "main"), Frame(function: "aeMain"), Frame(function: "readQueryFromClient"),
            Frame(function: "processCommand"), Frame(function: "call"),
            Frame(function: "order_command", file: "/src/shop.c", line: 67, module: 1),
            Frame(function: "place_order", file: "/src/shop.c", line: 40, module: 1),
        ]
        scene.places = [
            Scene.Place(frames: way, bytes: 1_620_800, count: 1_600),
            Scene.Place(frames: [Frame(function: "main"), Frame(function: "createClient")], bytes: 68_506, count: 11),
        ]
        let report = try scene.report { site in
            if site.blame.function == "place_order" { site.grow(by: 161_792) } else { site.clear(.sawtooth, .none) }
        }
        try expectScreen(report, "leak-plugin")
    }

    @Test func aLeakInAForkedWorker() throws {
        var scene = Scene()
        scene.command = ["gunicorn", "shop:app"]
        scene.modules = ["/usr/bin/python3.11"]
        scene.isForked = true
        let way = [
            main, Frame(function: "_PyEval_EvalFrameDefault"),
            Frame(function: "keep_session", file: "/src/_session.c", line: 112),
        ]
        scene.places = [Scene.Place(frames: way, bytes: 640_000, count: 5_000)]
        let report = try scene.report { site in
            site.grow(by: 21_500, .leak, .medium)
            site.evidence.processes = 4
            site.evidence.process = Evidence.Process(pid: 4712)
        }
        try expectScreen(report, "leak-forked-worker")
    }

    @Test(arguments: [(Resource.descriptor, "accept_client"), (.thread, "start_export")])
    func aLeakOfWhatHasNoSize(resource: Resource, function: String) throws {
        var scene = Scene()
        let way = [
            main, Frame(function: "event_loop", file: "/src/loop.c", line: 210),
            Frame(function: function, file: "/src/net.c", line: 58),
        ]
        scene.places = [
            Scene.Place(frames: [main], bytes: 2 << 20, count: 400),
            Scene.Place(frames: way, bytes: 1_600, count: 1_600, resource: resource),
        ]
        // What the C library takes for a thread, it takes at the same line.
        if resource == .thread { scene.places.append(Scene.Place(frames: way, bytes: 460_800, count: 1_600)) }
        let report = try scene.report { site in
            if site.resource == resource { site.grow(by: 81) }
            if site.inUseBytes == 460_800 { site.grow(by: 23_328) }
        }
        try expectScreen(report, "leak-\(resource.name)")
        var markdown = ""
        MarkdownExport.render(report, into: &markdown)
        let rates = resource == .thread ? "+22.8 KiB/second, +81.0 threads/second" : "+81.0 descriptors/second"
        #expect(markdown.contains("\n| 1 | \(rates) | "), "\(markdown)")
    }

    @Test func anArrayThatKeepsGrowing() throws {
        var scene = Scene()
        let way = [main, Frame(function: "append_event", file: "/src/events.c", line: 19)]
        scene.places = [Scene.Place(frames: way, bytes: 67_584, count: 1)]
        try expectScreen(scene.report { $0.grow(by: 2_800, .doubling, .medium) }, "growing-array")
    }

    private func look(_ snapshot: UInt32, live: UInt64, allocator: UInt64) -> RecordedMemory {
        var look = RecordedMemory(process: 1, snapshot: snapshot)
        (look.bytes[.live], look.bytes[.allocator], look.bytes[.files]) = (live, allocator, 6 << 20)
        return look
    }

    @Test func retention() throws {
        var scene = Scene()
        scene.resident = (8 << 20, 120 << 20)
        scene.memory = [look(1, live: 2 << 20, allocator: 0), look(24, live: 2 << 20, allocator: 112 << 20)]
        scene.places = [
            Scene.Place(
                frames: [main, Frame(function: "build_report", file: "/src/report.c", line: 9)],
                bytes: 2 << 20,
                count: 400
            )
        ]
        try expectScreen(scene.report { $0.clear(.sawtooth, .none) }, "retention")
    }

    @Test func aPeakBetweenTwoSnapshotsLeavesAsMuchBehind() throws {
        var scene = Scene()
        (scene.resident, scene.peak) = ((120 << 20, 120 << 20), 114 << 20)
        scene.memory = [look(1, live: 0, allocator: 112 << 20), look(24, live: 2 << 20, allocator: 112 << 20)]
        scene.places = [Scene.Place(frames: [main], bytes: 2 << 20, count: 400)]
        var text = ""
        TextReport.render(try scene.report(width: 200) { $0.clear(.sawtooth, .none) }, into: &text)
        let second = text.split(separator: "\n").dropFirst().first
        #expect(second?.hasPrefix("RSS stays high, not a leak: allocator retention (112 MiB of ") == true, "\(text)")
    }

    @Test func aCache() throws {
        var scene = Scene()
        scene.places = [
            Scene.Place(
                frames: [main, Frame(function: "cache_fill", file: "/src/cache.c", line: 9)],
                bytes: 5 << 20,
                count: 5_120
            ),
            Scene.Place(
                frames: [main, Frame(function: "load_table", file: "/src/table.c", line: 21)],
                bytes: 3 << 20,
                count: 2_000
            ),
        ]
        let report = try scene.report { $0.clear(.plateauing, $0.blame.function == "cache_fill" ? .turnover : .flat) }
        try expectScreen(report, "cache")
    }

    @Test func tooShort() throws {
        var scene = Scene()
        scene.snapshots = 3
        scene.places = [
            Scene.Place(
                frames: [main, Frame(function: "load_table", file: "/src/table.c", line: 21)],
                bytes: 3 << 20,
                count: 2_000
            )
        ]
        try expectScreen(scene.report(), "too-short")
    }

    @Test func cannotBeTraced() throws {
        var scene = Scene()
        scene.untraceable = "./server is statically linked: nothing can be preloaded into it"
        try expectScreen(scene.report(), "cannot-be-traced")
    }
}
