/// Writes JSON (RFC 8259) as a stream: keys in the order given, nothing kept but the nesting.
///
/// Text goes out in pieces of some 64 KiB. Strings that are not Unicode cannot come in: Swift has repaired them.
package struct JSONWriter<Output: TextOutputStream> {
    private var output: Output
    private var buffer: [UInt8] = []
    /// Per open object or array: whether it has an entry already.
    private var hasEntries: [Bool] = []

    package init(into output: Output) {
        self.output = output
        buffer.reserveCapacity(1 << 16)
    }

    /// Writes what is left and hands the stream back.
    package consuming func finish() -> Output {
        buffer.append(UInt8(ascii: "\n"))
        flush()
        return output
    }

    package mutating func object(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) {
        nested(key, open: "{", close: "}", body)
    }

    package mutating func array(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) {
        nested(key, open: "[", close: "]", body)
    }

    /// A list, of which `body` writes each element.
    package mutating func list<Element>(
        _ key: String? = nil,
        of elements: some Sequence<Element>,
        _ body: (Element, inout JSONWriter) -> Void
    ) {
        array(key) { json in for element in elements { body(element, &json) } }
    }

    /// A list of objects, of which `body` writes each one's members.
    package mutating func objects<Element>(
        _ key: String? = nil,
        of elements: some Sequence<Element>,
        _ body: (Element, inout JSONWriter) -> Void
    ) {
        list(key, of: elements) { element, json in json.object { body(element, &$0) } }
    }

    /// An object, of which `body` writes the members; null where there is no value.
    package mutating func object<Value>(
        _ key: String,
        of value: Value?,
        _ body: (Value, inout JSONWriter) -> Void
    ) {
        if let value { object(key) { body(value, &$0) } } else { self.value(key, nil as String?) }
    }

    private mutating func nested(
        _ key: String?,
        open: Unicode.Scalar,
        close: Unicode.Scalar,
        _ body: (inout JSONWriter) -> Void
    ) {
        begin(key)
        buffer.append(UInt8(ascii: open))
        hasEntries.append(false)
        body(&self)
        let isFilled = hasEntries.removeLast()
        if isFilled { newLine() }
        buffer.append(UInt8(ascii: close))
    }

    package mutating func value(_ key: String? = nil, _ text: String?) {
        begin(key)
        if let text { string(text) } else { buffer += "null".utf8 }
    }

    package mutating func value(_ key: String? = nil, _ number: Int?) {
        begin(key)
        if let number { buffer += "\(number)".utf8 } else { buffer += "null".utf8 }
    }

    package mutating func value(_ key: String? = nil, _ number: UInt64?) {
        begin(key)
        if let number { buffer += "\(number)".utf8 } else { buffer += "null".utf8 }
    }

    /// Not a number and infinities, which JSON lacks, become null.
    package mutating func value(_ key: String? = nil, _ number: Double?) {
        begin(key)
        if let number, number.isFinite { buffer += "\(number)".utf8 } else { buffer += "null".utf8 }
    }

    package mutating func value(_ key: String? = nil, _ flag: Bool) {
        begin(key)
        buffer += (flag ? "true" : "false").utf8
    }

    /// An array on one line.
    package mutating func numbers(_ key: String?, _ numbers: [UInt64]) {
        begin(key)
        buffer.append(UInt8(ascii: "["))
        for (index, number) in numbers.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            buffer += "\(number)".utf8
            if buffer.count > 1 << 16 { flush() }
        }
        buffer.append(UInt8(ascii: "]"))
    }

    private mutating func begin(_ key: String?) {
        if let isFilled = hasEntries.last {
            if isFilled { buffer.append(UInt8(ascii: ",")) }
            hasEntries[hasEntries.count - 1] = true
            newLine()
        }
        if let key {
            string(key)
            buffer += ": ".utf8
        }
        if buffer.count > 1 << 16 { flush() }
    }

    private mutating func newLine() {
        buffer.append(UInt8(ascii: "\n"))
        for _ in hasEntries { buffer.append(UInt8(ascii: " ")) }
    }

    private mutating func string(_ text: String) {
        buffer.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                buffer.append(UInt8(ascii: "\\"))
                buffer.append(byte)
            case UInt8(ascii: "\n"): buffer += "\\n".utf8
            case UInt8(ascii: "\t"): buffer += "\\t".utf8
            case 0..<0x20, 0x7f:
                let digits = Array("0123456789abcdef".utf8)
                buffer += "\\u00".utf8
                buffer.append(digits[Int(byte >> 4)])
                buffer.append(digits[Int(byte & 15)])
            default: buffer.append(byte)
            }
        }
        buffer.append(UInt8(ascii: "\""))
    }

    private mutating func flush() {
        output.write(String(decoding: buffer, as: UTF8.self))
        buffer.removeAll(keepingCapacity: true)
    }
}
