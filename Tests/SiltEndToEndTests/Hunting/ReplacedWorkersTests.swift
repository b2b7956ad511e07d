import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Hunts of a server whose workers end after some requests (Tests/Workloads/prefork.c): judged by what they do.
    @Suite(.serialized)
    struct ReplacedWorkers {
        private struct Hunted {
            var letter: String
            /// That a worker answers, and what it keeps from its start on.
            var requests: Int
            var start = 300
            var end = "frees"
        }

        private static let hunts = [
            Hunted(letter: "l", requests: 50), Hunted(letter: "l", requests: 50, start: 0, end: "keeps"),
            Hunted(letter: "o", requests: 50), Hunted(letter: "c", requests: 150), Hunted(letter: "n", requests: 50),
            Hunted(letter: "l", requests: 900), Hunted(letter: "t", requests: 50),
            Hunted(letter: "h", requests: 100_000), Hunted(letter: "j", requests: 100_000),
        ]

        private static let reports = Result {
            let folder = try ScratchFolder()
            let program = try buildWorkload("prefork", into: folder)
            return try atOnce(Array(hunts.enumerated())) { number, hunted in
                let socket = folder.file("\(number)")
                return try SiltTestSupport.hunt(
                    ["--idle", "500ms", "--ready", "unix:\(socket)"]
                        + phases([("route", "'\(program)' load '\(socket)' \(hunted.letter) 200")]),
                    command: [program, "serve", socket, "2", "\(hunted.requests)", "\(hunted.start)", hunted.end]
                ).report
            }
        }

        @Test(arguments: [0, 1])
        func whatWorkersLoseIsARatePerRequestThoughTheyEnd(number: Int) throws {
            let report = try Self.reports.get()[number]
            let charged = report.charged("route")
            let site = try #require(charged.first, "\(report.headline ?? "")")
            #expect(charged.count == 1 && ["keep", "lose"].contains(site.blame.function))
            let rate = try #require(site.rate)
            #expect(rate.unit == "bytes/request" && abs(rate.value - 1021) < 0.1 * 1021, "\(rate)")
            #expect(site.evidence?.contains("of a worker's life") == true, "\(site.evidence ?? "")")
        }

        /// All of them at the same five moments of their lives.
        @Test func whatEachLosesAtEveryTenthRequestIsALeakToo() throws {
            let report = try Self.reports.get()[6]
            let site = try #require(report.charged("route").first, "\(report.headline ?? "")")
            let rate = try #require(site.rate)
            #expect(["keep", "lose"].contains(site.blame.function) && rate.unit == "bytes/request")
            #expect(rate.low <= 102.1 && 102.1 <= rate.high && abs(rate.value / 102.1 - 1) < 0.4, "\(rate)")
        }

        @Test func whatTheyDoNotCloseIsCountedTheSameWay() throws {
            let report = try Self.reports.get()[2]
            let site = try #require(report.charged("route").first, "\(report.headline ?? "")")
            let rate = try #require(site.rate)
            #expect(site.blame.function == "open_file" && abs(rate.value - 1) < 0.1, "\(rate)")
        }

        @Test func aCacheThatEachWorkerFillsIsNotCharged() throws {
            let report = try Self.reports.get()[3]
            #expect(report.verdict != "growing", "\(report.headline ?? "")")
        }

        @Test func aCacheOfAnInterpreterThatIsNotFullIsNotCharged() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("prefork", into: folder)
            let socket = folder.file("s")
            let service = packageRoot.appending(path: "Tests/Workloads/prefork.py").path()
            let (_, report) = try SiltTestSupport.hunt(
                ["--idle", "500ms", "--ready", "unix:\(socket)"]
                    + phases([("route", "'\(program)' load '\(socket)' x 200")]),
                command: ["env", "PYTHONMALLOC=malloc", "python3", service, socket, "60"]
            )
            #expect(report.charged("route").isEmpty && report.verdict != "growing", "\(report.headline ?? "")")
        }

        @Test func whatEachWorkerLoadsAtItsStartIsNoLeak() throws {
            let report = try Self.reports.get()[4]
            #expect(report.verdict == "not-growing", "\(report.headline ?? "")")
        }

        /// A program that every fourth request calls, and a child.
        @Test(arguments: [7, 8])
        func whatDoesOneThingAndEndsIsNoWorker(number: Int) throws {
            let report = try Self.reports.get()[number]
            #expect(report.verdict == "not-growing", "\(report.headline ?? "")")
        }

        @Test func fewerThanThreeGenerationsLeaveTheRouteOpen() throws {
            let report = try Self.reports.get()[5]
            #expect(report.verdict == "inconclusive", "\(report.headline ?? "")")
        }
    }
}
