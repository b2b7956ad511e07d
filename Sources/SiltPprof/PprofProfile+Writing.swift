extension PprofProfile {
    /// The profile as a gzipped file; each text is stored once.
    ///
    /// Reading it again gives an equal profile.
    package func gzipped() throws(PprofError) -> [UInt8] { try bytes(isGzipped: true) }

    /// The profile without compression.
    package func plain() throws(PprofError) -> [UInt8] { try bytes(isGzipped: false) }

    private func bytes(isGzipped: Bool) throws(PprofError) -> [UInt8] {
        let output = ByteOutput()
        var stream = try PprofStream(self, isGzipped: isGzipped) { output.bytes += $0 }
        for sample in samples {
            try stream.add(locations: sample.locations, values: sample.values, labels: sample.labels)
        }
        try stream.finish(tables: self)
        return output.bytes
    }
}

/// What a writer hands on piece by piece, put together again.
final class ByteOutput {
    var bytes: [UInt8] = []
}

extension PprofValueType {
    func message(_ texts: inout TextIndex) -> Perftools_Profiles_ValueType {
        var message = Perftools_Profiles_ValueType()
        message.type = texts[type]
        message.unit = texts[unit]
        return message
    }
}

extension PprofLabel {
    func message(_ texts: inout TextIndex) -> Perftools_Profiles_Label {
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
    func message(id: UInt64, _ texts: inout TextIndex) -> Perftools_Profiles_Mapping {
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
    func message(id: UInt64) -> Perftools_Profiles_Location {
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
    func message(id: UInt64, _ texts: inout TextIndex) -> Perftools_Profiles_Function {
        var message = Perftools_Profiles_Function()
        message.id = id
        message.name = texts[name]
        message.systemName = texts[systemName]
        message.filename = texts[file]
        message.startLine = startLine
        return message
    }
}
