/// A profile in pprof's format, with texts in place and references between tables as positions in them.
///
/// Shape: samples name locations, locations name functions and mappings; what reads or builds one sees to it that every
/// position exists. Source: profile.proto beside this file.
package struct PprofProfile: Equatable, Sendable {
    /// What the values of each sample are, in their order.
    package var sampleTypes: [PprofValueType] = []
    /// Name of the sample type that viewers show first; empty: the last one.
    package var defaultSampleType = ""
    package var samples: [PprofSample] = []
    package var locations: [PprofLocation] = []
    package var functions: [PprofFunction] = []
    package var mappings: [PprofMapping] = []
    /// What lies between two samples, `period` of it: one sample every 524,288 bytes of space, say.
    package var periodType: PprofValueType?
    package var period: Int64 = 0
    /// When it was taken, in nanoseconds since 1970; 0: unknown.
    package var timeNanos: Int64 = 0
    /// How long was measured, in nanoseconds; 0: the values are those of an instant.
    package var durationNanos: Int64 = 0
    package var comments: [String] = []
    /// Regular expression of functions that viewers cut off with what they called.
    package var dropFrames = ""
    /// Exceptions from `dropFrames`.
    package var keepFrames = ""
    package var documentationURL = ""

    package init() {}

    /// The frames of a sample, innermost first, inlined functions as frames of their own.
    ///
    /// A location without names is one frame with an empty function.
    package func frames(of sample: PprofSample) -> [PprofFrame] {
        sample.locations.flatMap { frames(at: Int($0)) }
    }

    /// Adds a frame inside the innermost one of the samples at whose code address there is a function to add.
    package mutating func prependFunctions(_ function: (UInt64) -> String?) {
        var added: [String: UInt32] = [:]
        for index in samples.indices {
            guard let first = samples[index].locations.first, let name = function(locations[Int(first)].address) else {
                continue
            }
            let location = added[name] ?? UInt32(locations.count)
            if added.updateValue(location, forKey: name) == nil {
                let line = PprofLine(function: functions.count, line: 0, column: 0)
                functions.append(PprofFunction(name: name))
                locations.append(
                    PprofLocation(address: 0, mapping: locations[Int(first)].mapping, lines: [line], isFolded: false)
                )
            }
            samples[index].locations.insert(location, at: 0)
        }
    }

    /// The frames of one location, innermost first; never empty.
    func frames(at position: Int) -> [PprofFrame] {
        let location = locations[position]
        let bare = PprofFrame(address: location.address, mapping: location.mapping, isFolded: location.isFolded)
        guard !location.lines.isEmpty else { return [bare] }
        return location.lines.enumerated().map { depth, line in
            var frame = bare
            frame.function = functions[line.function]
            frame.line = line.line
            frame.column = line.column
            frame.isInlined = depth < location.lines.count - 1
            return frame
        }
    }
}

/// What a number measures: `inuse_space` in `bytes`.
package struct PprofValueType: Hashable, Sendable {
    package var type: String
    package var unit: String

    package init(type: String, unit: String) {
        self.type = type
        self.unit = unit
    }
}

/// One stack with its numbers.
package struct PprofSample: Equatable, Sendable {
    /// Positions in the profile's locations, innermost first.
    package var locations: [UInt32]
    /// One for each of the profile's sample types.
    package var values: [Int64]
    package var labels: [PprofLabel] = []
}

/// What else is known about a sample: the size of its blocks, a thread, a request.
package struct PprofLabel: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        /// Not empty: the format takes an empty text for the number 0.
        case text(String)
        case number(Int64, unit: String)
    }

    package var key: String
    package var value: Value

    package init(key: String, value: Value) {
        self.key = key
        self.value = value
    }
}

/// A place in code: an address, or lines, or both.
package struct PprofLocation: Hashable, Sendable {
    /// 0 where the writer knew none.
    package var address: UInt64
    /// Position in the profile's mappings.
    package var mapping: Int?
    /// Innermost inlined function first, the function with code of its own last; empty: not symbolized.
    package var lines: [PprofLine]
    /// Several functions share this code, and the lines name one of them.
    package var isFolded: Bool
}

/// A line of a function.
package struct PprofLine: Hashable, Sendable {
    /// Position in the profile's functions.
    package var function: Int
    /// 0: unknown.
    package var line: Int64
    /// 0: unknown.
    package var column: Int64
}

/// A function, as viewers show it.
package struct PprofFunction: Hashable, Sendable {
    package var name: String
    /// As the linker knows it; empty: as `name`.
    package var systemName: String
    package var file: String
    /// Line of its declaration; 0: unknown.
    package var startLine: Int64

    package init(name: String = "", systemName: String = "", file: String = "", startLine: Int64 = 0) {
        self.name = name
        self.systemName = systemName
        self.file = file
        self.startLine = startLine
    }
}

/// A part of the address space that a file lay in.
package struct PprofMapping: Hashable, Sendable {
    package var start: UInt64
    /// The first address after it.
    package var end: UInt64
    /// Where in the file `start` lies.
    package var offset: UInt64
    package var file: String
    /// Lower-case hexadecimal digits; empty: unknown.
    package var buildID: String
    /// What was looked up for addresses in it; viewers look up the rest if they find the file.
    package var hasFunctions = false
    package var hasFilenames = false
    package var hasLineNumbers = false
    package var hasInlineFrames = false

    package init(start: UInt64, end: UInt64, offset: UInt64, file: String, buildID: String = "") {
        self.start = start
        self.end = end
        self.offset = offset
        self.file = file
        self.buildID = buildID
    }
}

/// One frame of a stack, complete in itself.
package struct PprofFrame: Hashable, Sendable {
    /// With an empty name where the address was not symbolized.
    package var function = PprofFunction()
    package var line: Int64 = 0
    package var column: Int64 = 0
    package var address: UInt64 = 0
    /// Position in the profile's mappings.
    package var mapping: Int?
    /// It has no code of its own: its code and its address are part of the next frame's.
    package var isInlined = false
    package var isFolded = false

    package init(address: UInt64 = 0, mapping: Int? = nil, isFolded: Bool = false) {
        self.address = address
        self.mapping = mapping
        self.isFolded = isFolded
    }

    /// A named frame.
    package init(_ name: String, file: String = "", line: Int64 = 0, address: UInt64 = 0, mapping: Int? = nil) {
        self.init(address: address, mapping: mapping)
        function = PprofFunction(name: name, file: file)
        self.line = line
    }
}
