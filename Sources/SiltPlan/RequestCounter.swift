internal import SiltJSON

/// Reads what load tools print, as it comes, and adds up what they say of their requests.
///
/// It knows wrk, hey, oha, ab, bombardier, vegeta, k6, h2load, siege and redis-benchmark, in their texts and in the JSON
/// of those that have one, and any line `silt: requests=N` with or without ` failed=M`, which wins over all tools.
/// Several tools add up, but k6's text and JSON are one. Nothing depends on the whole output being kept.
package struct RequestCounter: Sendable {
    private var line: [UInt8] = []
    private var text = LoadToolText()
    private var json = JSONStretch()
    private var fromJSON: RequestCount?
    private var k6FromJSON: RequestCount?
    private var said: RequestCount?

    /// Lines are looked at up to here; no tool's own is longer.
    private static let maximumLine = 4096

    package init() {}

    /// Takes the next bytes of the output.
    package mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                endLine()
            } else if line.count < RequestCounter.maximumLine {
                line.append(byte)
            }
            if let complete = json.add(byte) { read(complete) }
        }
    }

    /// What was said up to now; nil when nothing tells of requests.
    package var count: RequestCount? {
        var whole = self
        whole.endLine()
        if let said = whole.said { return said }
        // k6 with --summary-export=/dev/stdout says the same twice.
        let k6 = [whole.text.k6, whole.k6FromJSON].compactMap { $0 }.max { $0.requests < $1.requests }
        let all = [whole.text.count, whole.fromJSON, k6].compactMap { $0 }
        return all.isEmpty ? nil : all.reduce(RequestCount(requests: 0), +)
    }

    private mutating func endLine() {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else { return }
        let words = String(decoding: line.withoutColors, as: UTF8.self)
        if let spoken = RequestCounter.spoken(words) {
            said = (said ?? RequestCount(requests: 0)) + spoken
        } else {
            text.read(words)
        }
    }

    private mutating func read(_ document: [UInt8]) {
        guard let value = JSONValue(document), let found = RequestCount(toolDocument: value) else { return }
        if value["metrics"] != nil {
            k6FromJSON = (k6FromJSON ?? RequestCount(requests: 0)) + found
        } else {
            fromJSON = (fromJSON ?? RequestCount(requests: 0)) + found
        }
    }

    /// The meaning of `silt: requests=N failed=M`.
    private static func spoken(_ line: String) -> RequestCount? {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[0] == "silt:", let requests = value(of: "requests", in: words[1]) else {
            return nil
        }
        return RequestCount(requests: requests, failed: words.count > 2 ? value(of: "failed", in: words[2]) ?? 0 : 0)
    }

    private static func value(of name: String, in word: Substring) -> Int? {
        let parts = word.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, parts[0] == name else { return nil }
        return Int(count: parts[1])
    }
}

extension RequestCount {
    /// What the output of load tools says; nil when it tells of no requests (`RequestCounter`).
    package init?(output: String) {
        var counter = RequestCounter()
        counter.add(output.utf8)
        guard let count = counter.count else { return nil }
        self = count
    }

    package static func + (a: RequestCount, b: RequestCount) -> RequestCount {
        // Counts of an output that nobody vouches for: the sum stops at the largest number.
        func sum(_ a: Int, _ b: Int) -> Int {
            let (result, isOver) = a.addingReportingOverflow(b)
            return isOver ? .max : result
        }
        return RequestCount(requests: sum(a.requests, b.requests), failed: sum(a.failed, b.failed))
    }
}

extension Int {
    /// Reads decimal digits alone, below 10^15; nil for anything else.
    package init?(count text: some StringProtocol) {
        guard text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), text.utf8.count <= 15 else {
            return nil
        }
        self.init(text)
    }
}

extension [UInt8] {
    /// Without the sequences that color a terminal (ECMA-48: ESC [ … letter).
    fileprivate var withoutColors: [UInt8] {
        guard contains(0x1b) else { return self }
        var kept: [UInt8] = []
        var isInside = false
        for (index, byte) in enumerated() {
            if isInside {
                let isEnd = byte >= 0x40 && byte <= 0x7e && byte != UInt8(ascii: "[")
                isInside = !isEnd
            } else if byte == 0x1b, index + 1 < count, self[index + 1] == UInt8(ascii: "[") {
                isInside = true
            } else {
                kept.append(byte)
            }
        }
        return kept
    }
}
