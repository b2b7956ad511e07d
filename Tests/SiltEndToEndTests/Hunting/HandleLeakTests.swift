import SiltTestSupport
import Testing

extension EndToEnd {
    /// What has a handle and is kept: found at its line with its rate, and acquitted where it is given back
    /// (`handles.c`).
    @Suite(.serialized)
    struct HandleLeaks {
        /// A letter of `handles.c`, and its capital, which gives it back.
        struct Kind: CustomTestStringConvertible {
            var letter: String
            var kind: String
            var function: String
            /// Of what has a size.
            var bytes: Double?

            var unit: String { bytes == nil ? "objects" : "bytes" }
            var testDescription: String { "\(letter): \(kind)" }

            func isOf(_ site: TraceReport.Site) -> Bool { site.kind == kind && site.blame.function == function }
        }

        static let kinds = [
            Kind(letter: "j", kind: "unjoined", function: "forget_join"),
            Kind(letter: "k", kind: "unjoined", function: "forget_join"),
            Kind(letter: "c", kind: "unjoined", function: "forget_thrd_join"),
            Kind(letter: "w", kind: "thread", function: "start_worker"),
            Kind(letter: "t", kind: "timer", function: "keep_timer"),
            Kind(letter: "s", kind: "semaphore", function: "keep_semaphore"),
            Kind(letter: "l", kind: "locale", function: "keep_locale"),
            Kind(letter: "m", kind: "segment", function: "keep_segment", bytes: 12288),
        ]

        /// What a request of the letter `a` takes, one of each.
        private static let all =
            [kinds[0]] + kinds[3...] + [
                Kind(letter: "d", kind: "descriptor", function: "keep_descriptor"),
                Kind(letter: "p", kind: "mapping", function: "keep_mapping", bytes: 12288),
                // Nobody sees who leaves them.
                Kind(letter: "r", kind: "descriptor", function: ""), Kind(letter: "z", kind: "zombie", function: ""),
                Kind(letter: "o", kind: "module", function: ""),
            ]

        private static let folder: Result<(folder: ScratchFolder, program: String), any Error> = Result {
            let folder = try ScratchFolder()
            return (folder, try buildWorkload("handles", into: folder))
        }

        /// In one process, in forked workers, and in 8 threads.
        @Test(arguments: [[], ["workers"], ["threads"]])
        func ofEachKindTheOneKeptPerRequestIsFoundWithThatRateAndItsTwinIsNot(mode: [String]) throws {
            let (folder, program) = try Self.folder.get()
            let socket = folder.file("s")
            let (result, report) = try hunt(
                ["--idle", "1s", "--max-rounds", "6", "--ready", "unix:\(socket)"]
                    + phases(["a", "A"].map { ($0, "'\(program)' load '\(socket)' \($0) 20") }),
                command: [program, "serve", socket] + mode
            )
            #expect(result.status == 1, "\(result.errors)")
            #expect(report.trust.lost == 0 && report.trust.eventsSent == report.trust.eventsReceived)
            // The blocks that the C library allocates beside them are of the same lines.
            let things = report.charged("a").filter { $0.kind != "heap" }
            #expect(Set(things.map(\.kind)) == Set(Self.all.map(\.kind)) && things.count == Self.all.count)
            for kind in Self.all {
                let site = try #require(things.first(where: kind.isOf), "\(kind)")
                #expect(site.rate?.unit == kind.unit + "/request")
                let rate = (site.rate?.value ?? 0) / (kind.bytes ?? 1)
                #expect(abs(rate - 1) < 0.005, "\(kind): \(rate) \(site.evidence ?? "")")
            }
            let mended = report.charged("A")
            #expect(mended.isEmpty, "\(mended.map(\.evidence))")
        }

        @Test func ofEachKindAsManyAreCountedAsThereAreWhenAProgramIsKilled() throws {
            let (_, program) = try Self.folder.get()
            for letter in ["a", "A"] {
                let (result, report) = try trace(
                    [program, "run", letter, "0.7", "kill"],
                    options: ["--snapshot-every", "100ms"]
                )
                #expect(result.status == 128 + 9)
                let count = try #require(result.output.split(separator: " ").first.flatMap { Int($0) })
                // What came after the last look is not known, and one may be there for a moment.
                let zombies = report.sites.filter { $0.kind == "zombie" }.map(\.inuseObjects).reduce(0, +)
                #expect((letter == "a" ? count / 2...count : 0...1).contains(zombies), "\(zombies) of \(count)")
                for kind in Self.all.filter({ !$0.function.isEmpty }) {
                    let sites = report.sites.filter { $0.kind != "heap" && $0.blame.function == kind.function }
                    let taken = sites.filter { $0.kind == (kind.kind == "unjoined" ? "thread" : kind.kind) }
                    #expect(taken.map(\.allocObjects).reduce(0, +) == count, "\(kind)")
                    // Of a thread that ended at the very end nobody knows that it did.
                    let isThread = ["unjoined", "thread"].contains(kind.kind)
                    let kept = sites.map(\.inuseObjects).reduce(0, +)
                    let range = letter == "a" ? count...count : 0...(isThread ? count : 0)
                    #expect(range.contains(kept), "\(kind): \(kept) of \(count)")
                }
                #expect(report.trust.lost == 0 && report.trust.eventsSent == report.trust.eventsReceived)
            }
        }

        /// In one process, in a forked worker, and in 8 threads: of all kinds at once.
        @Test(arguments: ["alone", "worker", "threads"])
        func ofEachKindTheOneKeptInAFreeRunIsFoundAtItsRateAndItsTwinIsNot(how: String) throws {
            let (_, program) = try Self.folder.get()
            let options = ["--snapshot-every", "100ms"]
            let (result, report) = try trace([program, "run", "a", "2", how], options: options)
            let words = result.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            try #require(words.count == 2, "\(result.output) \(result.errors)")
            let truth = words[0] / words[1]
            let growing = report.sites.filter { $0.isGrowing && $0.kind != "heap" }
            // Looks find zombies and modules, and two seconds have few of them: too few for what is loaded.
            for kind in Self.all where kind.kind != "module" {
                let site = try #require(growing.first(where: kind.isOf), "\(kind)")
                #expect(site.rate?.unit == kind.unit + "/second")
                let seen = (site.rate?.value ?? 0) / (kind.bytes ?? 1)
                let tolerance = kind.function.isEmpty ? 0.5 : 0.15
                #expect(abs(seen - truth) < tolerance * truth, "\(kind): \(seen) of \(words)")
            }
            #expect(growing.filter { $0.kind != "module" }.count == Self.all.count - 1, "\(growing.map(\.evidence))")
            let mended = try trace([program, "run", "A", "1.2", how], options: options).report
            #expect(mended.sites.filter(\.isGrowing).isEmpty)
        }

        /// What is found by looks has no line: its next step is a command that tells it, and views show how many there are.
        @Test func childrenThatNobodyWaitsForAreShownWithWhatToDo() throws {
            let (folder, program) = try Self.folder.get()
            let (recording, page) = (folder.file("zombies.silt"), folder.file("zombies.html"))
            let options = ["--out", recording, "--snapshot-every", "100ms"]
            let command = [program, "run", "z", "2", "kill"]
            let run = try runProgram([siltExecutable, "run"] + options + ["--"] + command)
            let count = try #require(run.output.split(separator: " ").first.flatMap { Int($0) })
            func words(_ text: String) -> String {
                text.replacing("\\\n", with: "").split(whereSeparator: \.isWhitespace).joined(separator: " ")
            }
            let report = words(try consume([siltExecutable, "report", recording]))
            let remedy = "wait for each that ends (waitpid when SIGCHLD comes), or ignore SIGCHLD"
            #expect(report.contains(remedy), "\(report)")
            let next = "strace -f -k -e trace=fork,vfork,clone,clone3 \(command.joined(separator: " "))"
            #expect(report.contains("next: \(next) "), "\(report)")
            let top = words(try consume([siltExecutable, "report", recording, "--top"]))
            let shown = try #require(top.firstMatch(of: #/Type: zombie Showing nodes accounting for ([0-9]+),/#)?.1)
            #expect((count / 2...count).contains(Int(shown) ?? 0), "\(top)")
            _ = try consume([siltExecutable, "report", recording, "--html", page])
            let html = try String(contentsOfFile: page, encoding: .utf8)
            let series = #/"name": ?"zombies in use"[^\]]*"inuse": ?\[([0-9,\s]*)\]/#
            let values = try #require(html.firstMatch(of: series)?.1)
            let numbers = values.split { !$0.isNumber }.compactMap { Int($0) }
            #expect(numbers.last == Int(shown) && numbers == numbers.sorted(), "\(numbers)")
        }

        /// One that repeats, however often it was armed; not one that ends by itself.
        @Test func aTimerOfTheProcessIsLeftArmedUntilItIsDisarmed() throws {
            let (_, program) = try Self.folder.get()
            func left(_ arguments: [String]) throws -> [String] {
                let (result, report) = try trace([program, "arm"] + arguments)
                #expect(result.status == 0 && report.trust.unknownFrees == 0, "\(result.errors)")
                let timers = report.sites.filter { $0.kind == "timer" && $0.inuseObjects > 0 }
                return timers.map { "\($0.inuseObjects) \($0.blame.function)" }
            }
            #expect(try left([]) == ["1 arm_timer"])
            #expect(try left(["disarm"]) == [])
        }

        @Test(arguments: kinds)
        func whatIsKeptInAFreeRunIsFoundWithItsRateAndItsTwinIsNot(kind: Kind) throws {
            let (_, program) = try Self.folder.get()
            let options = ["--snapshot-every", "100ms"]
            let (result, report) = try trace([program, "run", kind.letter, "1.6"], options: options)
            let words = result.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            try #require(words.count == 2, "\(result.output) \(result.errors)")
            let found = report.sites.filter { $0.isGrowing && $0.kind != "heap" }
            #expect(found.map(\.kind) == [kind.kind] && found.first?.blame.function == kind.function)
            let rate = try #require(found.first?.rate)
            #expect(rate.unit == kind.unit + "/second")
            let (seen, truth) = (rate.value / (kind.bytes ?? 1), words[0] / words[1])
            #expect(abs(seen - truth) < 0.15 * truth, "\(seen) of \(words)")
            // Of those that ended after the last snapshot nobody knows that they did.
            let kept = report.sites.filter { $0.kind == "thread" || $0.kind == kind.kind }.map(\.inuseObjects)
            #expect(kept.reduce(0, +) == Int(words[0]))
            let mended = try trace([program, "run", kind.letter.uppercased(), "0.8"], options: options).report
            #expect(mended.sites.filter(\.isGrowing).isEmpty)
        }
    }
}
