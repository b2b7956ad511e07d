import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Where a leak has to be mended: the caller that tells the blocks that stay from those that do not.
    @Suite(.serialized)
    struct Callers {
        private static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }
        private static let program: Result<String, any Error> = Result {
            try buildWorkload("callers", into: folder.get())
        }

        private struct Run {
            var report: TraceReport
            var text: String
            var growing: [TraceReport.Site] { report.sites.filter(\.isGrowing) }
            var headline: Substring { text.split(separator: "\n").dropFirst().first ?? "" }
        }

        private static func run(_ command: [String], report options: [String] = []) throws -> Run {
            let folder = try ScratchFolder()
            let recording = folder.file("run.silt")
            let result = try runProgram(
                [siltExecutable, "run", "--snapshot-every", "100ms", "--out", recording, "--"] + command
            )
            #expect(result.status == 0, "\(result.errors)")
            let text = try runProgram(
                [siltExecutable, "report", recording] + options,
                environment: ["COLUMNS": "140", "NO_COLOR": "1"]
            )
            return Run(report: try report(of: recording, options: options), text: text.output + text.errors)
        }

        private static func callers(_ mode: String, report options: [String] = []) throws -> Run {
            try run([program.get(), mode], report: options)
        }

        @Test func oneEarlyBlockOnAnotherWayTellsNothingApart() throws {
            let run = try Self.callers("early")
            #expect(run.growing.map(\.blame.function) == ["buffer"])
            let site = try #require(run.growing.first)
            #expect(site.caller?.function == "remember_message", "\(run.text)")
            #expect(site.inuseObjects == 301)
        }

        @Test func aCallerIsFoundWhereTheWaysToItFork() throws {
            let run = try Self.callers("forked")
            #expect(run.growing.map { $0.caller?.function } == ["user_session"], "\(run.text)")
            #expect(run.growing.first?.inuseObjects == 600)
            #expect(run.headline.contains(#/ callers\.c:\d+  user_session /#), "\(run.text)")
            #expect(run.headline.contains(" (through buffer)"), "\(run.text)")
            #expect(run.text.contains("only here: other callers of buffer do not grow"))
        }

        @Test func aCallerIsFoundWhereAllThatItUsesGrows() throws {
            let run = try Self.callers("item")
            #expect(run.growing.map { $0.caller?.function } == ["stored_item"], "\(run.text)")
            let site = try #require(run.growing.first)
            #expect(site.inuseObjects == 900)
            // Rate, evidence and stacks are of the same blocks, of one process.
            #expect(!run.text.contains("processes"), "\(run.text)")
            let rate = try #require(site.rate)
            #expect(abs(rate.value - (88 + 56 + 23) * 100) < 0.25 * (88 + 56 + 23) * 100, "\(rate.value)")
            let evidence = try #require(
                try #/from ([\d.]+) s to ([\d.]+) s, .* were never freed \(([\d.]+) KiB\)/#.firstMatch(
                    in: site.evidence ?? ""
                ),
                "\(run.text)"
            )
            let (from, to) = (Double(evidence.1) ?? 0, Double(evidence.2) ?? 0)
            let kept = try #require(Double(evidence.3)) * 1024
            #expect(abs(kept / (to - from) / rate.value - 1) < 0.25, "\(run.text)")
        }

        @Test func twoWhoKeepWhatOneHelperMakesAreListedWithTheirRates() throws {
            let run = try Self.callers("several")
            #expect(run.growing.map { $0.caller?.function } == ["first_keeper", "second_keeper"], "\(run.text)")
            let rates = run.growing.compactMap(\.rate?.value)
            try #require(rates.count == 2)
            #expect(abs(rates[0] / rates[1] - 2) < 0.1, "\(rates)")
            #expect(run.growing.map(\.inuseObjects) == [1200, 600])
        }

        @Test(arguments: [false, true])
        func contentOfAListIsToldFromTheListsMemoryOnOneLine(isMended: Bool) throws {
            let program = try buildWorkload("appends", into: try Self.folder.get())
            let run = try Self.run([program] + (isMended ? ["mended"] : []))
            guard !isMended else {
                #expect(run.growing.isEmpty, "\(run.text)")
                return
            }
            #expect(run.text.hasPrefix("GROWING: 1 call site leaks"), "\(run.text)")
            #expect(run.growing.allSatisfy { $0.blame.function == "remember()" && $0.blame.line == 12 }, "\(run.text)")
            let texts = try #require(run.growing.first { $0.allocObjects > 1000 })
            // 20 texts of 41 bytes every 10 ms or a little more.
            let rate = try #require(texts.rate)
            #expect(rate.value > 0.5 * 82_000 && rate.value < 1.1 * 82_000, "\(rate.value)")
        }

        @Test func theStackShownIsOfBlocksThatGrew() throws {
            let run = try Self.callers("start")
            let site = try #require(run.growing.first)
            #expect(site.stack.contains { $0.function.hasPrefix("go_on_") }, "\(run.text)")
            #expect(!run.text.prefix { $0 != "h" }.contains("start_"), "\(run.text)")
        }

        @Test func anAllocatorOfTheProgramsOwnIsKnownByWhatItDoes() throws {
            let run = try Self.callers("wrapped")
            #expect(run.growing.map(\.blame.function) == ["log_order"], "\(run.text)")
            let skipped = run.text.split(separator: "\n").count { $0.contains("shop_mem_alloc") && !$0.contains("│") }
            #expect(skipped == 1 && run.text.contains("--show") && run.text.contains("--hide"), "\(run.text)")
            let shown = try Self.callers("wrapped", report: ["--show", "^shop_mem_alloc$"])
            #expect(shown.growing.map(\.blame.function) == ["shop_mem_alloc"], "\(shown.text)")
            #expect(shown.growing.map { $0.caller?.function } == ["log_order"])
        }

        @Test func theBlocksOfOneLostObjectAreOneFinding() throws {
            let run = try Self.callers("object")
            #expect(run.growing.map(\.blame.function).first == "order_head", "\(run.text)")
            #expect(run.growing.map(\.inuseObjects).sorted() == [300, 300, 600])
            #expect(run.growing.dropFirst().allSatisfy { $0.partOf?.rank == 1 && $0.partOf?.reason == "lock-step" })
            #expect(run.text.hasPrefix("GROWING: 1 call site leaks, "), "\(run.text)")
            #expect(run.text.contains("in step with it: order_"), "\(run.text)")
            for function in ["order_lines", "order_note"] {
                #expect(run.text.contains(" \(function) callers.c:"), "\(run.text)")
            }
        }

        @Test func anInterpretersLoopIsNobodysCallerAndItsEntryIsShown() throws {
            let run = try Self.callers("script")
            #expect(run.growing.map { $0.caller?.function } == ["keep_result"], "\(run.text)")
            #expect(run.text.contains("main → keep_result → … "), "\(run.text)")
            let alone = try Self.callers("alone")
            #expect(alone.growing.map(\.blame.function) == ["script_object"] && alone.growing.first?.caller == nil)
            #expect(alone.text.contains(#/main → keep_result callers\.c:\d+ → … /#), "\(alone.text)")
            #expect(!(run.text + alone.text).contains("_PyEval"), "\(run.text)\(alone.text)")
        }

        @Test func whatExecReplacedIsNotLeftBehind() throws {
            let folder = try ScratchFolder()
            let run = try Self.run([buildWorkload("moves", into: folder)])
            #expect(run.report.sites(named: "before_exec").map(\.inuseObjects) == [0], "\(run.text)")
            #expect(run.report.sites(named: "before_exec").map(\.allocObjects) == [1000])
            #expect(run.report.sites(named: "after_exec").map(\.inuseObjects) == [10])
            #expect(run.report.totals.inuseSpace < 100_000)
            let totals = run.report.totals
            #expect(totals.allocObjects == totals.freeObjects + totals.inuseObjects)
        }

        @Test func aStrippedLibraryIsPassedOnTheWayToTheProgramsLine() throws {
            let folder = try ScratchFolder()
            let library = folder.file("libpantry.so")
            let workloads = packageRoot.appending(path: "Tests/Workloads").path()
            for command in [
                ["gcc", "-O1", "-shared", "-fPIC", "-o", library, workloads + "/pantry.c"], ["strip", library],
            ] {
                let built = try runProgram(command)
                try #require(built.status == 0, "\(built.errors)")
            }
            let program = try buildWorkload("cook", into: folder, flags: [library])
            let run = try Self.run([program])
            #expect(run.growing.map(\.blame.function) == ["pantry_put"], "\(run.text)")
            #expect(run.growing.map { $0.caller?.function } == ["forget_jar"])
            #expect(run.growing.first?.inuseObjects == 300)
            #expect(run.headline.contains(#/ cook\.c:\d+  forget_jar /#), "\(run.text)")
        }

        @Test func modulesOfOneSourceAreToldApart() throws {
            let folder = try ScratchFolder()
            let source = packageRoot.appending(path: "Tests/Workloads/twin.c").path()
            let modules = [folder.file("left.so"), folder.file("right.so")]
            for module in modules {
                let built = try runProgram(["gcc", "-O1", "-g", "-shared", "-fPIC", "-o", module, source])
                try #require(built.status == 0, "\(built.errors)")
            }
            let program = try buildWorkload("twins", into: folder)
            let run = try Self.run([program] + modules)
            let sites = run.report.sites(named: "twin_call")
            #expect(sites.count == 2)
            #expect(sites.map(\.inuseObjects).sorted() == [0, 300])
            #expect(run.growing.map(\.blame.module) == [modules[0]])
            #expect(run.headline.contains("left.so: twin.c:"), "\(run.text)")
        }
    }
}
