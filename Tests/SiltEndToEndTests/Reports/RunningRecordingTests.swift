import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    @Suite struct RunningRecordings {
        /// Its analyzer names functions when it closes the recording: until then the reader does.
        @Test func aReportOfARecordingThatIsBeingWrittenNamesFunctions() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("given_back", into: folder)
            let recording = folder.file("run.silt")
            let run = try StartedProgram([siltExecutable, "run", "--out", recording, "--", program, "keep", "20"])
            defer { run.end() }
            var text = ""
            for _ in 0..<100 where !text.contains("remember") {
                usleep(200_000)
                text = try runProgram([siltExecutable, "report", recording, "--by", "inuse"]).output
            }
            #expect(run.isRunning)
            #expect(text.contains("remember  given_back.c:"), "\(text)")
        }
    }
}
