internal import SwiftProtobuf

/// A profile as a request of OpenTelemetry's profiles signal (otlp_profiles.proto), which has one kind of number a profile.
package struct OTLPExport {
    private var dictionary = OTLPDictionary()
    private var strings = TextIndex()
    private var attributes: [AttributeKey: Int32] = [:]
    private var stacks: [[UInt32]: Int32] = [:]

    private struct AttributeKey: Hashable {
        var key: String
        var value: PprofLabel.Value
    }

    private init() {
        // The first record of each table stands for none.
        dictionary.mappingTable = [OTLPMapping()]
        dictionary.locationTable = [OTLPLocation()]
        dictionary.functionTable = [OTLPFunction()]
        dictionary.linkTable = [OTLPLink()]
        dictionary.attributeTable = [OTLPAttribute()]
        dictionary.stackTable = [OTLPStack()]
    }

    /// The body of the request, gzipped.
    ///
    /// `resource` says what was profiled: `service.name`, and what users add. Samples with nothing of a kind are left out
    /// of its profile. Throws for a profile larger than a message can be.
    package static func request(
        _ profile: PprofProfile,
        resource: [(name: String, value: String)],
        version: String
    ) throws(PprofError) -> [UInt8] {
        var export = OTLPExport()
        var message = OTLPExportRequest()
        var scope = OTLPScopeProfiles()
        scope.scope.name = "silt"
        scope.scope.version = version
        scope.profiles = export.profiles(profile)
        var resources = OTLPResourceProfiles()
        resources.resource.attributes = resource.map { attribute in
            var pair = OTLPKeyValue()
            pair.key = attribute.name
            pair.value.stringValue = attribute.value
            return pair
        }
        resources.scopeProfiles = [scope]
        message.resourceProfiles = [resources]
        export.addTables(of: profile)
        export.dictionary.stringTable = export.strings.all
        message.dictionary = export.dictionary
        return try Gzip.compressed(try serialized(message))
    }

    private static func serialized(_ message: OTLPExportRequest) throws(PprofError) -> [UInt8] {
        do {
            return try message.serializedBytes()
        } catch {
            throw .tooLarge(limit: Int(Int32.max), unit: "bytes")
        }
    }

    /// Why a receiver that answered with success took less than all; nil: it took all.
    package static func refusal(in answer: [UInt8]) -> String? {
        let part: OTLPPartialSuccess
        do {
            part = try OTLPExportResponse(serializedBytes: answer).partialSuccess
        } catch {
            // Success in another format names nothing that was refused.
            return nil
        }
        guard part.rejectedProfiles > 0 else { return nil }
        let reason = part.errorMessage.isEmpty ? "" : ": \(part.errorMessage)"
        return "rejected \(part.rejectedProfiles) profiles\(reason)"
    }

    // MARK: Samples

    private mutating func profiles(_ profile: PprofProfile) -> [OTLPProfile] {
        var result = profile.sampleTypes.map { type in
            var message = OTLPProfile()
            message.sampleType = valueType(type)
            message.timeUnixNano = UInt64(max(0, profile.timeNanos))
            message.durationNano = UInt64(max(0, profile.durationNanos))
            if let periodType = profile.periodType { message.periodType = valueType(periodType) }
            message.period = profile.period
            return message
        }
        for sample in profile.samples {
            var message = OTLPSample()
            message.stackIndex = stack(sample.locations)
            message.attributeIndices = sample.labels.map { attribute($0.key, $0.value) }
            for (kind, value) in sample.values.enumerated() where value != 0 {
                message.values = [value]
                result[kind].samples.append(message)
            }
        }
        return result
    }

    private mutating func stack(_ locations: [UInt32]) -> Int32 {
        if let known = stacks[locations] { return known }
        var message = OTLPStack()
        message.locationIndices = locations.map { Int32($0) + 1 }
        let index = Int32(dictionary.stackTable.count)
        dictionary.stackTable.append(message)
        stacks[locations] = index
        return index
    }

    // MARK: Tables

    private mutating func addTables(of profile: PprofProfile) {
        let native = attribute("profile.frame.type", .text("native"))
        for mapping in profile.mappings {
            var message = OTLPMapping()
            message.memoryStart = mapping.start
            message.memoryLimit = mapping.end
            message.fileOffset = mapping.offset
            message.filenameStrindex = text(mapping.file)
            if !mapping.buildID.isEmpty {
                message.attributeIndices = [attribute("process.executable.build_id.gnu", .text(mapping.buildID))]
            }
            dictionary.mappingTable.append(message)
        }
        for location in profile.locations {
            var message = OTLPLocation()
            message.mappingIndex = location.mapping.map { Int32($0) + 1 } ?? 0
            message.address = location.address
            message.lines = location.lines.map { line in
                var message = OTLPLine()
                message.functionIndex = Int32(line.function) + 1
                message.line = line.line
                message.column = line.column
                return message
            }
            message.attributeIndices = [native]
            dictionary.locationTable.append(message)
        }
        for function in profile.functions {
            var message = OTLPFunction()
            message.nameStrindex = text(function.name)
            message.systemNameStrindex = text(function.systemName)
            message.filenameStrindex = text(function.file)
            message.startLine = function.startLine
            dictionary.functionTable.append(message)
        }
    }

    private mutating func attribute(_ key: String, _ value: PprofLabel.Value) -> Int32 {
        let entry = AttributeKey(key: key, value: value)
        if let known = attributes[entry] { return known }
        var message = OTLPAttribute()
        message.keyStrindex = text(key)
        switch value {
        case .text(let content): message.value.stringValue = content
        case .number(let number, let unit):
            message.value.intValue = number
            message.unitStrindex = text(unit)
        }
        let index = Int32(dictionary.attributeTable.count)
        dictionary.attributeTable.append(message)
        attributes[entry] = index
        return index
    }

    private mutating func valueType(_ type: PprofValueType) -> OTLPValueType {
        var message = OTLPValueType()
        message.typeStrindex = text(type.type)
        message.unitStrindex = text(type.unit)
        return message
    }

    private mutating func text(_ text: String) -> Int32 { Int32(strings[text]) }
}
