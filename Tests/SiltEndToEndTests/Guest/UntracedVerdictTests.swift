import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// What was not traced and may be what grows stands on the first line (CShim/docs/children.md).
    @Suite
    struct UntracedVerdicts {
        /// Runs a script in which `$static` and `$dynamic` are the workload; the first line, and what `silt check` ends with.
        private func firstLine(_ script: String) throws -> (line: String, check: Int32) {
            let folder = try ScratchFolder()
            let own = try buildWorkload("lingers", into: folder)
            let still = folder.file("still")
            let apart = try ScratchFolder()
            let built = try buildWorkload("lingers", into: apart, flags: ["-static"])
            try FileManager.default.moveItem(atPath: built, toPath: still)
            let recording = folder.file("run.silt")
            let result = try runProgram(
                [siltExecutable, "run", "--out", recording, "--", "sh", "-c", script],
                environment: ["static": still, "dynamic": own]
            )
            #expect(result.status == 0)
            let check = try runProgram([siltExecutable, "check", recording])
            let words = result.errors.split(separator: "\n\n")[0].split(whereSeparator: \.isWhitespace)
            return (words.joined(separator: " ").replacing(folder.path + "/", with: ""), check.status)
        }

        @Test(arguments: [
            ("exec $static grow 7", "sh became still, which was not traced: statically linked"),
            ("$static grow 7; true", "child still was not traced: statically linked"),
            ("sleep 8; $static grow 4; true", "child still was not traced: statically linked"),
            ("exec env -i $dynamic grow 7", "sh became lingers, which was not traced: its environment was emptied"),
            ("env -i $dynamic grow 7; true", "child lingers was not traced: its environment was emptied"),
            ("$dynamic mute 7; true", "child lingers was not traced: made by clone(2) with CLONE_FILES"),
        ])
        func whatGrewUnseenIsNeverAcquitted(script: String, reason: String) throws {
            let (line, check) = try firstLine(script)
            #expect(line.hasPrefix("INCONCLUSIVE: \(reason) (its memory grew by "), "\(line)")
            #expect(check == 3)
        }

        /// A helper that lives briefly, a change of user, an init.
        @Test(arguments: [
            "$static grow 1; $dynamic steady 8", "$static exec $dynamic steady 8; true",
            "exec $static exec $dynamic steady 8", "$static init $dynamic steady 8; true",
            "exec $static init $dynamic steady 8",
        ])
        func whatServesTheTracedProgramLeavesItItsVerdict(script: String) throws {
            let (line, check) = try firstLine(script)
            #expect(line.hasPrefix("NOT GROWING: "), "\(line)")
            #expect(line.hasSuffix("; not followed: still (statically linked)"), "\(line)")
            #expect(check == 0)
        }
    }
}
