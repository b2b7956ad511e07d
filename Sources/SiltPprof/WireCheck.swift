/// Walks the records of a profile before anything is made of them, so that bad bytes cost no memory.
///
/// Two bytes can be an empty record that takes a hundred in memory, hence the bound on their number. Source: the protobuf
/// encoding; a record is a varint (field number << 3 | wire type), then a varint, 8 bytes, length and content, or 4 bytes.
struct WireCheck {
    private let bytes: [UInt8]
    private let maximumRecords: Int
    private var records = 0

    /// Throws `truncated`, `tooLarge` or, where not even the first record is whole, `notAProfile`.
    static func check(_ bytes: [UInt8], maximumRecords: Int) throws(PprofError) {
        var check = WireCheck(bytes: bytes, maximumRecords: maximumRecords)
        try check.walk(0..<bytes.count, nested: true)
    }

    private init(bytes: [UInt8], maximumRecords: Int) {
        self.bytes = bytes
        self.maximumRecords = maximumRecords
    }

    /// Walks a message, and those in it: the lines of locations and the labels of samples are as deep as it goes.
    private mutating func walk(_ range: Range<Int>, nested: Bool) throws(PprofError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let start = position
            let tag = try varint(&position, range.upperBound)
            guard tag >> 3 != 0 else { throw broken(at: start) }
            switch tag & 7 {
            case 0:
                _ = try varint(&position, range.upperBound)
            case 1:
                try skip(8, &position, range.upperBound)
            case 5:
                try skip(4, &position, range.upperBound)
            case 2:
                let length = try varint(&position, range.upperBound)
                let content = position
                try skip(length, &position, range.upperBound)
                records += 1
                guard records <= maximumRecords else { throw .tooLarge(limit: maximumRecords, unit: "records") }
                if nested, WireCheck.hasRecords(tag >> 3) { try walk(content..<position, nested: false) }
            default:
                throw broken(at: start)
            }
        }
    }

    /// Samples have labels, locations have lines.
    private static func hasRecords(_ field: UInt64) -> Bool { field == 2 || field == 4 }

    private func varint(_ position: inout Int, _ end: Int) throws(PprofError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            guard position < end else { throw cutOff(at: start, end) }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw broken(at: start)
    }

    private func skip(_ length: UInt64, _ position: inout Int, _ end: Int) throws(PprofError) {
        guard length <= UInt64(end - position) else { throw cutOff(at: position, end) }
        position += Int(length)
    }

    /// A message inside another cannot be cut off by the file's end: then its length is wrong.
    private func cutOff(at position: Int, _ end: Int) -> PprofError {
        guard records > 0 else { return .notAProfile("its first bytes are no record of one") }
        return end == bytes.count ? .truncated(bytes: bytes.count) : broken(at: position)
    }

    private func broken(at position: Int) -> PprofError {
        records > 0
            ? .damaged("no record at byte \(position)") : .notAProfile("its first bytes are no record of one")
    }
}
