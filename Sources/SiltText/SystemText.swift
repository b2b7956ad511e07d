internal import Glibc

/// What strerror(3) says of an error's number.
package func errorText(_ number: Int32) -> String { String(cString: strerror(number)) }

/// Bytes that the system calls text, as Swift strings and back without loss: arguments, variables, names of files.
///
/// Linux promises no encoding for them. What is UTF-8 stays as it is. Each other byte becomes one of the last 128 scalars
/// of the last private plane, U+10FF80 for 0x80 to U+10FFFF for 0xFF, and so do the four bytes of such a scalar in the
/// input, so that every sequence of bytes comes back as it was. Swift would put U+FFFD there, and the bytes would be gone.
extension String {
    /// The text of some bytes.
    package init(system bytes: some Collection<UInt8>) {
        let all = Array(bytes)
        if !all.contains(Escape.lead), let text = String(validating: all, as: UTF8.self) {
            self = text
            return
        }
        var utf8: [UInt8] = []
        utf8.reserveCapacity(all.count + 16)
        var index = 0
        while index < all.count {
            let length = Escape.wellFormedLength(all, at: index)
            if length > 0, !(length == 4 && Escape.isOne(all[index], all[index + 1], all[index + 2])) {
                utf8 += all[index..<index + length]
                index += length
            } else {
                utf8 += Escape.sequence(all[index])
                index += 1
            }
        }
        self = String(decoding: utf8, as: UTF8.self)
    }

    /// The text at an address, up to its NUL.
    package init(system text: UnsafePointer<CChar>) {
        var count = 0
        while text[count] != 0 { count += 1 }
        self.init(system: UnsafeBufferPointer(start: text, count: count).map { UInt8(bitPattern: $0) })
    }

    /// The bytes that this text stands for.
    package var systemBytes: [UInt8] {
        let all = Array(utf8)
        guard all.contains(Escape.lead) else { return all }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(all.count)
        var index = 0
        while index < all.count {
            if index + 3 < all.count, Escape.isOne(all[index], all[index + 1], all[index + 2]) {
                bytes.append(Escape.byte(all[index + 2], all[index + 3]))
                index += 4
            } else {
                bytes.append(all[index])
                index += 1
            }
        }
        return bytes
    }

    /// The same with a NUL behind them, for a C function.
    package var system: [CChar] { systemBytes.map { CChar(bitPattern: $0) } + [0] }

    /// For people: bytes that are not UTF-8 as `\xe9`.
    package var shown: String { escaped(quotesWords: false) }

    /// For a shell: such bytes as `'$'\xe9''`, where this is a part of a text in single quotes.
    package var shownInQuotes: String { escaped(quotesWords: true) }

    private func escaped(quotesWords: Bool) -> String {
        guard utf8.contains(Escape.lead) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            if scalar.value >= Escape.first {
                let byte = String(scalar.value - Escape.first + 0x80, radix: 16)
                result += quotesWords ? "'$'\\x\(byte)''" : "\\x\(byte)"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// U+10FF80…U+10FFFF in UTF-8: F4 8F BE 80 … F4 8F BF BF.
private enum Escape {
    static let first: UInt32 = 0x10_FF80
    static let lead: UInt8 = 0xF4

    static func isOne(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Bool {
        first == lead && second == 0x8F && third >= 0xBE
    }

    static func sequence(_ byte: UInt8) -> [UInt8] {
        byte < 0xC0 ? [lead, 0x8F, 0xBE, byte] : [lead, 0x8F, 0xBF, byte - 0x40]
    }

    static func byte(_ third: UInt8, _ fourth: UInt8) -> UInt8 { third == 0xBE ? fourth : fourth + 0x40 }

    /// Bytes of the well-formed sequence that begins there (Unicode 16, table 3-7); 0: none does.
    static func wellFormedLength(_ bytes: [UInt8], at index: Int) -> Int {
        let lead = bytes[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0..<0x80: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { return 0 }
        return bytes[(index + 2)..<(index + length)].allSatisfy { (0x80...0xBF).contains($0) } ? length : 0
    }
}
