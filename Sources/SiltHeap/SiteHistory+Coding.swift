/// A stored history that cannot be read.
package enum HistoryError: Error, Equatable {
    case otherVersion(UInt64)
    case truncated
    case contradictory
}

/// Version, scalars, then five columns of equal length; all LEB128 (DWARF 5, 7.6).
///
/// Rounds have a number more after the version, and no use for some of the scalars and the last column, which are 0.
extension SiteHistory {
    private enum Version: UInt64 {
        case slices = 1
        case rounds = 2
        /// Rounds of which only live bytes are known.
        case birthless = 3
    }

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        func put(_ value: UInt64) {
            var rest = value
            repeat {
                let low = UInt8(rest & 0x7f)
                rest >>= 7
                bytes.append(rest == 0 ? low : low | 0x80)
            } while rest != 0
        }
        switch self {
        case .slices(let all):
            put(Version.slices.rawValue)
            put(UInt64(all.width))
            put(UInt64(all.snapshot + 1))
            for value in [all.baseBytes, all.baseCount, all.baseline, all.live, all.peak] { put(value) }
            put(UInt64(all.drops))
            put(UInt64(all.buckets.count))
            for column in SliceHistory.Column.allCases {
                for bucket in 0..<all.buckets.count { put(all.buckets.value(column, bucket)) }
            }
        case .rounds(let all):
            put((all.hasBirths ? Version.rounds : .birthless).rawValue)
            for value in [0, 1, UInt64(all.closed + 1), 0, 0, all.baseline, all.live, 0, 0] { put(value) }
            put(UInt64(all.buckets.count))
            for column in RoundHistory.Column.allCases {
                for bucket in 0..<all.buckets.count { put(all.buckets.value(column, bucket)) }
            }
            for _ in 0..<all.buckets.count { put(0) }
        }
        return bytes
    }

    /// Reads what `encoded` wrote.
    package init(decoding bytes: [UInt8]) throws(HistoryError) { try self.init(decoding: bytes[...]) }

    package init(decoding bytes: ArraySlice<UInt8>) throws(HistoryError) {
        self = try bytes.withUnsafeBufferPointer { bytes throws(HistoryError) in try SiteHistory(decoding: bytes) }
    }

    private init(decoding bytes: UnsafeBufferPointer<UInt8>) throws(HistoryError) {
        var numbers = HistoryNumbers(bytes)
        let number = try numbers.next()
        guard let version = Version(rawValue: number) else { throw .otherVersion(number) }
        let isSlices = version == .slices
        if !isSlices { _ = try numbers.next() }
        let (width, snapshots) = (try numbers.next(), try numbers.next())
        let limit = UInt64(isSlices ? SliceHistory.limit : RoundHistory.limit)
        guard width > 0, width & (width - 1) == 0, width <= (isSlices ? 1 << 26 : 1), snapshots <= 1 + width * limit
        else { throw .contradictory }
        let (baseBytes, baseCount, baseline) = (try numbers.next(), try numbers.next(), try numbers.next())
        let (live, peak, drops, count) = (
            try numbers.next(), try numbers.next(), try numbers.next(), try numbers.next()
        )
        guard count <= limit else { throw .contradictory }
        if isSlices {
            var history = SliceHistory(baselineBytes: baseBytes, baselineCount: baseCount, interval: 0)
            (history.width, history.snapshot) = (UInt32(width), Int64(snapshots) - 1)
            (history.baseline, history.live, history.peak) = (baseline, live, peak)
            history.drops = UInt32(clamping: drops)
            history.buckets = try HistoryBuckets(count: Int(count), &numbers)
            self = .slices(history)
        } else {
            var history = RoundHistory(baseline: baseline)
            (history.live, history.closed, history.hasBirths) = (live, max(0, Int(snapshots) - 1), version == .rounds)
            history.buckets = try HistoryBuckets(count: Int(count), &numbers)
            for _ in 0..<count { _ = try numbers.nextOfBucket() }
            self = .rounds(history)
        }
    }
}

/// The numbers of a stored history, one after the other.
private struct HistoryNumbers {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    @inline(__always)
    mutating func next() throws(HistoryError) -> UInt64 {
        guard at < bytes.count else { throw .truncated }
        // Most are short.
        let first = bytes[at]
        guard first & 0x80 != 0 else {
            at += 1
            return UInt64(first)
        }
        return try nextLong()
    }

    private mutating func nextLong() throws(HistoryError) -> UInt64 {
        var (value, shift) = (UInt64(0), UInt64(0))
        while at < bytes.count, shift < 64 {
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        throw .truncated
    }

    /// One that a bucket can hold.
    @inline(__always)
    mutating func nextOfBucket() throws(HistoryError) -> UInt64 {
        let value = try next()
        guard value < 1 << 48 else { throw .contradictory }
        return value
    }
}

extension HistoryBuckets {
    /// Reads its columns, one after the other.
    fileprivate init(count: Int, _ numbers: inout HistoryNumbers) throws(HistoryError) {
        let start = numbers
        if let cells = try Self.cells(count, &numbers) {
            self.init(cells: cells)
            return
        }
        numbers = start
        self.init(count: count)
        for column in Column.allCases {
            for bucket in 0..<count { set(try numbers.nextOfBucket(), column, bucket) }
        }
    }

    /// Nil when a number does not fit a cell.
    private static func cells(_ count: Int, _ numbers: inout HistoryNumbers) throws(HistoryError) -> [UInt32]? {
        var largest: UInt64 = 0
        let stride = Column.allCases.count
        var cells = [UInt32](repeating: 0, count: count * stride)
        try cells.withUnsafeMutableBufferPointer { cells throws(HistoryError) in
            for column in 0..<stride {
                for cell in Swift.stride(from: column, to: cells.count, by: stride) {
                    let value = try numbers.nextOfBucket()
                    largest |= value
                    cells[cell] = UInt32(truncatingIfNeeded: value)
                }
            }
        }
        return largest >> UInt64(UInt32.bitWidth) == 0 ? cells : nil
    }
}
