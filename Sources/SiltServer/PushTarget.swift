internal import SiltPprof

/// A Pyroscope that profiles are sent to, by its push API (push.v1, in JSON).
package struct PushTarget: Sendable {
    let endpoint: PprofEndpoint
    let path: String
    /// `service_name` among them.
    let labels: [(name: String, value: String)]
    /// The value of the header Authorization; nil: none is sent.
    let authorization: String?

    /// `labels` are `name=value`; `token`, or `user` and `password`, are the credentials.
    ///
    /// Throws for an address that is none, and for a label that is none.
    package init(
        _ url: String,
        service: String,
        labels: [String],
        token: String?,
        user: String?,
        password: String?
    ) throws {
        let address = try PprofAddress(url)
        endpoint = PprofEndpoint(address)
        path = address.givenPath + "/push.v1.PusherService/Push"
        var named: [(name: String, value: String)] = []
        for label in labels {
            guard let equals = label.firstIndex(of: "="), equals != label.startIndex else {
                throw ServerError("--label \(label) is no NAME=VALUE")
            }
            named.append((String(label[..<equals]), String(label[label.index(after: equals)...])))
        }
        if !named.contains(where: { $0.name == "service_name" }) { named.append(("service_name", service)) }
        // The name of the kind of profile, by which Pyroscope files it.
        self.labels = [("__name__", "memory")] + named
        if let token {
            authorization = "Bearer " + token
        } else if let user {
            authorization = "Basic " + Base64.encode(Array("\(user):\(password ?? "")".utf8))
        } else {
            authorization = nil
        }
    }

    /// The request for one gzipped profile.
    func body(_ profile: [UInt8], number: Int) -> [UInt8] {
        let pairs = labels.map { "{\"name\":\(Self.quoted($0.name)),\"value\":\(Self.quoted($0.value))}" }
        let text =
            "{\"series\":[{\"labels\":[\(pairs.joined(separator: ","))],\"samples\":[{\"ID\":\"silt-\(number)\","
            + "\"rawProfile\":\"\(Base64.encode(profile))\"}]}]}"
        return Array(text.utf8)
    }

    /// Blocks until it is taken.
    func send(_ body: [UInt8]) throws(PprofError) {
        let credentials = authorization.map { [("Authorization", $0)] } ?? []
        try endpoint.post(body, to: path, headers: [("Content-Type", "application/json")] + credentials)
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
