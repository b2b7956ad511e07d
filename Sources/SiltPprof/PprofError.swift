/// What can be wrong with a profile or the endpoint it comes from; each description is a sentence that says what to do.
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
    /// The file could not be read; `reason` is the system's message.
    case cannotRead(path: String, reason: String)
    /// No address of a profile endpoint.
    case badAddress(String, reason: String)
    /// Nobody answers there; `reason` is the system's message.
    case cannotConnect(String, reason: String)
    /// TLS came to nothing there.
    case notSecure(String, reason: String)
    case timedOut(String, seconds: Int)
    /// An answer other than 200; `detail` is the first line of it, or where a redirect leads.
    case refused(String, status: Int, detail: String)
    /// The answer broke off or was no HTTP.
    case badAnswer(String, reason: String)
    /// What came from an address was no proper profile.
    indirect case answer(String, PprofError)
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
        case .cannotRead(let path, let reason):
            "cannot read \(path): \(reason)"
        case .badAddress(let address, let reason):
            "\(address) is no profile address: \(reason)"
        case .cannotConnect(let address, let reason):
            "\(address) does not answer (\(reason)): is the service running, and does it listen there?"
        case .notSecure(let address, let reason):
            "\(address) cannot be asked in confidence: \(reason)"
        case .timedOut(let address, let seconds):
            "\(address) gave no complete answer within \(seconds) s: is the service stuck, or behind a slow network?"
        case .refused(let address, let status, let detail):
            PprofError.describeStatus(address, status, detail)
        case .badAnswer(let address, let reason):
            "\(address) broke off its answer (\(reason)): is this port an HTTP server's?"
        case .answer(let address, let error):
            "\(address): \(error)"
        }
    }

    private static func describeStatus(_ address: String, _ status: Int, _ detail: String) -> String {
        let said = detail.isEmpty ? "" : " (\(detail))"
        return switch status {
        case 404:
            "\(address) is not there (404): a Go service needs `import _ \"net/http/pprof\"`, "
                + "on a mux of its own also its handlers"
        case 300..<400:
            "\(address) redirects\(detail.isEmpty ? "" : " to \(detail)"): give the address that it leads to"
        case 401, 403:
            "\(address) wants a login (\(status)): give an address inside, where the profiles are open"
        default:
            "\(address) answers with status \(status)\(said) instead of a profile"
        }
    }
}
