/// Makes a profile out of stacks; equal functions and locations are stored once.
package struct PprofBuilder {
    /// All but functions and locations.
    private var header: PprofProfile
    private var functions = NumberedTable<PprofFunction>()
    private var locations = NumberedTable<PprofLocation>()
    private var mappings = NumberedTable<PprofMapping>()

    /// Begins with a profile that has all but stacks: sample types, period, time, comments.
    package init(_ header: PprofProfile) {
        self.header = header
        (self.header.samples, self.header.mappings) = ([], [])
    }

    /// What was added so far.
    package var profile: PprofProfile {
        var profile = header
        (profile.locations, profile.functions) = (locations.things, functions.things)
        return profile
    }

    /// The mapping's position, for frames to name; made if need be.
    package mutating func add(_ mapping: PprofMapping) -> Int {
        let number = mappings.number(of: mapping)
        if number == header.mappings.count { header.mappings.append(mapping) }
        return number
    }

    /// Adds one sample; `stack` is innermost first, `values` are as many as the profile has sample types.
    ///
    /// A frame marked as inlined shares the location of the next one that is not. Mappings are marked as having what a
    /// frame in them has, so that viewers do not look it up again.
    package mutating func add(stack: [PprofFrame], values: [Int64], labels: [PprofLabel] = []) {
        precondition(values.count == header.sampleTypes.count, "one value for each sample type")
        var sample = PprofSample(locations: [], values: values, labels: labels)
        var start = 0
        for (depth, frame) in stack.enumerated() where !frame.isInlined || depth == stack.count - 1 {
            sample.locations.append(location(of: stack[start...depth]))
            start = depth + 1
        }
        header.samples.append(sample)
    }

    /// The position of a location, made if need be: the frames at one address, innermost first.
    ///
    /// For samples that go to a `PprofStream`.
    package mutating func location(of frames: some BidirectionalCollection<PprofFrame>) -> UInt32 {
        precondition(!frames.isEmpty, "a location has a frame")
        for frame in frames { noteNames(of: frame) }
        let outer = frames[frames.index(before: frames.endIndex)]
        let location = PprofLocation(
            address: outer.address,
            mapping: outer.mapping,
            lines: frames.filter(\.hasLine).map {
                PprofLine(function: functions.number(of: $0.function), line: $0.line, column: $0.column)
            },
            isFolded: outer.isFolded
        )
        return UInt32(locations.number(of: location))
    }

    private mutating func noteNames(of frame: PprofFrame) {
        guard let mapping = frame.mapping, !frame.function.name.isEmpty else { return }
        header.mappings[mapping].hasFunctions = true
        if !frame.function.file.isEmpty { header.mappings[mapping].hasFilenames = true }
        if frame.line != 0 { header.mappings[mapping].hasLineNumbers = true }
        if frame.isInlined { header.mappings[mapping].hasInlineFrames = true }
    }
}

extension PprofFrame {
    /// Whether more is known of it than an address.
    fileprivate var hasLine: Bool { function != PprofFunction() || line != 0 || column != 0 || isInlined }
}
