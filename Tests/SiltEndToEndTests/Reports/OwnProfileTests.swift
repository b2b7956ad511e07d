import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Profiles that `silt report --pprof` writes, read by silt again, of programs that keep what is no block.
    @Suite(.serialized)
    struct OwnProfiles {
        private let folder: ScratchFolder
        private let program: String

        init() throws {
            folder = try ScratchFolder()
            program = try buildWorkload("handles", into: folder)
        }

        /// A profile of a program that keeps of a letter of `handles.c` until it is killed.
        private func profile(
            _ letter: String,
            _ name: String,
            seconds: Int = 2
        ) throws -> (recording: String, profile: String) {
            let (recording, profile) = (folder.file(name + ".silt"), folder.file(name + ".pb.gz"))
            let options = ["--out", recording, "--snapshot-every", "100ms"]
            let command = [program, "run", letter, "\(seconds)", "kill"]
            let run = try runProgram([siltExecutable, "run"] + options + ["--"] + command)
            #expect(run.status == 128 + 9, "\(run.errors)")
            _ = try consume([siltExecutable, "report", recording, "--pprof", profile])
            return (recording, profile)
        }

        /// Of everything of a kind: things and bytes, by function.
        private func held(_ path: String, _ kind: String) throws -> [String: [UInt64]] {
            let sites = try report(of: path).sites.filter { $0.kind == kind && $0.inuseObjects > 0 }
            return sites.reduce(into: [:]) { sums, site in
                let own = [UInt64(site.inuseObjects), UInt64(site.inuseSpace)]
                sums[site.blame.function] = zip(sums[site.blame.function] ?? [0, 0], own).map { $0 + $1 }
            }
        }

        @Test(arguments: [
            ("d", "descriptor"), ("p", "mapping"), ("w", "thread"), ("j", "unjoined"), ("t", "timer"),
            ("s", "semaphore"), ("l", "locale"), ("m", "segment"),
        ])
        func whatHasAHandleIsReadBackAsWhatItIs(letter: String, kind: String) throws {
            let (recording, profile) = try profile(letter, kind)
            let back = try report(of: profile)
            #expect(back.sites.contains { $0.kind == kind })
            #expect(!back.sites.contains { $0.kind == "goroutine" }, "\(Set(back.sites.map(\.kind)))")
            let held = try held(recording, kind)
            #expect(held.values.contains { $0[0] >= 50 }, "\(held)")
            #expect(try self.held(profile, kind) == held)
        }

        @Test func aDifferenceOfTwoProfilesIsInWhatTheyCount() throws {
            let (less, profile) = (try profile("d", "less").profile, try profile("d", "more", seconds: 3).profile)
            let text = try consume([siltExecutable, "diff", less, profile])
            #expect(text.contains("descriptors") && text.contains("keep_descriptor"), "\(text)")
            #expect(!text.contains("goroutine"), "\(text)")
        }
    }
}
