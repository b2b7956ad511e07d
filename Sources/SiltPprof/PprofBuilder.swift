/// Makes a profile out of stacks; equal functions and locations are stored once.
package struct PprofBuilder {
    package private(set) var profile: PprofProfile
    private var functions: [PprofFunction: Int] = [:]
    private var locations: [PprofLocation: UInt32] = [:]
    private var mappings: [PprofMapping: Int] = [:]

    /// Begins with a profile that has all but stacks: sample types, period, time, comments.
    package init(_ header: PprofProfile) {
        profile = header
        profile.samples = []
        profile.locations = []
        profile.functions = []
        profile.mappings = []
    }

    /// The mapping's position, for frames to name; made if need be.
    package mutating func add(_ mapping: PprofMapping) -> Int {
        if let position = mappings[mapping] { return position }
        profile.mappings.append(mapping)
        mappings[mapping] = profile.mappings.count - 1
        return profile.mappings.count - 1
    }

    /// Adds one sample; `stack` is innermost first, `values` are as many as the profile has sample types.
    ///
    /// A frame marked as inlined shares the location of the next one that is not. Mappings are marked as having what a
    /// frame in them has, so that viewers do not look it up again.
    package mutating func add(stack: [PprofFrame], values: [Int64], labels: [PprofLabel] = []) {
        precondition(values.count == profile.sampleTypes.count, "one value for each sample type")
        var sample = PprofSample(locations: [], values: values, labels: labels)
        var start = 0
        for (depth, frame) in stack.enumerated() where !frame.isInlined || depth == stack.count - 1 {
            sample.locations.append(location(of: stack[start...depth]))
            start = depth + 1
        }
        profile.samples.append(sample)
    }

    /// The position of a location, made if need be: the frames at one address, innermost first.
    ///
    /// For samples that go to a `PprofStream`.
    package mutating func location(of frames: some BidirectionalCollection<PprofFrame>) -> UInt32 {
        precondition(!frames.isEmpty, "a location has a frame")
        for frame in frames { noteNames(of: frame) }
        let outer = frames[frames.index(before: frames.endIndex)]
        return position(
            of: PprofLocation(
                address: outer.address,
                mapping: outer.mapping,
                lines: frames.filter(\.hasLine).map {
                    PprofLine(function: position(of: $0.function), line: $0.line, column: $0.column)
                },
                isFolded: outer.isFolded
            )
        )
    }

    private mutating func noteNames(of frame: PprofFrame) {
        guard let mapping = frame.mapping, !frame.function.name.isEmpty else { return }
        profile.mappings[mapping].hasFunctions = true
        if !frame.function.file.isEmpty { profile.mappings[mapping].hasFilenames = true }
        if frame.line != 0 { profile.mappings[mapping].hasLineNumbers = true }
        if frame.isInlined { profile.mappings[mapping].hasInlineFrames = true }
    }

    private mutating func position(of function: PprofFunction) -> Int {
        if let known = functions[function] { return known }
        profile.functions.append(function)
        functions[function] = profile.functions.count - 1
        return profile.functions.count - 1
    }

    private mutating func position(of location: PprofLocation) -> UInt32 {
        if let known = locations[location] { return known }
        let position = UInt32(profile.locations.count)
        profile.locations.append(location)
        locations[location] = position
        return position
    }
}

extension PprofFrame {
    /// Whether more is known of it than an address.
    fileprivate var hasLine: Bool { function != PprofFunction() || line != 0 || column != 0 || isInlined }
}
