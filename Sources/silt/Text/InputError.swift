internal import SiltPprof

/// Why there is nothing to make a report of, or why it is not written there.
enum InputError: Error, CustomStringConvertible {
    /// Nobody named a recording, and none is kept there.
    case nothingKept(folder: String?)
    /// Neither a recording nor a profile, or a profile that cannot be read; a text file is not taken for a damaged one.
    case unreadable(path: String, PprofError, isBinary: Bool)
    /// An output would replace it, which may be the one that is read.
    case isRecording(path: String)

    var description: String {
        switch self {
        case .isRecording(let path): "cannot write \(path): it is a recording, and none is replaced: name another file"
        case .nothingKept(let folder):
            "no recording is kept\(folder.map { " in \($0)" } ?? ""): name one, or make one with silt run -- ./server"
        case .unreadable(let path, let error, let isBinary):
            switch error {
            case .notAProfile(let what): "\(path) is neither a recording nor a pprof profile: \(what)"
            case .cannotRead: "\(error)"
            case .truncated, .damaged, .tooLarge, .badReference, .badID, .wrongValueCount, .nothingInUse,
                .unknownCount:
                isBinary
                    ? "\(path): \(error)"
                    : "\(path) is neither a recording (silt run --out F.silt makes one) nor a pprof profile"
            }
        }
    }
}
