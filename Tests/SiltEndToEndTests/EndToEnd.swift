import SiltTestSupport
import Testing

/// Tests that trace real processes, one at a time: several at once would measure each other.
///
/// Within a test, programs that wait for most of their time run at once.
@Suite(.serialized)
enum EndToEnd {}

extension EndToEnd {
    /// `growth.c`, traced for two seconds: what several suites look at.
    static let growthRecording: Result<(folder: ScratchFolder, path: String), any Error> = Result {
        let folder = try ScratchFolder()
        let program = try buildWorkload("growth", into: folder)
        let path = folder.file("run.silt")
        _ = try runProgram([siltExecutable, "run", "--snapshot-every", "100ms", "--out", path, "--", program, "2"])
        return (folder, path)
    }
}
