internal import SiltHTTP
internal import SiltPprof

/// What takes the profiles that are pushed.
package enum ProfileReceiver: String, CaseIterable, Sendable {
    /// Pyroscope's push API (push.v1, in JSON), with the profile in pprof's format.
    case pyroscope
    /// OpenTelemetry's profiles signal (OTLP over HTTP, development version 1): a collector, or a store that takes it.
    case otlp

    private var path: String {
        switch self {
        case .pyroscope: "/push.v1.PusherService/Push"
        case .otlp: "/v1development/profiles"
        }
    }

    /// The path of the request, below the one that users gave or equal to it.
    fileprivate func path(below given: String) -> String { given.hasSuffix(path) ? given : given + path }

    fileprivate var headers: [(String, String)] {
        switch self {
        case .pyroscope: [("Content-Type", "application/json")]
        case .otlp: [("Content-Type", "application/x-protobuf"), ("Content-Encoding", "gzip")]
        }
    }

    /// What the name of a service is called among the labels.
    fileprivate var serviceLabel: String {
        switch self {
        case .pyroscope: "service_name"
        case .otlp: "service.name"
        }
    }
}

/// Where profiles are sent to, and as what.
package struct PushTarget: Sendable {
    private let endpoint: PprofEndpoint
    private let receiver: ProfileReceiver
    private let version: String
    private let path: String
    /// The service's name among them.
    private let labels: [(name: String, value: String)]
    private let headers: [(String, String)]

    /// `labels` are `name=value`; `token`, or `user` and `password`, are the credentials.
    ///
    /// Throws for an address that is none, and for a label that is none.
    package init(
        _ url: String,
        as receiver: ProfileReceiver,
        service: String,
        labels: [String],
        token: String?,
        user: String?,
        password: String?,
        version: String
    ) throws {
        let address = try PprofAddress(url)
        endpoint = PprofEndpoint(address)
        self.receiver = receiver
        self.version = version
        path = receiver.path(below: address.givenPath)
        var named: [(name: String, value: String)] = []
        for label in labels {
            guard let equals = label.firstIndex(of: "="), equals != label.startIndex else {
                throw ServerError("--label must be NAME=VALUE, found \(label)")
            }
            named.append((String(label[..<equals]), String(label[label.index(after: equals)...])))
        }
        if !named.contains(where: { $0.name == receiver.serviceLabel }) {
            named.append((receiver.serviceLabel, service))
        }
        self.labels = named
        var headers = receiver.headers
        if let token {
            headers.append(("Authorization", "Bearer " + token))
        } else if let user {
            headers.append(("Authorization", "Basic " + Base64.encode(Array("\(user):\(password ?? "")".utf8))))
        }
        self.headers = headers
    }

    /// The request for one gzipped profile.
    func body(_ profile: [UInt8], number: Int) throws(PprofError) -> [UInt8] {
        switch receiver {
        case .pyroscope: pushRequest(profile, number: number)
        case .otlp:
            try OTLPExport.request(try PprofProfile(reading: profile), resource: labels, version: version)
        }
    }

    private func pushRequest(_ profile: [UInt8], number: Int) -> [UInt8] {
        // The name of the kind of profile, by which Pyroscope files it, comes first.
        let pairs = ([("__name__", "memory")] + labels).map { name, value in
            "{\"name\":\(Self.quoted(name)),\"value\":\(Self.quoted(value))}"
        }
        let text =
            "{\"series\":[{\"labels\":[\(pairs.joined(separator: ","))],\"samples\":[{\"ID\":\"silt-\(number)\","
            + "\"rawProfile\":\"\(Base64.encode(profile))\"}]}]}"
        return Array(text.utf8)
    }

    /// Blocks until it is taken.
    func send(_ body: [UInt8]) throws(PushError) {
        let answer: [UInt8]
        do {
            answer = try endpoint.post(body, to: path, headers: headers)
        } catch {
            throw PushError(error)
        }
        if receiver == .otlp, let problem = OTLPExport.refusal(in: answer) {
            throw PushError(description: "\(endpoint.address.host) \(problem)", isFinal: true)
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case let scalar where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// Why a profile was not taken.
struct PushError: Error, CustomStringConvertible {
    let description: String
    /// The same request would be refused again.
    let isFinal: Bool

    init(description: String, isFinal: Bool) {
        self.description = description
        self.isFinal = isFinal
    }

    init(_ error: HTTPError) {
        description = "\(error)"
        if case .refused(_, let status, _) = error {
            // Too slow and too many come right again (RFC 9110, section 15.5; RFC 6585, section 4).
            isFinal = (400..<500).contains(status) && status != 408 && status != 429
        } else {
            isFinal = false
        }
    }
}

/// Base64 (RFC 4648, section 4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for (index, byte) in part.enumerated() { bits |= UInt32(byte) << UInt32(16 - 8 * index) }
            for index in 0..<4 {
                result.append(
                    index <= part.count
                        ? alphabet[Int(bits >> UInt32(18 - 6 * index)) & 63] : UInt8(ascii: "=")
                )
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
