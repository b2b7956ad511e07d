import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// What `silt report` draws of real programs.
    @Suite(.serialized)
    struct Views {
        private func report(_ options: [String]) throws -> String {
            try consume([siltExecutable, "report", try EndToEnd.growthRecording.get().path] + options)
        }

        /// Line, flat and cum of each line that has some, in bytes.
        private func lines(in text: String) -> [[Int]] {
            func bytes(_ word: Substring) -> Int? {
                if word == "." { return 0 }
                let units = ["kB": 1024.0, "MB": 1_048_576, "GB": 1_073_741_824]
                for (unit, factor) in units where word.hasSuffix(unit) {
                    return Double(word.dropLast(2)).map { Int($0 * factor) }
                }
                return word.hasSuffix("B") ? Int(word.dropLast()) : nil
            }
            return text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
                guard words.count == 3, let flat = bytes(words[0]), let cumulative = bytes(words[1]),
                    let number = Int(words[2].prefix { $0 != ":" }.filter { $0 != " " }), flat + cumulative > 0
                else { return nil }
                return [number, flat, cumulative]
            }
        }

        @Test func linesHoldWhatGoToolPprofSays() throws {
            let profile = try EndToEnd.growthRecording.get().folder.file("run.pb.gz")
            _ = try report(["--pprof", profile])
            for function in ["main", "build_string"] {
                let theirs = lines(
                    in: try goToolPprof(["-list", "^\(function)$", "-unit=B", "-sample_index=alloc_space", profile])
                )
                let ours = lines(in: try report(["--list", "^\(function)$", "--by", "alloc"]))
                #expect(!theirs.isEmpty && ours.map(\.first) == theirs.map(\.first), "\(ours) \(theirs)")
                for (our, their) in zip(ours, theirs) {
                    for column in 1...2 { #expect(abs(our[column] - their[column]) <= max(16, their[column] / 50)) }
                }
            }
        }

        @Test(arguments: [
            ["--flame", "--by", "alloc"], ["--flame", "--inverted", "--by", "peak"], ["--tree", "--by", "alloc"],
            ["--tree", "--root", "main", "--by", "peak"], ["--timeline"], ["--peak"], ["--sizes"], ["--ages"],
        ])
        func whatIsPipedIsPlainTextOfAtMost120Columns(options: [String]) throws {
            let text = try report(options)
            #expect(text.split(separator: "\n").count >= 3, "\(text)")
            #expect(!text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" || $0.value == 127 })
            for line in text.split(separator: "\n") { #expect(line.count <= 120, "\(line)") }
        }

        @Test func blocksThatWereLeftAreCountedBySizeAndAge() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("counts", into: folder)
            let path = folder.file("run.silt")
            _ = try runProgram([siltExecutable, "run", "--out", path, "--", program, "8"])
            // 345,678 blocks of 40 bytes are left.
            let sizes = try consume([siltExecutable, "report", path, "--sizes"])
            let row = try #require(sizes.split(separator: "\n").first { $0.contains("32 B – 64 B") })
            #expect(row.contains("345,678"), "\(row)")
            let ages = try consume([siltExecutable, "report", path, "--ages"])
            let count = Int(try #require(sizes.firstMatch(of: #/([0-9,]+) blocks/#)).1.filter { $0 != "," })
            #expect(Int(try #require(ages.firstMatch(of: #/([0-9,]+) blocks/#)).1.filter { $0 != "," }) == count)
            #expect(count ?? 0 >= 345_678)
        }

        @Test func viewsThatExcludeEachOtherAreUsageErrors() throws {
            let path = try EndToEnd.growthRecording.get().path
            for options in [
                ["--flame", "--tree"], ["--root", "main"], ["--list", "x", "--top"], ["--between", "start"],
                ["--between", "start", "end", "--sizes"], ["--tree", "--root", "("],
            ] {
                #expect(try runProgram([siltExecutable, "report", path] + options).status == 2, "\(options)")
            }
        }

        /// On a terminal the boxes are colored, and as wide as it is.
        @Test func theFlameFitsTheTerminal() throws {
            let folder = try ScratchFolder()
            let script =
                "stty cols 72; '\(siltExecutable)' report '\(try EndToEnd.growthRecording.get().path)' --flame --by alloc"
            let output = folder.file("typescript")
            let result = try runProgram(
                ["script", "-qec", script, output],
                environment: ["TERM": "xterm-256color", "NO_COLOR": ""]
            )
            #expect(result.status == 0)
            let text = try String(contentsOfFile: output, encoding: .utf8)
            #expect(text.contains("\u{1b}[38;5;16;48;5;"))
            let plain = text.replacing(#/\u{1b}\[[0-9;]*m/#, with: "")
            // A terminal's line end is one Character.
            let rows = plain.split(separator: "\r\n").filter { $0.hasPrefix("▏") }
            #expect(rows.first?.count == 72 && rows.allSatisfy { $0.count <= 72 }, "\(plain)")
        }
    }
}
