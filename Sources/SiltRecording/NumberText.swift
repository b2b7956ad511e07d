/// Numbers in columns of JSON, straight into the text and out of it: a recording of a compiler has two million of them.
enum NumberText {
    /// Bytes that a number takes at most, with what stands in front of it.
    static let maximumBytes = 21

    /// Writes a number in decimal; returns where it ends.
    @inline(__always)
    static func write(_ number: UInt64, to text: UnsafeMutableBufferPointer<UInt8>, at start: Int) -> Int {
        var end = start + 1
        var power: UInt64 = 10
        while number >= power {
            end += 1
            let (next, isTooLarge) = power.multipliedReportingOverflow(by: 10)
            if isTooLarge { break }
            power = next
        }
        var rest = number
        for index in (start..<end).reversed() {
            text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return end
    }

    /// A JSON array of numbers.
    static func array(_ numbers: [UInt32]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 2 + numbers.count * maximumBytes) { text, count in
            text[0] = UInt8(ascii: "[")
            count = 1
            for number in numbers {
                if count > 1 {
                    text[count] = UInt8(ascii: ",")
                    count += 1
                }
                count = write(UInt64(number), to: text, at: count)
            }
            text[count] = UInt8(ascii: "]")
            count += 1
        }
    }
}

/// Reads what `NumberText` writes, and nothing else: no blanks, no signs.
struct NumberReader {
    private let text: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    /// Takes that character if it is next.
    @inline(__always)
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < text.count, text[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    /// Takes a number; nil if none is next, or one beyond 64 bits.
    @inline(__always)
    mutating func number() -> UInt64? {
        let start = at
        var number: UInt64 = 0
        while at < text.count, case let digit = text[at] &- UInt8(ascii: "0"), digit < 10 {
            // The last number that takes any digit more.
            if number > UInt64.max / 10 - 1 {
                let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
                guard !isTooLarge, tens <= UInt64.max - UInt64(digit) else { return nil }
            }
            number = number &* 10 &+ UInt64(digit)
            at += 1
        }
        return at > start ? number : nil
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
