internal import Glibc
internal import SiltRecording
internal import SiltSession
internal import SiltText

/// A recording nobody asked to keep: in a private directory, removed with it.
final class ScratchRecording {
    let path: String
    private let directory: String

    init() throws {
        directory = try makePrivateDirectory()
        path = directory + "/run.silt"
    }

    deinit {
        removeRecording(path)
        rmdir(directory.system)
    }
}
