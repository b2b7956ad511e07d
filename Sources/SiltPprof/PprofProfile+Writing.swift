internal import SwiftProtobuf

extension PprofProfile {
    /// The profile as a gzipped file; each text is stored once.
    ///
    /// Reading it again gives an equal profile.
    package func gzipped() throws(PprofError) -> [UInt8] {
        try Gzip.deflated(try plain())
    }

    /// The profile without compression.
    package func plain() throws(PprofError) -> [UInt8] {
        do {
            return try message().serializedBytes()
        } catch {
            throw .tooLarge(limit: Int(Int32.max), unit: "bytes")
        }
    }

    private func message() -> Perftools_Profiles_Profile {
        var texts = TextIndex()
        var message = Perftools_Profiles_Profile()
        message.sampleType = sampleTypes.map { $0.message(&texts) }
        message.sample = samples.map { $0.message(&texts) }
        message.mapping = mappings.enumerated().map { $1.message(id: UInt64($0) + 1, &texts) }
        message.location = locations.enumerated().map { $1.message(id: UInt64($0) + 1) }
        message.function = functions.enumerated().map { $1.message(id: UInt64($0) + 1, &texts) }
        message.dropFrames = texts[dropFrames]
        message.keepFrames = texts[keepFrames]
        message.timeNanos = timeNanos
        message.durationNanos = durationNanos
        if let periodType { message.periodType = periodType.message(&texts) }
        message.period = period
        message.comment = comments.map { texts[$0] }
        message.defaultSampleType = texts[defaultSampleType]
        message.docURL = texts[documentationURL]
        message.stringTable = texts.all
        return message
    }
}

/// The string table under construction.
private struct TextIndex {
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

extension PprofValueType {
    fileprivate func message(_ texts: inout TextIndex) -> Perftools_Profiles_ValueType {
        var message = Perftools_Profiles_ValueType()
        message.type = texts[type]
        message.unit = texts[unit]
        return message
    }
}

extension PprofSample {
    fileprivate func message(_ texts: inout TextIndex) -> Perftools_Profiles_Sample {
        var message = Perftools_Profiles_Sample()
        message.locationID = locations.map { UInt64($0) + 1 }
        message.value = values
        message.label = labels.map { $0.message(&texts) }
        return message
    }
}

extension PprofLabel {
    fileprivate func message(_ texts: inout TextIndex) -> Perftools_Profiles_Label {
        var message = Perftools_Profiles_Label()
        message.key = texts[key]
        switch value {
        case .text(let text):
            message.str = texts[text]
        case .number(let number, let unit):
            message.num = number
            message.numUnit = texts[unit]
        }
        return message
    }
}

extension PprofMapping {
    fileprivate func message(id: UInt64, _ texts: inout TextIndex) -> Perftools_Profiles_Mapping {
        var message = Perftools_Profiles_Mapping()
        message.id = id
        message.memoryStart = start
        message.memoryLimit = end
        message.fileOffset = offset
        message.filename = texts[file]
        message.buildID = texts[buildID]
        message.hasFunctions_p = hasFunctions
        message.hasFilenames_p = hasFilenames
        message.hasLineNumbers_p = hasLineNumbers
        message.hasInlineFrames_p = hasInlineFrames
        return message
    }
}

extension PprofLocation {
    fileprivate func message(id: UInt64) -> Perftools_Profiles_Location {
        var message = Perftools_Profiles_Location()
        message.id = id
        message.mappingID = mapping.map { UInt64($0) + 1 } ?? 0
        message.address = address
        message.isFolded = isFolded
        message.line = lines.map { line in
            var message = Perftools_Profiles_Line()
            message.functionID = UInt64(line.function) + 1
            message.line = line.line
            message.column = line.column
            return message
        }
        return message
    }
}

extension PprofFunction {
    fileprivate func message(id: UInt64, _ texts: inout TextIndex) -> Perftools_Profiles_Function {
        var message = Perftools_Profiles_Function()
        message.id = id
        message.name = texts[name]
        message.systemName = texts[systemName]
        message.filename = texts[file]
        message.startLine = startLine
        return message
    }
}
