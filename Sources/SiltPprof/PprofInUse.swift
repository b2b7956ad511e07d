/// What a profile says to be in use, by stacks of names, so that profiles of two runs or two builds can be compared.
package struct PprofInUse: Equatable, Sendable {
    /// The distinct frames of all stacks.
    package var symbols: [PprofSymbol] = []
    /// In the profile's order; those with nothing in use are left out.
    package var stacks: [Stack] = []
    /// Which sample types the numbers are; nil: the profile has none of the kind.
    package var bytesType: PprofValueType?
    package var countType: PprofValueType?

    package struct Stack: Equatable, Sendable {
        /// Positions in `symbols`, innermost first.
        package var symbols: [UInt32]
        /// 0 in a profile that counts only.
        package var bytes: Int64
        /// 0 in a profile that weighs only.
        package var count: Int64
    }

    /// The names of a stack, innermost first.
    package func names(of stack: Stack) -> [PprofSymbol] { stack.symbols.map { symbols[Int($0)] } }
}

/// One frame by name; by file and offset where it has none.
package struct PprofSymbol: Hashable, Sendable {
    /// Empty: not symbolized.
    package var function: String
    package var file: String
    package var line: Int64
    /// The mapped file it lies in; empty: unknown.
    package var module: String
    /// Offset in `module`, or the address where that is unknown; 0 for a frame with a function.
    package var offset: UInt64
    package var isInlined: Bool
}

extension PprofProfile {
    /// Frames of all stacks together; more are refused by `inUse`.
    private static let maximumFrames = 64_000_000

    /// Sums what is in use by stacks of names; labels and addresses of named functions make no difference.
    ///
    /// Throws `nothingInUse` for a profile of processor time, locks or allocations that may be gone. Sums stop at the
    /// largest number rather than overflow.
    package func inUse() throws(PprofError) -> PprofInUse {
        let columns = InUseColumns(of: self)
        guard columns.bytes != nil || columns.count != nil else { throw .nothingInUse(found: sampleTypes) }
        return try sums(of: columns)
    }

    /// Whether it has the bytes of blocks in use.
    package var saysHeap: Bool { InUseColumns(of: self).bytes != nil }

    /// The same of what was allocated since the start; nil where the profile does not say.
    package func allocated() throws(PprofError) -> PprofInUse? {
        let columns = InUseColumns(allocatedIn: self)
        return columns.bytes == nil ? nil : try sums(of: columns)
    }

    /// The same of the sample types of those names, counts and bytes as their units are; nil where the profile has none.
    package func inUse(bytes: String?, count: String) throws(PprofError) -> PprofInUse? {
        let columns = InUseColumns(bytes: bytes, count: count, in: self)
        return columns.bytes == nil && columns.count == nil ? nil : try sums(of: columns)
    }

    private func sums(of columns: InUseColumns) throws(PprofError) -> PprofInUse {
        var result = PprofInUse()
        result.bytesType = columns.bytes.map { sampleTypes[$0] }
        result.countType = columns.count.map { sampleTypes[$0] }
        let symbolsOfLocations = symbolized(into: &result.symbols)
        var known: [[UInt32]: Int] = [:]
        var frames = 0
        for sample in samples {
            let bytes = columns.bytes.map { sample.values[$0] } ?? 0
            let count = columns.count.map { sample.values[$0] } ?? 0
            guard bytes != 0 || count != 0 else { continue }
            var stack: [UInt32] = []
            for location in sample.locations {
                frames += symbolsOfLocations[Int(location)].count
                guard frames <= PprofProfile.maximumFrames else {
                    throw .tooLarge(limit: PprofProfile.maximumFrames, unit: "frames")
                }
                stack += symbolsOfLocations[Int(location)]
            }
            if let position = known[stack] {
                result.stacks[position].add(bytes: bytes, count: count)
            } else {
                known[stack] = result.stacks.count
                result.stacks.append(PprofInUse.Stack(symbols: stack, bytes: bytes, count: count))
            }
        }
        return result
    }

    /// For each location the positions of its frames in `symbols`, which are added where new.
    private func symbolized(into symbols: inout [PprofSymbol]) -> [[UInt32]] {
        var known = NumberedTable<PprofSymbol>()
        defer { symbols = known.things }
        return locations.indices.map { location in
            frames(at: location).map { UInt32(known.number(of: symbol(of: $0))) }
        }
    }

    private func symbol(of frame: PprofFrame) -> PprofSymbol {
        let mapping = frame.mapping.map { mappings[$0] }
        let isNamed = !frame.function.name.isEmpty
        // Without an address it is the file as such.
        let inModule = frame.address == 0 ? 0 : mapping.map { frame.address &- $0.start &+ $0.offset } ?? frame.address
        return PprofSymbol(
            function: frame.function.name,
            file: frame.function.file,
            line: frame.line,
            module: mapping?.file ?? "",
            offset: isNamed ? 0 : inModule,
            isInlined: frame.isInlined
        )
    }
}

extension PprofInUse.Stack {
    fileprivate mutating func add(bytes: Int64, count: Int64) {
        self.bytes = self.bytes.addingSaturating(bytes)
        self.count = self.count.addingSaturating(count)
    }
}

extension Int64 {
    fileprivate func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other < 0 ? .min : .max) : sum
    }
}

/// Which of a sample's values are in use now.
///
/// Go and jemalloc write inuse_space and inuse_objects; gperftools, Node and what `go tool pprof` makes of text profiles
/// space and objects; Datadog's libraries, which are of Rust, heap-space and heap-live-samples; pypprof HEAP, with sample
/// for the number of blocks. Counting profiles (Go's goroutine, threadcreate
/// and those that programs make themselves, pypprof's THREADS) have one value, or a second one of one for each sample,
/// counted one by one: their period type is that very type, their period 1.
struct InUseColumns {
    private(set) var bytes: Int?
    private(set) var count: Int?

    init(of profile: PprofProfile) {
        bytes = InUseColumns.position(of: ["inuse_space", "space", "heap-space", "HEAP"], unit: "bytes", in: profile)
        count = InUseColumns.position(
            of: ["inuse_objects", "objects", "heap-live-samples"],
            unit: "count",
            in: profile
        )
        guard count == nil else { return }
        if let bytes {
            if profile.sampleTypes[bytes].type == "HEAP" {
                count = InUseColumns.position(of: ["sample"], unit: "count", in: profile)
            }
            return
        }
        let goroutines = PprofValueType(type: "goroutine", unit: "count")
        if let position = profile.sampleTypes.firstIndex(of: goroutines) {
            count = position
        } else if let last = profile.sampleTypes.last, last.unit == "count", profile.periodType == last,
            profile.period == 1,
            profile.sampleTypes.dropLast().allSatisfy({ $0.type == "sample" && $0.unit == "count" })
        {
            count = profile.sampleTypes.count - 1
        }
    }

    /// What was allocated, by the names of Go and jemalloc.
    init(allocatedIn profile: PprofProfile) {
        bytes = InUseColumns.position(of: ["alloc_space"], unit: "bytes", in: profile)
        count = InUseColumns.position(of: ["alloc_objects"], unit: "count", in: profile)
    }

    init(bytes: String?, count: String, in profile: PprofProfile) {
        self.bytes = bytes.flatMap { InUseColumns.position(of: [$0], unit: "bytes", in: profile) }
        self.count = InUseColumns.position(of: [count], unit: "count", in: profile)
    }

    /// The first of the names that the profile has with that unit.
    private static func position(of names: [String], unit: String, in profile: PprofProfile) -> Int? {
        for name in names {
            if let position = profile.sampleTypes.firstIndex(of: PprofValueType(type: name, unit: unit)) {
                return position
            }
        }
        return nil
    }
}
