internal import SwiftProtobuf

/// How much of a profile is read at most; it takes up to 14 times as much memory.
package struct PprofLimits: Sendable {
    /// Bytes of the file, and of what it makes uncompressed.
    package var bytes = 128 << 20
    /// Samples, locations, lines, functions, texts and so on together.
    package var records = 8_000_000
    /// Frames of one stack, inlined ones among them.
    package var frames = 65_536

    package init() {}
}

extension PprofProfile {
    /// Reads a profile: plain, gzipped, or compressed with zstd.
    ///
    /// Throws `notAProfile` for other files, and says what they look like; every reference between records is checked.
    package init(reading bytes: [UInt8], limits: PprofLimits = PprofLimits()) throws(PprofError) {
        var plain = bytes
        if Gzip.holds(bytes) { plain = try Gzip.inflated(bytes, limit: limits.bytes) }
        if Zstandard.holds(bytes) { plain = try Zstandard.decompressed(bytes, limit: limits.bytes) }
        guard plain.count <= limits.bytes else { throw .tooLarge(limit: limits.bytes, unit: "bytes") }
        if let other = FileKind.description(of: plain) { throw .notAProfile(other) }
        try WireCheck.check(plain, maximumRecords: limits.records)
        try self.init(try ProfileMessage.decoded(plain), limits)
    }

    private init(_ message: Perftools_Profiles_Profile, _ limits: PprofLimits) throws(PprofError) {
        guard !message.sampleType.isEmpty else { throw .notAProfile("it lists no sample types") }
        let texts = try TextTable(message.stringTable)
        let functionIDs = try PositionTable(.function, ids: message.function.lazy.map(\.id))
        let mappingIDs = try PositionTable(.mapping, ids: message.mapping.lazy.map(\.id))
        let locationIDs = try PositionTable(.location, ids: message.location.lazy.map(\.id))
        for type in message.sampleType { sampleTypes.append(try PprofValueType(type, texts)) }
        for function in message.function { functions.append(try PprofFunction(function, texts)) }
        for mapping in message.mapping { mappings.append(try PprofMapping(mapping, texts)) }
        locations.reserveCapacity(message.location.count)
        for location in message.location {
            locations.append(try PprofLocation(location, functions: functionIDs, mappings: mappingIDs))
        }
        samples.reserveCapacity(message.sample.count)
        for (number, sample) in message.sample.enumerated() {
            guard sample.value.count == sampleTypes.count else {
                throw .wrongValueCount(sample: number, found: sample.value.count, expected: sampleTypes.count)
            }
            samples.append(try PprofSample(sample, locationIDs, texts))
            try checkDepth(of: samples[number], limits)
        }
        try readHeader(message, texts)
    }

    /// A location of many lines can be named many times: without a bound a small file has stacks without end.
    private func checkDepth(of sample: PprofSample, _ limits: PprofLimits) throws(PprofError) {
        var frames = 0
        for location in sample.locations {
            frames += max(1, locations[Int(location)].lines.count)
            guard frames <= limits.frames else { throw .tooLarge(limit: limits.frames, unit: "frames in one stack") }
        }
    }

    private mutating func readHeader(_ message: Perftools_Profiles_Profile, _ texts: TextTable) throws(PprofError) {
        defaultSampleType = try texts[message.defaultSampleType]
        if message.hasPeriodType { periodType = try PprofValueType(message.periodType, texts) }
        period = message.period
        timeNanos = message.timeNanos
        durationNanos = message.durationNanos
        for comment in message.comment { comments.append(try texts[comment]) }
        dropFrames = try texts[message.dropFrames]
        keepFrames = try texts[message.keepFrames]
        documentationURL = try texts[message.docURL]
    }
}

/// The generated message, decoded and encoded with errors of ours.
enum ProfileMessage {
    static func decoded(_ bytes: [UInt8]) throws(PprofError) -> Perftools_Profiles_Profile {
        do {
            return try Perftools_Profiles_Profile(serializedBytes: bytes)
        } catch BinaryDecodingError.truncated {
            throw .truncated(bytes: bytes.count)
        } catch BinaryDecodingError.invalidUTF8 {
            throw .damaged("a text in it is not UTF-8")
        } catch {
            throw .damaged("a record in it is broken")
        }
    }
}

/// The string table: index 0 is the empty text.
struct TextTable {
    private let texts: [String]

    init(_ texts: [String]) throws(PprofError) {
        guard texts.first == "" else { throw .damaged("its table of texts does not begin with the empty one") }
        self.texts = texts
    }

    subscript(index: Int64) -> String {
        get throws(PprofError) {
            guard index >= 0, index < texts.count else {
                throw .badReference(.text, id: UInt64(bitPattern: index))
            }
            return texts[Int(index)]
        }
    }
}

/// Ids of a table's records → their positions; most writers number them from 1.
struct PositionTable {
    private let table: PprofTable
    /// Empty where position = id − 1 for all.
    private var positions: [UInt64: Int] = [:]
    private let count: Int

    init(_ table: PprofTable, ids: some Collection<UInt64>) throws(PprofError) {
        self.table = table
        count = ids.count
        guard ids.enumerated().contains(where: { $1 != UInt64($0) + 1 }) else { return }
        positions.reserveCapacity(count)
        for (position, id) in ids.enumerated() {
            guard id != 0, positions.updateValue(position, forKey: id) == nil else { throw .badID(table, id: id) }
        }
    }

    subscript(id: UInt64) -> Int {
        get throws(PprofError) {
            if positions.isEmpty, id > 0, id <= UInt64(count) { return Int(id - 1) }
            guard let position = positions[id] else { throw .badReference(table, id: id) }
            return position
        }
    }
}

extension PprofValueType {
    fileprivate init(_ message: Perftools_Profiles_ValueType, _ texts: TextTable) throws(PprofError) {
        self.init(type: try texts[message.type], unit: try texts[message.unit])
    }
}

extension PprofFunction {
    fileprivate init(_ message: Perftools_Profiles_Function, _ texts: TextTable) throws(PprofError) {
        self.init(
            name: try texts[message.name],
            systemName: try texts[message.systemName],
            file: try texts[message.filename],
            startLine: message.startLine
        )
    }
}

extension PprofMapping {
    fileprivate init(_ message: Perftools_Profiles_Mapping, _ texts: TextTable) throws(PprofError) {
        self.init(
            start: message.memoryStart,
            end: message.memoryLimit,
            offset: message.fileOffset,
            file: try texts[message.filename],
            buildID: try texts[message.buildID]
        )
        hasFunctions = message.hasFunctions_p
        hasFilenames = message.hasFilenames_p
        hasLineNumbers = message.hasLineNumbers_p
        hasInlineFrames = message.hasInlineFrames_p
    }
}

extension PprofLocation {
    fileprivate init(
        _ message: Perftools_Profiles_Location,
        functions: PositionTable,
        mappings: PositionTable
    ) throws(PprofError) {
        address = message.address
        mapping = message.mappingID == 0 ? nil : try mappings[message.mappingID]
        isFolded = message.isFolded
        lines = []
        for line in message.line {
            lines.append(
                PprofLine(function: try functions[line.functionID], line: line.line, column: line.column)
            )
        }
    }
}

extension PprofSample {
    fileprivate init(
        _ message: Perftools_Profiles_Sample,
        _ positions: PositionTable,
        _ texts: TextTable
    ) throws(PprofError) {
        var stack: [UInt32] = []
        stack.reserveCapacity(message.locationID.count)
        for id in message.locationID { stack.append(UInt32(try positions[id])) }
        self.init(locations: stack, values: message.value)
        for label in message.label { labels.append(try PprofLabel(label, texts)) }
    }
}

extension PprofLabel {
    /// The format has no empty text: such a label is a number.
    fileprivate init(_ message: Perftools_Profiles_Label, _ texts: TextTable) throws(PprofError) {
        let text = try texts[message.str]
        let value: Value = text.isEmpty ? .number(message.num, unit: try texts[message.numUnit]) : .text(text)
        self.init(key: try texts[message.key], value: value)
    }
}
