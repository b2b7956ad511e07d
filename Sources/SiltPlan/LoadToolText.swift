/// Adds up the lines by which load tools tell, in text, how many requests they made.
///
/// The lines are those of wrk 4, hey 0.1, oha 1, ab 2.3, bombardier 1 and 2, vegeta 12, k6 0.30 to 1, h2load 1.52, siege 4
/// and redis-benchmark 7. redis-benchmark's `-q` and `--csv` tell rates alone: these count for nothing.
struct LoadToolText: Sendable {
    private var requests = 0
    private var failed = 0
    private var isFound = false
    /// Under "Error distribution:" (hey, oha).
    private var isAmongErrors = false
    /// vegeta: how many, and what the ratio made of them failed.
    private var vegeta = (requests: 0, failed: 0)
    /// What k6's texts add up to; it may print the same as JSON.
    private(set) var k6: RequestCount?
    /// k6 tells of failures before it tells how many requests there were.
    private var k6Failures = K6Failures.unknown

    private enum K6Failures {
        case unknown
        case count(Int)
        case ratio(Double)
    }

    /// What all tools but k6 told; nil when no line told of requests.
    var count: RequestCount? { isFound ? RequestCount(requests: requests, failed: max(0, failed)) : nil }

    mutating func read(_ line: String) {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard let last = words.last else { return }
        if last.hasSuffix(":"), !words[0].hasPrefix("[") { isAmongErrors = false }
        if readStatusDistribution(words) || readWrk(words) || readApacheBench(words) { return }
        if readVegeta(words) || readK6(words) || readH2load(words) || readSiege(words) { return }
        readBombardier(words)
    }

    private mutating func found(_ more: Int, failed moreFailed: Int = 0) {
        let sum = RequestCount(requests: requests, failed: failed) + RequestCount(requests: more, failed: moreFailed)
        (requests, failed) = (sum.requests, sum.failed)
        isFound = true
    }

    /// hey and oha: `[200] 40 responses`, and `[8] Get …: connection refused` under "Error distribution:".
    private mutating func readStatusDistribution(_ words: [Substring]) -> Bool {
        if words[0] == "Error", words.count == 2, words[1] == "distribution:" {
            isAmongErrors = true
            return true
        }
        guard let number = words[0].inside("[", "]").flatMap({ Int(count: $0) }), words.count >= 2 else { return false }
        if words.count == 3, words[2] == "responses", let responses = Int(count: words[1]) {
            found(responses, failed: number >= 400 ? responses : 0)
        } else if isAmongErrors, !LoadToolText.isEndOfTime(words.dropFirst().joined(separator: " ")) {
            found(0, failed: number)
        }
        return true
    }

    /// oha counts what it drops at the end of a test of a given time among its errors.
    static func isEndOfTime(_ error: String) -> Bool { error == "aborted due to deadline" }

    /// wrk and redis-benchmark: `51633 requests in 1.00s, …`, `1000 requests completed in 0.01 seconds`.
    private mutating func readWrk(_ words: [Substring]) -> Bool {
        if words.count >= 4, words[1] == "requests", let number = Int(count: words[0]) {
            guard words[2] == "in" || words[2] == "completed" && words[3] == "in" else { return false }
            found(number)
        } else if words.count == 10, words[0] == "Socket", words[1] == "errors:" {
            let errors = [3, 5, 7, 9].compactMap { Int(count: words[$0].without(",")) }
            found(0, failed: errors.reduce(0, +))
        } else if words.count == 5, words[0] == "Non-2xx", words[1] == "or", let number = Int(count: words[4]) {
            found(0, failed: number)
        } else {
            return false
        }
        return true
    }

    /// ab; what it counts as failed for a length other than the first answer's is none: pages change.
    private mutating func readApacheBench(_ words: [Substring]) -> Bool {
        if words.count == 3, words[0] == "Complete", words[1] == "requests:", let number = Int(count: words[2]) {
            found(number)
        } else if words.count == 3, words[0] == "Failed", words[1] == "requests:", let number = Int(count: words[2]) {
            found(0, failed: number)
        } else if words.count == 8, words[0] == "(Connect:", words[4] == "Length:",
            let number = Int(count: words[5].without(","))
        {
            found(0, failed: -number)
        } else if words.count == 3, words[0] == "Non-2xx", words[1] == "responses:", let number = Int(count: words[2]) {
            found(0, failed: number)
        } else if words.count == 5, words[0] == "Total", words[3] == "requests", words[4] == "completed",
            let number = Int(count: words[2])
        {
            // It gave up in the middle.
            found(number)
        } else {
            return false
        }
        return true
    }

    /// vegeta: `Requests [total, rate, throughput] 1200, 120.00, 65.87`, `Success [ratio] 55.42%`,
    /// `Status Codes [code:count] 0:535 200:665`.
    private mutating func readVegeta(_ words: [Substring]) -> Bool {
        if words[0] == "Requests", words.count >= 2, words[1] == "[total,",
            let end = words.firstIndex(where: { $0.hasSuffix("]") }), end + 1 < words.count,
            let number = Int(count: words[end + 1].without(","))
        {
            vegeta = (number, 0)
            found(number)
        } else if words.count == 3, words[0] == "Success", words[1] == "[ratio]", let ratio = words[2].percent {
            vegeta.failed = vegeta.requests - Int((Double(vegeta.requests) * ratio / 100).rounded())
            found(0, failed: vegeta.failed)
        } else if words.count >= 3, words[0] == "Status", words[2] == "[code:count]" {
            let codes = words.dropFirst(3).map { $0.split(separator: ":").compactMap { Int(count: $0) } }
            let bad = codes.filter { $0.count == 2 && !(200..<400).contains($0[0]) }.reduce(0) { $0 + $1[1] }
            found(0, failed: bad - vegeta.failed)
            vegeta.failed = bad
        } else {
            return false
        }
        return true
    }

    /// k6: `http_req_failed....: 2.00% ✓ 4 ✗ 196`, later `… 2.00% 4 out of 200`; `http_reqs....: 200 19.9/s`.
    private mutating func readK6(_ words: [Substring]) -> Bool {
        let words = words[0] == "✓" || words[0] == "✗" ? words.dropFirst() : words[...]
        guard words.count >= 2, let label = words.first, label.hasSuffix(":") else { return false }
        let values = Array(words.dropFirst())
        switch label.prefix(while: { $0 != "." && $0 != ":" }) {
        case "http_req_failed":
            if values.count >= 3, values[1] == "✓", let number = Int(count: values[2]) {
                k6Failures = .count(number)
            } else if values.count >= 5, values[2] == "out", let number = Int(count: values[1]) {
                k6Failures = .count(number)
            } else if let ratio = values[0].percent {
                k6Failures = .ratio(ratio / 100)
            }
        case "http_reqs":
            guard let number = Int(count: values[0]) else { return false }
            let bad =
                switch k6Failures {
                case .unknown: 0
                case .count(let bad): bad
                case .ratio(let ratio): Int((Double(number) * ratio).rounded())
                }
            k6 = (k6 ?? RequestCount(requests: 0)) + RequestCount(requests: number, failed: bad)
            k6Failures = .unknown
        default: return false
        }
        return true
    }

    /// h2load: `requests: 30 total, 30 started, 30 done, 28 succeeded, 2 failed, 0 errored, 0 timeout`.
    private mutating func readH2load(_ words: [Substring]) -> Bool {
        guard words.count == 15, words[0] == "requests:", words[6] == "done,", words[10] == "failed,",
            let done = Int(count: words[5]), let bad = Int(count: words[9])
        else { return false }
        found(done, failed: bad)
        return true
    }

    /// siege: `Transactions: 20 hits`, those that succeeded, and `Failed transactions: 3`.
    private mutating func readSiege(_ words: [Substring]) -> Bool {
        if words.count == 3, words[0] == "Transactions:", words[2] == "hits", let number = Int(count: words[1]) {
            found(number)
        } else if words.count == 3, words[0] == "Failed", words[1] == "transactions:", let number = Int(count: words[2])
        {
            found(number, failed: number)
        } else {
            return false
        }
        return true
    }

    /// bombardier: `1xx - 0, 2xx - 1000, 3xx - 0, 4xx - 0, 5xx - 0` and `others - 0`, those without an answer.
    private mutating func readBombardier(_ words: [Substring]) {
        if words.count == 3, words[0] == "others", words[1] == "-", let number = Int(count: words[2]) {
            found(0, failed: number)
        } else if words.count == 15, words[0] == "1xx", words[12] == "5xx" {
            let codes = [2, 5, 8, 11, 14].compactMap { Int(count: words[$0].without(",")) }
            guard codes.count == 5 else { return }
            found(codes.reduce(0, +), failed: codes[3] + codes[4])
        }
    }
}

extension Substring {
    /// What stands between the two, when the word begins and ends with them.
    fileprivate func inside(_ first: Character, _ last: Character) -> Substring? {
        self.first == first && self.last == last && count >= 2 ? dropFirst().dropLast() : nil
    }

    fileprivate func without(_ suffix: Character) -> Substring { last == suffix ? dropLast() : self }

    /// The number of `55.42%`.
    fileprivate var percent: Double? {
        guard last == "%", let value = Double(dropLast()), (0...100).contains(value) else { return nil }
        return value
    }
}
