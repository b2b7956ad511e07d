import Foundation
import SiltEvents
import SiltRecording
import SiltTestNumbers
import SiltTestRecordings
import SiltTestSupport
import Testing

extension EndToEnd {
    /// The HTML report in a real browser.
    @Suite(.serialized)
    struct Pages {
        private static let hunted: Result<(folder: ScratchFolder, page: String), any Error> = Result {
            let folder = try ScratchFolder()
            let program = try buildWorkload("service", into: folder)
            let (socket, recording) = (folder.file("s"), folder.file("hunt.silt"))
            let phases = phases(["keep", "forget"].map { ($0, "'\(program)' load '\(socket)' \($0.prefix(1)) 100") })
            _ = try runProgram(
                [siltExecutable, "hunt", "--idle", "1s", "--max-rounds", "8", "--ready", "unix:\(socket)"] + phases
                    + ["--out", recording, "--", program, "serve", socket, "well"]
            )
            let page = folder.file("report.html")
            _ = try consume([siltExecutable, "report", recording, "--html", page])
            return (folder, page)
        }

        private func browse(_ lines: [String]) throws -> [Any] {
            try SiltTestSupport.browse("file://" + Self.hunted.get().page, lines)
        }

        @Test func thePageIsOneSmallFileThatAsksForNothing() throws {
            let page = try String(contentsOfFile: Self.hunted.get().page, encoding: .utf8)
            let data = try #require(page.range(of: "id=\"silt-data\">"))
            let end = try #require(page.range(of: "</script>", range: data.upperBound..<page.endIndex))
            let code = page.utf8.count - page[data.upperBound..<end.lowerBound].utf8.count
            #expect(code < 300_000, "\(code)")
            #expect(!page.contains("http://") || page.contains("http://www.w3.org/2000/svg"))
            #expect(!page.contains("src="))
            #expect(try browse(["errors"])[0] as? [String] == [])
        }

        @Test func theVerdictAndTheGrowingSiteComeFirst() throws {
            let answers = try browse([
                "script return document.getElementById('verdict').textContent",
                "script return document.querySelector('#growing article').textContent",
                "script return document.querySelectorAll('#phases tbody tr').length",
                "script return [...document.querySelectorAll('#growing svg')].map(s => s.getAttribute('aria-label'))",
                "errors",
                "script return document.querySelector('#next code').textContent",
            ])
            #expect((answers[5] as? String)?.hasSuffix(" --stack") == true, "\(answers[5])")
            #expect(answers[0] as? String == "GROWING: 1 call site leaks on keep, 1000 B per request")
            let article = try #require(answers[1] as? String)
            for text in ["+1000 B/request", "keep_order", "service.c:", "likely", "malloc(1000)", "never freed"] {
                #expect(article.contains(text), "\(text): \(article)")
            }
            #expect(answers[2] as? Int == 3)
            #expect((answers[3] as? [String])?.count == 4)
            #expect(answers[4] as? [String] == [])
        }

        @Test func clicksAndKeysZoomAndSearchTellsTheShare() throws {
            let find = "silt.flame.boxes.find(b => b[0].name === 'serve')"
            let place = try browse([
                "script document.getElementById('flame').scrollIntoView(); const b = \(find); "
                    + "return [Math.round(b[1] + b[3] / 2), b[2] + 9]"
            ])
            let point = try #require(place[0] as? [Int])
            let answers = try browse([
                "script return silt.flame.focus.name",
                "canvas flame \(point[0]) \(point[1])",
                "script return silt.flame.focus.name",
                "keys ARROW_DOWN ENTER",
                "script return silt.flame.focus.name",
                "keys ESCAPE",
                "script return silt.flame.focus.name",
                "script return document.getElementById('detail').textContent",
                "keys HOME",
                "type search keep_o",
                "script return document.getElementById('found').textContent",
                "click inverted",
                "script return silt.flame.boxes.filter(b => b[2] === 19).map(b => b[0].name)",
                "click table-part", "wait document.querySelector('#table tr') !== null",
                "script return document.querySelector('#table tr').textContent",
                "errors",
            ])
            #expect(answers[0] as? String == "all")
            #expect(answers[2] as? String == "serve")
            #expect(answers[4] as? String == "keep_order")
            #expect(answers[6] as? String == "serve")
            #expect((answers[7] as? String)?.hasPrefix("serve (service.c): ") == true, "\(answers[7])")
            #expect(
                ["99%", "100%"].contains((answers[10] as? String)?.components(separatedBy: " ").first),
                "\(answers[10])"
            )
            #expect((answers[12] as? [String])?.first == "keep_order")
            #expect((answers[15] as? String)?.hasPrefix("keep_order") == true, "\(answers[15])")
            #expect(answers[16] as? [String] == [])
        }

        /// The finding's boxes have its colour, as it has in the course of time.
        @Test func thePageOpensOnWhatGrew() throws {
            let answers = try browse([
                "script return [document.getElementById('measure').value, silt.page.view.root.value]",
                "script return silt.flame.boxes.filter(b => b[0].finding === 0).map(b => b[0].name)",
                "script return document.getElementById('legend').textContent",
                "script const c = silt.timeline.data.courses; return [c.length, c[0][0], c[0][c[0].length - 1]]",
                "script return [...document.querySelectorAll('#growing .way li')].map(e => e.textContent)",
                "errors",
            ])
            let opening = try #require(answers[0] as? [Any])
            #expect(opening[0] as? String == "growth")
            #expect((answers[1] as? [String])?.contains("keep_order") == true, "\(answers[1])")
            #expect((answers[2] as? String)?.hasPrefix("keep_order") == true, "\(answers[2])")
            let course = try #require(answers[3] as? [Double])
            #expect(course[0] == 1 && course[1] == 0 && course[2] >= 700_000, "\(course)")
            let way = try #require(answers[4] as? [String])
            #expect(way.contains { $0.hasPrefix("main ") } && way.last?.hasPrefix("keep_order ") == true, "\(way)")
            #expect(answers[5] as? [String] == [])
        }

        @Test func aLinkToAViewShowsTheSameView() throws {
            let state =
                "script const p = silt.page, m = p.data.moments; return [p.measure, p.isInverted, p.isByTime, "
                + "p.search, m[p.from].name, m[p.to].name, silt.flame.path(silt.flame.focus).map(b => b.name)]"
            let link = "script return document.getElementById('link').getAttribute('href')"
            let first = try browse([
                "script silt.chooseMoments(3, silt.page.data.moments.length - 1); "
                    + "document.getElementById('order').value = 'time'; document.getElementById('order').dispatchEvent(new Event('change'))",
                "script silt.flame.zoom(silt.flame.boxes.find(b => b[0].name === 'serve')[0])",
                "type search keep_o", link, state,
            ])
            let fragment = try #require(first[3] as? String)
            let again = try SiltTestSupport.browse(
                "file://" + Self.hunted.get().page + fragment,
                [state, "click reset", state, link]
            )
            #expect(String(describing: again[0]) == String(describing: first[4]))
            let shown = try #require(first[4] as? [Any])
            #expect(shown[0] as? String == "growth" && shown[2] as? Bool == true && shown[3] as? String == "keep_o")
            #expect((shown[6] as? [String])?.last == "serve", "\(shown[6])")
            let reset = try #require(again[2] as? [Any])
            #expect(reset[2] as? Bool == false && reset[3] as? String == "" && reset[6] as? [String] == ["all"])
        }

        @Test func residentMemoryIsShownAndHiddenAndLinksKeepThat() throws {
            let state =
                "script return [document.getElementById('memory').checked, silt.timeline.data.rss.length > 0, "
                + "document.getElementById('legend').textContent.includes('resident memory')]"
            let answers = try browse([
                state, "click memory", state, "script return document.getElementById('link').getAttribute('href')",
                "errors",
            ])
            let (first, second) = (try #require(answers[0] as? [Bool]), try #require(answers[2] as? [Bool]))
            #expect(Set(first).count == 1 && second == first.map { !$0 })
            let link = try #require(answers[3] as? String)
            let again = try SiltTestSupport.browse("file://" + Self.hunted.get().page + link, [state])
            #expect(again[0] as? [Bool] == second, "\(link)")
            #expect(answers[4] as? [String] == [])
        }

        @Test func brushingTheCourseOfTimeCutsTheStacksToWhatCameThen() throws {
            let place = try browse([
                "script const t = silt.page.data.timeline, l = silt.timeline.left, "
                    + "w = document.getElementById('timeline').clientWidth - l; "
                    + "return t.spans.map(s => [s.name, Math.round(l + s.first / t.inuse.length * w), "
                    + "Math.round(l + (s.last + 1) / t.inuse.length * w)])"
            ])
            let spans = try #require(place[0] as? [[Any]])
            func brush(_ name: String) throws -> [Any] {
                let span = try #require(spans.first { $0[0] as? String == name })
                let (left, right) = (try #require(span[1] as? Int), try #require(span[2] as? Int))
                return try browse([
                    "canvas timeline \(left + 4) 60 \(right - 4) 60",
                    "script return document.getElementById('measure').value",
                    "script return silt.page.view.root.value",
                    "script return silt.flame.boxes.map(b => b[0].name)",
                    "errors",
                ])
            }
            let keep = try brush("keep")
            #expect(keep[1] as? String == "growth")
            #expect((keep[2] as? Double ?? 0) >= 400_000, "\(keep[2])")
            #expect((keep[3] as? [String])?.contains("keep_order") == true)
            #expect(keep[4] as? [String] == [])
            let forget = try brush("forget")
            #expect((forget[2] as? Double ?? -1).magnitude < 1000, "\(forget[2])")
            #expect((forget[3] as? [String])?.contains("keep_order") != true)
        }

        @Test func aPhoneNeedsNoScrollingSideways() throws {
            let width = "return [document.documentElement.scrollWidth, window.innerWidth]"
            let answers = try browse(["size 360 700", "script \(width)", "errors"])
            let widths = try #require(answers[1] as? [Int])
            #expect(widths[1] == 360 && widths[0] <= 360, "\(widths)")
        }

        @Test func darkAndLightFollowTheSystemAndTheButton() throws {
            let theme =
                "script return document.documentElement.dataset.theme + getComputedStyle(document.body).backgroundColor"
            let answers = try browse(["theme dark", theme, "theme light", theme, "click theme", theme])
            #expect(answers[1] as? String == "darkrgb(21, 24, 28)")
            #expect(answers[3] as? String == "lightrgb(255, 255, 255)")
            #expect(answers[5] as? String == "darkrgb(21, 24, 28)")
        }

        @Test func allThatCanBeUsedHasAName() throws {
            let answers = try browse([
                "script return [...document.querySelectorAll('button, select, input, canvas, svg')].filter(e => "
                    + "!(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label'))).map(e => e.outerHTML)",
                "script return document.documentElement.lang",
            ])
            #expect(answers[0] as? [String] == [])
            #expect(answers[1] as? String == "en")
        }

        /// Names come out of programs that may be hostile.
        @Test func namesAreTextAndNeverMarkup() throws {
            let folder = try ScratchFolder()
            let program = folder.file("<!--<script>silt_was_here=1;\"&")
            let built = try buildWorkload("growth", into: folder)
            try FileManager.default.createSymbolicLink(atPath: program, withDestinationPath: built)
            let (recording, page) = (folder.file("run.silt"), folder.file("report.html"))
            _ = try runProgram([
                siltExecutable, "run", "--out", recording, "--", program, "1",
                "</script></title><img src=x onerror=alert(1)>",
            ])
            _ = try consume([siltExecutable, "report", recording, "--html", page])
            let answers = try SiltTestSupport.browse(
                "file://" + page,
                [
                    "script return typeof silt_was_here", "script return document.images.length",
                    "script return document.getElementById('command').textContent", "errors",
                ]
            )
            #expect(answers[0] as? String == "undefined")
            #expect(answers[1] as? Int == 0)
            #expect((answers[2] as? String)?.contains("<img src=x onerror=alert(1)>") == true)
            #expect(answers[3] as? [String] == [])
        }

        /// More than any of the programs here makes.
        private func writeBigRecording(_ path: String, stacks: UInt32) throws {
            let writer = try RecordingWriter(path: path)
            try writer.begin()
            try writer.write(RecordedTarget(command: ["./big"]))
            try writer.add(module: 1, path: "/opt/big", buildID: [])
            let functions: UInt32 = 3000
            for id in 1...functions {
                try writer.add(frame: id, module: 1, offset: UInt64(id) * 16)
                let name = "function_\(id)_of_the_program"
                try writer.write(
                    symbols: [SourceFrame(function: name, file: "/src/file\(id % 90).c", line: Int(id))],
                    frame: id
                )
            }
            var process = RecordedProcess(id: 1, pid: 1)
            process.command = ["./big"]
            try writer.write(process)
            var generator = SeededGenerator(seed: 1)
            for id in 1...stacks {
                let random = generator.next()
                // A tree some 30 functions deep.
                let parent = id < 40 ? id - 1 : UInt32(random >> 33) % (id - 1) + 1
                try writer.add(stack: id, parent: parent, frame: UInt32(random >> 40) % functions + 1)
                var counters = RecordedCounters(.heap, process: 1, stack: id)
                counters.inUseBytes = 1 + random >> 52
                counters.inUseCount = 1
                counters.allocatedBytes = counters.inUseBytes
                counters.allocatedCount = 1
                counters.peakBytes = counters.inUseBytes
                counters.peakCount = 1
                try writer.write(counters)
            }
            try writer.commit()
            try writer.close()
        }

        @Test func aHundredThousandStacksOpenAtOnce() throws {
            let folder = try ScratchFolder()
            let (recording, page) = (folder.file("run.silt"), folder.file("report.html"))
            try writeBigRecording(recording, stacks: 110_000)
            _ = try consume([siltExecutable, "report", recording, "--html", page])
            let answers = try SiltTestSupport.browse(
                "file://" + page,
                [
                    "script return silt.page.tree.parents.length",
                    "script return performance.getEntriesByType('navigation')[0].domComplete",
                    "script const t = performance.now(); document.getElementById('inverted').click(); "
                        + "return performance.now() - t",
                    "errors",
                ]
            )
            #expect((answers[0] as? Int ?? 0) > 95_000, "\(answers[0])")
            // Under a second on an idle machine.
            #expect((answers[1] as? Double ?? .infinity) < 3000, "\(answers[1])")
            #expect((answers[2] as? Double ?? .infinity) < 3000, "\(answers[2])")
            #expect(answers[3] as? [String] == [])
        }
    }
}
