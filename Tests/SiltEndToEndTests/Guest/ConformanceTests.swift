import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// The long checks in short: `silt-conformance` finds nothing in what holds, and what it is there for is found.
    @Suite(.serialized)
    struct Conformance {
        private static let executable = URL(filePath: siltExecutable).deletingLastPathComponent()
            .appending(path: "silt-conformance").path()

        private func conformance(_ arguments: [String]) throws -> ProgramResult {
            try runProgram([Self.executable] + arguments)
        }

        @Test func aRealProgramIsTheSameUnderSiltAndPreloaded() throws {
            let folder = try ScratchFolder()
            let result = try conformance(["--only", "perl", "--markdown", folder.file("table.md")])
            #expect(result.status == 0, "\(result.output) \(result.errors)")
            #expect(result.output.hasSuffix("1 of 1 programs the same\n"))
            let table = try String(contentsOfFile: folder.file("table.md"), encoding: .utf8)
            #expect(table.split(separator: "\n").last?.contains("| same | same |") == true, "\(table)")
        }

        /// A silt that writes into its command's output, and one that changes its status.
        @Test(arguments: [("echo silt was here; exec", "output: "), ("false; exit 9;", "status 9, natively 0")])
        func aSiltThatIsNoticedIsFound(harm: String, difference: String) throws {
            let folder = try ScratchFolder()
            let bad = folder.file("silt")
            // `run` has its own harm, with the words of the command after it; everything else is silt's.
            try """
            #!/bin/bash
            [ "$1" = run ] || exec '\(siltExecutable)' "$@"
            recording=$3
            '\(siltExecutable)' run --out "$recording" -- bash -c '. "$0"; \(harm) true' "$6"
            """.write(toFile: bad, atomically: false, encoding: .utf8)
            chmod(bad, 0o755)
            let result = try conformance(["--only", "perl", "--silt", bad])
            #expect(result.status == 1, "\(result.output) \(result.errors)")
            #expect(result.output.contains("silt run: \(difference)"), "\(result.output)")
        }

        @Test func aKilledTargetIsExactAndAKilledAnalyzerHarmsNothing() throws {
            let result = try conformance(["kill", "--target", "2", "--analyzer", "2", "--within", "100"])
            #expect(result.status == 0, "\(result.output) \(result.errors)")
            #expect(result.output.hasSuffix("0 failures\n"))
        }

        @Test func aShortSoakIsFlat() throws {
            let result = try conformance(["soak", "--minutes", "0.05", "--tolerance", "30"])
            #expect(result.status == 0, "\(result.output) \(result.errors)")
            #expect(result.output.contains("0 lost, sent = received: yes"))
        }
    }
}
