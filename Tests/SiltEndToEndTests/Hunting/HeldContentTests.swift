import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Hunts on services that hold content when the load has stopped: rings, pools and stores with a time to live.
    @Suite(.serialized)
    struct HeldContent {
        private static func hunt(_ letter: String, _ count: Int, _ options: [String] = []) throws -> Hunts.Outcome {
            let folder = try ScratchFolder()
            let program = try buildWorkload("holds", into: folder)
            let socket = folder.file("s")
            return try Hunts.hunt(
                [("get", "'\(program)' load '\(socket)' \(letter) \(count)")],
                options: ["--idle", "1s", "--ready", "unix:\(socket)"] + options,
                maximumRounds: nil,
                service: [program, "serve", socket]
            )
        }

        @Test func aLeakBesideARingOfItsLineIsChargedAtItsRate() throws {
            let outcome = try Self.hunt("r", 100)
            #expect(outcome.status == 1, "\(outcome.report.sites.map(\.evidence))")
            let site = try #require(outcome.growing.first)
            #expect(outcome.growing.count == 1 && ["ring", "make_node"].contains(site.blame.function))
            let rate = try #require(site.rate)
            #expect(
                rate.unit == "bytes/request" && (184.0 / 25 / 1.67...184.0 / 25 * 1.67).contains(rate.value),
                "\(rate)"
            )
            // Seconds of watching do not make it certain.
            #expect(site.confidence != "high")
            #expect(site.evidence?.contains("none was freed within") == true, "\(site.evidence ?? "")")
        }

        @Test func aRingAloneIsAcquitted() throws {
            let outcome = try Self.hunt("o", 100)
            #expect(outcome.status == 0, "\(outcome.report.sites.map(\.evidence))")
        }

        @Test func aPoolThatFillsIsNeverCharged() throws {
            for outcome in try atOnce([10, 30], { try Self.hunt("p", $0) }) {
                #expect([0, 3].contains(outcome.status), "\(outcome.report.sites.map(\.evidence))")
                #expect(outcome.growing.isEmpty)
            }
        }

        @Test func whatIsFreedWhileTheHuntWaitsWasACache() throws {
            let outcome = try Self.hunt("t", 50, ["--max-rounds", "6", "--confirm", "7s"])
            #expect(outcome.status == 0, "\(outcome.report.sites.map(\.evidence))")
        }

        @Test func plannedRoundsAreMadeAndNoMoreThanTheMost() throws {
            let outcome = try Self.hunt("r", 40, ["--rounds", "4", "--max-rounds", "5"])
            let phase = try #require(outcome.report.phases?.first { $0.name == "get" })
            // And the warm-up.
            #expect((5...6).contains(phase.rounds), "\(phase.rounds)")
        }
    }
}
