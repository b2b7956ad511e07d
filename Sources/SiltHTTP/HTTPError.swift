package import SiltPprof

/// Why a service could not be asked; each description is a sentence that says what to do.
package enum HTTPError: Error, Equatable {
    /// Nobody answers there; `reason` is the system's message.
    case cannotConnect(String, reason: String)
    /// TLS could not be established.
    case notSecure(String, reason: String)
    case timedOut(String, seconds: Int)
    /// An answer other than 200; `detail` is the first line of it, or where a redirect leads.
    case refused(String, status: Int, detail: String)
    /// The answer broke off or was not HTTP.
    case badAnswer(String, reason: String)
    /// The answer has more than `limit` bytes.
    case tooLong(String, limit: Int)
    /// The answer is not a proper profile.
    case badProfile(String, PprofError)
}

extension HTTPError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cannotConnect(let address, let reason):
            "\(address) does not answer (\(reason)): is the service running, and does it listen there?"
        case .notSecure(let address, let reason):
            "no secure connection to \(address): \(reason)"
        case .timedOut(let address, let seconds):
            "\(address) gave no complete answer within \(seconds) s: is the service stuck, or behind a slow network?"
        case .refused(let address, let status, let detail):
            HTTPError.describeStatus(address, status, detail)
        case .badAnswer(let address, let reason):
            "\(address) broke off its answer (\(reason)): is this port an HTTP server's?"
        case .tooLong(let address, let limit):
            "\(address): the answer has more than \(limit) bytes, the most that silt reads"
        case .badProfile(let address, let error):
            "\(address): \(error)"
        }
    }

    private static func describeStatus(_ address: String, _ status: Int, _ detail: String) -> String {
        let said = detail.isEmpty ? "" : " (\(detail))"
        return switch status {
        case 404:
            "\(address) is not there (404): a Go service needs `import _ \"net/http/pprof\"`, "
                + "and its handlers on a mux of its own"
        case 300..<400:
            "\(address) redirects\(detail.isEmpty ? "" : " to \(detail)"): give the address that it leads to"
        case 401, 403:
            "\(address) asks for a login (\(status)): give an address that serves the profiles without one"
        default:
            "\(address) answers with status \(status)\(said) instead of a profile"
        }
    }
}
