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

        private static let folder: Result<(folder: ScratchFolder, program: String), any Error> = Result {
            let folder = try ScratchFolder()
            return (folder, try buildWorkload("handles", into: folder))
        }

        /// In one process, and in forked workers: each kind has its free run below.
        @Test(arguments: [(kinds[0], []), (kinds[3], ["workers"])])
        func oneKeptPerRequestIsFoundWithThatRateAndItsTwinIsNot(kind: Kind, mode: [String]) throws {
            let (folder, program) = try Self.folder.get()
            let socket = folder.file("s")
            let letters = [kind.letter, kind.letter.uppercased()]
            let (result, report) = try hunt(
                ["--idle", "1s", "--max-rounds", "6", "--ready", "unix:\(socket)"]
                    + phases(letters.map { ($0, "'\(program)' load '\(socket)' \($0) 20") }),
                command: [program, "serve", socket] + mode
            )
            #expect(result.status == 1, "\(result.errors)")
            #expect(report.trust.lost == 0 && report.trust.eventsSent == report.trust.eventsReceived)
            // The block that the C library allocates for a stack is of the same line.
            let charged = report.charged(kind.letter)
            #expect(charged.allSatisfy { $0.rank == 1 || $0.partOf?.rank == 1 })
            let things = charged.filter { $0.kind != "heap" }
            #expect(things.map(\.kind) == [kind.kind])
            let site = try #require(things.first)
            #expect(site.blame.function == kind.function)
            #expect(site.rate?.unit == kind.unit + "/request")
            #expect(abs((site.rate?.value ?? 0) - 1) < 0.05, "\(site.rate?.value ?? 0)")
            let mended = report.charged(kind.letter.uppercased())
            #expect(mended.isEmpty, "\(mended.map(\.evidence))")
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
