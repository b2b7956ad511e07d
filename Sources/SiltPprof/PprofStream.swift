internal import SwiftProtobuf

/// Writes a profile sample by sample, so that a long one is never in memory as a whole.
///
/// What is written may come in any order (protobuf's encoding): sample types, samples, and at the end the tables that the
/// samples refer to. Each text is stored once.
package struct PprofStream {
    private let header: PprofProfile
    private let write: ([UInt8]) -> Void
    private let gzip: GzipWriter?
    private var texts = TextIndex()
    private var buffer: [UInt8] = []
    private var record: [UInt8] = []
    private static let piece = 1 << 16

    /// Begins with a profile that has all but samples and tables; the file goes to `write` in pieces, gzipped or plain.
    package init(
        _ header: PprofProfile,
        isGzipped: Bool = true,
        to write: @escaping ([UInt8]) -> Void
    ) throws(PprofError) {
        self.header = header
        self.write = write
        gzip = isGzipped ? try GzipWriter(to: write) : nil
        var message = Perftools_Profiles_Profile()
        message.sampleType = header.sampleTypes.map { $0.message(&texts) }
        try append(message)
    }

    /// Adds one sample: positions in the tables, innermost first, and as many values as there are sample types.
    package mutating func add(
        locations: some Sequence<UInt32>,
        values: some Sequence<Int64>,
        labels: [PprofLabel] = []
    ) throws(PprofError) {
        // profile.proto's Sample: 1 location_id and 2 value, packed, 3 label.
        var sample: [UInt8] = []
        appendPacked(locations.lazy.map { UInt64($0) + 1 }, field: 1, to: &sample)
        appendPacked(values.lazy.map { UInt64(bitPattern: $0) }, field: 2, to: &sample)
        for label in labels { Self.append(try Self.serialized(label.message(&texts)), field: 3, to: &sample) }
        Self.append(sample, field: 2, to: &buffer)
        if buffer.count >= Self.piece { flush() }
    }

    /// Writes the tables of that profile and the rest of the header; nothing may follow.
    package mutating func finish(tables: PprofProfile) throws(PprofError) {
        var message = Perftools_Profiles_Profile()
        message.mapping = tables.mappings.enumerated().map { $1.message(id: UInt64($0) + 1, &texts) }
        message.location = tables.locations.enumerated().map { $1.message(id: UInt64($0) + 1) }
        message.function = tables.functions.enumerated().map { $1.message(id: UInt64($0) + 1, &texts) }
        message.dropFrames = texts[header.dropFrames]
        message.keepFrames = texts[header.keepFrames]
        message.timeNanos = header.timeNanos
        message.durationNanos = header.durationNanos
        if let periodType = header.periodType { message.periodType = periodType.message(&texts) }
        message.period = header.period
        message.comment = header.comments.map { texts[$0] }
        message.defaultSampleType = texts[header.defaultSampleType]
        message.docURL = texts[header.documentationURL]
        message.stringTable = texts.all
        try append(message)
        flush()
        gzip?.finish()
    }

    // MARK: Bytes

    private mutating func append(_ message: Perftools_Profiles_Profile) throws(PprofError) {
        buffer += try Self.serialized(message)
    }

    private static func serialized(_ message: some SwiftProtobuf.Message) throws(PprofError) -> [UInt8] {
        do {
            return try message.serializedBytes()
        } catch {
            throw .tooLarge(limit: Int(Int32.max), unit: "bytes")
        }
    }

    private mutating func appendPacked(_ numbers: some Sequence<UInt64>, field: UInt64, to bytes: inout [UInt8]) {
        record.removeAll(keepingCapacity: true)
        for number in numbers { Self.appendVarint(number, to: &record) }
        if !record.isEmpty { Self.append(record, field: field, to: &bytes) }
    }

    /// A length-delimited record.
    private static func append(_ content: [UInt8], field: UInt64, to bytes: inout [UInt8]) {
        appendVarint(field << 3 | 2, to: &bytes)
        appendVarint(UInt64(content.count), to: &bytes)
        bytes += content
    }

    private static func appendVarint(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func flush() {
        if let gzip { gzip.add(buffer) } else { write(buffer) }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// The string table under construction.
struct TextIndex {
    private(set) var all = [""]
    private var known = ["": Int64(0)]

    /// The text's place in the table, made if need be.
    subscript(text: String) -> Int64 {
        mutating get {
            if let index = known[text] { return index }
            let index = Int64(all.count)
            all.append(text)
            known[text] = index
            return index
        }
    }
}
