/// What can be wrong with a profile; each description is a sentence that says what to do.
package enum PprofError: Error, Equatable {
    /// The bytes end inside a record, or inside what gzip made of them.
    case truncated(bytes: Int)
    /// Something else than a profile; the text says what, as in "it is an HTML page".
    case notAProfile(String)
    /// A profile once, but bytes of it have changed or its writer broke the format.
    case damaged(String)
    /// More than silt is willing to hold; `limit` in `unit`.
    case tooLarge(limit: Int, unit: String)
    /// A sample, location or label names something that is not there.
    case badReference(PprofTable, id: UInt64)
    /// Two records of a table have the same id, or one has 0, which stands for none.
    case badID(PprofTable, id: UInt64)
    /// A sample whose numbers are more or fewer than the profile's sample types.
    case wrongValueCount(sample: Int, found: Int, expected: Int)
    /// None of the values is memory or objects in use; `found` is what there is.
    case nothingInUse(found: [PprofValueType])
    /// What it counts is nothing that silt knows.
    case unknownCount(PprofValueType)
    /// The file could not be read; `reason` is the system's message.
    case cannotRead(path: String, reason: String)
}

/// The tables of a profile that others refer to.
package enum PprofTable: String, Sendable {
    case text
    case mapping
    case location
    case function
}

extension PprofError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated(let bytes):
            "the profile breaks off after \(bytes) bytes: fetch or copy it again"
        case .notAProfile(let what):
            "this is no pprof profile: \(what)"
        case .damaged(let reason):
            "the profile is damaged (\(reason)): fetch or copy it again"
        case .tooLarge(let limit, let unit):
            "the profile has more than \(limit) \(unit), the most that silt reads"
        case .badReference(let table, let id):
            "the profile refers to \(table.rawValue) \(id), which it does not have: its writer is at fault"
        case .badID(let table, let id):
            (id == 0
                ? "the profile has a \(table.rawValue) without id" : "the profile has two \(table.rawValue)s \(id)")
                + ": its writer is at fault"
        case .wrongValueCount(let sample, let found, let expected):
            "sample \(sample) of the profile has \(found) values for \(expected) sample types: its writer is at fault"
        case .nothingInUse(let found):
            "the profile does not say what is in use, only \(found.map { "\($0.type)/\($0.unit)" }.joined(separator: ", "))"
                + ": take a heap or goroutine profile (inuse_space, space or goroutine among its sample types)"
        case .unknownCount(let type):
            "the profile counts \(type.type)/\(type.unit), which silt does not know: take a heap or goroutine profile"
        case .cannotRead(let path, let reason):
            "cannot read \(path): \(reason)"
        }
    }
}
