/// Numbers in columns of JSON, written and read some ten times as fast as by a general encoder: a recording of a compiler has
/// a million of them.
enum NumberText {
    /// Appends a number in decimal.
    @inline(__always)
    static func append(_ number: UInt64, to text: inout [UInt8]) {
        if number < 10 { return text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number)) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            var rest = number
            while rest > 0 {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            text.append(contentsOf: digits[start...])
        }
    }

    /// A JSON array of numbers.
    static func array(_ numbers: some Sequence<UInt32>) -> [UInt8] {
        var text = [UInt8(ascii: "[")]
        for number in numbers {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            append(UInt64(number), to: &text)
        }
        text.append(UInt8(ascii: "]"))
        return text
    }
}

/// Reads what `NumberText` writes, and nothing else: no blanks, no signs.
struct NumberReader {
    private var rest: UnsafeBufferPointer<UInt8>.SubSequence

    init(_ text: UnsafeBufferPointer<UInt8>) { rest = text[...] }

    var isAtEnd: Bool { rest.isEmpty }

    /// Takes that character if it is next.
    @inline(__always)
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let next = rest.first, next == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Takes a number; nil if none is next, or one beyond 64 bits.
    @inline(__always)
    mutating func number() -> UInt64? {
        var index = rest.startIndex
        var number: UInt64 = 0
        while index < rest.endIndex, case let digit = rest[index] &- UInt8(ascii: "0"), digit < 10 {
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tens.addingReportingOverflow(UInt64(digit))
            guard !isTooLarge, !overflows else { return nil }
            number = sum
            index += 1
        }
        guard index > rest.startIndex else { return nil }
        rest = rest[index...]
        return number
    }

    /// Takes `[`, what `element` takes any number of times with commas between, and `]`; false where anything else is.
    mutating func array(of element: (inout NumberReader) -> Bool) -> Bool {
        guard take("[") else { return false }
        if take("]") { return true }
        repeat {
            guard element(&self) else { return false }
        } while take(",")
        return take("]")
    }
}
