internal import SiltText

/// How values that are not numbers are stored.

extension RecordedProcess.End {
    /// Columns `ended` and `status`.
    var columns: (String, Int?) {
        switch self {
        case .running: ("running", nil)
        case .exited(let status): ("exited", status)
        case .killed(let signal): ("killed", signal)
        case .execed: ("exec", nil)
        case .unknown: ("unknown", nil)
        }
    }

    init(ended: String, status: Int?) {
        switch ended {
        case "running": self = .running
        case "exited": self = .exited(status: status ?? 0)
        case "killed": self = .killed(signal: status ?? 0)
        case "exec": self = .execed
        default: self = .unknown
        }
    }
}

/// A row of numbers alone.
protocol NumberRow {
    /// In the order of the table's columns.
    static var paths: [WritableKeyPath<Self, UInt64> & Sendable] { get }
}

extension NumberColumns {
    init<Row: NumberRow>(of row: Row) { numbers = Row.paths.map { row[keyPath: $0] } }
}

extension NumberRow {
    /// Takes its numbers from the columns from `first` on.
    mutating func read(_ row: Statement, from first: Int32) {
        for (offset, path) in Self.paths.enumerated() { self[keyPath: path] = row.unsigned(first + Int32(offset)) }
    }
}

extension TrustCounters: NumberRow {
    /// In the order of `Schema.trustColumns`.
    static let paths: [WritableKeyPath<TrustCounters, UInt64> & Sendable] = [
        \.allocations, \.frees, \.reallocations, \.undoneFrees, \.maps, \.unmaps, \.remaps, \.unknownKinds,
        \.eventsSent, \.committedBytes, \.receivedBytes, \.gaps, \.unknownFrees, \.inheritedFrees, \.overwritten,
        \.unmatchedUnfrees, \.waits, \.waitNs, \.lost, \.reentered, \.stacks, \.stacksSlow, \.stacksTruncated,
        \.stacksIncomplete, \.stacksMissing, \.modulesLost, \.importsUnbound, \.takes, \.gives, \.unseenDescriptors,
        \.offReason,
    ]

    package static func += (sum: inout TrustCounters, other: TrustCounters) {
        for path in paths.dropLast() {
            sum[keyPath: path] &+= other[keyPath: path]
        }
        // The first process whose recording stopped.
        if other.offReason != 0, sum.offReason == 0 || other.offNs < sum.offNs {
            sum.offReason = other.offReason
            sum.offNs = other.offNs
        }
    }
}

extension RecordedTotals: NumberRow {
    static let paths: [WritableKeyPath<RecordedTotals, UInt64> & Sendable] = [
        \.allocatedBytes, \.allocatedCount, \.freedBytes, \.freedCount, \.inUseBytes, \.inUseCount, \.peakInUseBytes,
        \.mappedBytes,
    ]

    package static func += (sum: inout RecordedTotals, other: RecordedTotals) {
        for path in paths { sum[keyPath: path] &+= other[keyPath: path] }
    }
}

/// A command as one text that a shell would split into the same words, and back.
enum ShellWords {
    /// Words with anything but the usual letters are put in single quotes.
    static func joined(_ words: [String]) -> String {
        words.map { word in
            let plain =
                !word.isEmpty
                && word.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
                        UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="), UInt8(ascii: ":"),
                        UInt8(ascii: ","), UInt8(ascii: "+"), UInt8(ascii: "@"), UInt8(ascii: "%"):
                        true
                    default: false
                    }
                }
            return plain
                ? word
                : "'"
                    + word.split(separator: "'", omittingEmptySubsequences: false)
                    .joined(separator: "'\\''").shownInQuotes + "'"
        }.joined(separator: " ")
    }

    /// The words of a text that `joined` made; bytes that are not UTF-8 stay as they are shown, `\xe9`.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isInWord = false
        var isQuoted = false
        var isEscaped = false
        for character in text.unicodeScalars {
            if isEscaped {
                word.unicodeScalars.append(character)
                isEscaped = false
            } else if isQuoted {
                if character == "'" { isQuoted = false } else { word.unicodeScalars.append(character) }
            } else if character == " " {
                if isInWord { words.append(word) }
                word = ""
                isInWord = false
            } else {
                isInWord = true
                switch character {
                case "'": isQuoted = true
                case "\\": isEscaped = true
                // Before a quote: that of a byte, and nothing else is written so.
                case "$": continue
                default: word.unicodeScalars.append(character)
                }
            }
        }
        if isInWord { words.append(word) }
        return words
    }
}
