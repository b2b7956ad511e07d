import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// What was not traced and may be what grows stands on the first line (CShim/docs/children.md).
    @Suite
    struct UntracedVerdicts {
        private struct Run: Sendable {
            var status: Int32
            var firstLine: String
            /// What `silt check` of the recording ends with.
            var check: Int32
        }

        /// Runs scripts in which `$static` and `$dynamic` are the workload.
        private static func runs(_ scripts: [String]) throws -> [Run] {
            let folder = try ScratchFolder()
            let own = try buildWorkload("lingers", into: folder)
            let still = folder.file("still")
            let apart = try ScratchFolder()
            let built = try buildWorkload("lingers", into: apart, flags: ["-static"])
            try FileManager.default.moveItem(atPath: built, toPath: still)
            return try atOnce(scripts) { script in
                let recording = folder.file("run\(scripts.firstIndex(of: script) ?? 0).silt")
                let result = try runProgram(
                    [siltExecutable, "run", "--out", recording, "--", "sh", "-c", script],
                    environment: ["static": still, "dynamic": own]
                )
                let check = try runProgram([siltExecutable, "check", recording])
                let words = result.errors.split(separator: "\n\n")[0].split(whereSeparator: \.isWhitespace)
                let line = words.joined(separator: " ").replacing(folder.path + "/", with: "")
                return Run(status: result.status, firstLine: line, check: check.status)
            }
        }

        /// Scripts, and what is said of what grew in them.
        private static let unseen = [
            ("exec $static grow 7", "sh became still, which was not traced: statically linked"),
            ("$static grow 7; true", "child still was not traced: statically linked"),
            ("sleep 8; $static grow 4; true", "child still was not traced: statically linked"),
            ("exec env -i $dynamic grow 7", "sh became lingers, which was not traced: its environment was emptied"),
            ("env -i $dynamic grow 7; true", "child lingers was not traced: its environment was emptied"),
            (
                "env LD_PRELOAD=libm.so.6 $dynamic grow 7; true",
                "child lingers was not traced: its LD_PRELOAD does not name silt's library"
            ),
            (
                "env -u SILT_SOCKET $dynamic grow 7; true",
                "child lingers was not traced: SILT_SOCKET was taken out of its environment"
            ),
            ("$dynamic mute 7; true", "child lingers was not traced: made by clone(2) with CLONE_FILES"),
        ]

        @Test func whatGrewUnseenIsNeverAcquitted() throws {
            for (run, (script, reason)) in zip(try Self.runs(Self.unseen.map(\.0)), Self.unseen) {
                #expect(run.status == 0, "\(script)")
                let line = run.firstLine
                #expect(line.hasPrefix("INCONCLUSIVE: \(reason) (its memory grew by "), "\(script): \(line)")
                #expect(run.check == 3, "\(script)")
            }
        }

        /// A helper that lives briefly, a change of user, an init.
        private static let serving = [
            "$static grow 1; $dynamic steady 8", "$static exec $dynamic steady 8; true",
            "exec $static exec $dynamic steady 8", "$static init $dynamic steady 8; true",
            "exec $static init $dynamic steady 8",
        ]

        @Test func whatServesTheTracedProgramLeavesItItsVerdict() throws {
            for (run, script) in zip(try Self.runs(Self.serving), Self.serving) {
                #expect(run.status == 0, "\(script)")
                let line = run.firstLine
                #expect(line.hasPrefix("NOT GROWING: "), "\(script): \(line)")
                #expect(line.hasSuffix("; not followed: still (statically linked)"), "\(script): \(line)")
                #expect(run.check == 0, "\(script)")
            }
        }
    }
}
