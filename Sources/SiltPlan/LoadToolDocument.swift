internal import SiltJSON

/// Finds the JSON objects in a running output: those that begin a line.
struct JSONStretch: Sendable {
    private var bytes: [UInt8] = []
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var isAtLineStart = true

    /// Longer ones are not the summary of a load tool.
    private static let maximumBytes = 1 << 20

    /// Takes the next byte; returns the object that ends with it.
    mutating func add(_ byte: UInt8) -> [UInt8]? {
        defer { isAtLineStart = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
        let isNewObject = isAtLineStart && byte == UInt8(ascii: "{")
        // What began before and has not ended was something else.
        if isNewObject || bytes.count == JSONStretch.maximumBytes { forget() }
        guard depth > 0 || isNewObject else { return nil }
        bytes.append(byte)
        if isInString {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return nil
        }
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        guard depth == 0 else { return nil }
        defer { forget() }
        return bytes
    }

    private mutating func forget() {
        bytes = []
        depth = 0
        isInString = false
        isEscaped = false
    }
}

extension RequestCount {
    /// Reads the JSON summary of bombardier, vegeta, oha, k6 or siege; nil for anything else.
    init?(toolDocument document: JSONValue) {
        if let result = document["result"], let codes = RequestCount(bombardier: result) {
            self = codes
        } else if let total = document["requests"]?.count, let codes = document["status_codes"]?.members {
            // vegeta report -type=json
            self.init(requests: total, failed: RequestCount.sum(of: codes) { !(200..<400).contains($0) })
        } else if let codes = document["statusCodeDistribution"]?.members {
            // oha --json; a failed request has no status
            let errors = document["errorDistribution"]?.members ?? [:]
            let broken = errors.filter { !LoadToolText.isEndOfTime($0.key) }.compactMap(\.value.count).reduce(0, +)
            self.init(
                requests: RequestCount.sum(of: codes) { _ in true },
                failed: broken + RequestCount.sum(of: codes) { $0 >= 400 }
            )
        } else if let metrics = document["metrics"], let requests = metrics["http_reqs"] {
            // k6: the object of handleSummary has its numbers under "values", that of --summary-export has not.
            guard let total = (requests["values"] ?? requests)["count"]?.count else { return nil }
            let failures = metrics["http_req_failed"].map { $0["values"] ?? $0 }
            self.init(requests: total, failed: failures?["passes"]?.count ?? 0)
        } else if let good = document["transactions"]?.count, let bad = document["failed_transactions"]?.count {
            // siege counts those that succeeded.
            self.init(requests: good + bad, failed: bad)
        } else {
            return nil
        }
    }

    /// The result of `bombardier -o json`; `others` are those without an answer.
    private init?(bombardier result: JSONValue) {
        let codes = (1...5).compactMap { result["req\($0)xx"]?.count }
        guard codes.count == 5 else { return nil }
        self.init(requests: codes.reduce(0, +), failed: codes[3] + codes[4] + (result["others"]?.count ?? 0))
    }

    private static func sum(of codes: [String: JSONValue], where isCounted: (Int) -> Bool) -> Int {
        codes.reduce(0) { sum, code in
            guard let status = Int(code.key), isCounted(status) else { return sum }
            return sum + (code.value.count ?? 0)
        }
    }
}

extension JSONValue {
    /// A whole number from 0 below 10^15.
    fileprivate var count: Int? {
        guard case .number(let value) = self, value >= 0, value < 1e15, value == value.rounded() else { return nil }
        return Int(value)
    }
}
