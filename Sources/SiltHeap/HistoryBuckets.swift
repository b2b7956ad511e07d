/// A number that a history keeps of each of its buckets.
protocol HistoryColumn: CaseIterable, RawRepresentable<Int>, Equatable {
    /// Blocks, which are never rounded; the other columns are bytes.
    static var bornCount: Self { get }
}

/// The columns of a history, one bucket after the other: 4 bytes a number.
///
/// Bytes lose resolution at the low end, all of them alike, once one of them passes 4 GiB.
struct HistoryBuckets<Column: HistoryColumn>: Equatable {
    private var cells: [UInt32] = []
    /// Bits that bytes have lost.
    private var shift: UInt32 = 0

    private static var stride: Int { Column.allCases.count }

    init() {}

    /// Buckets full of zeroes, to be `set`: what a decoder starts from.
    init(count: Int) { cells = Array(repeating: 0, count: count * Self.stride) }

    var count: Int { cells.count / Self.stride }

    @inline(__always)
    func value(_ column: Column, _ bucket: Int) -> UInt64 {
        let cell = UInt64(cells[bucket * Self.stride + column.rawValue])
        return column == .bornCount ? cell : cell << UInt64(shift)
    }

    @inline(__always)
    mutating func set(_ value: UInt64, _ column: Column, _ bucket: Int) {
        if column == .bornCount {
            cells[bucket * Self.stride + column.rawValue] = UInt32(clamping: value)
            return
        }
        while value >> UInt64(shift) > UInt64(UInt32.max) { coarsen() }
        cells[bucket * Self.stride + column.rawValue] = UInt32(value >> UInt64(shift))
    }

    @inline(__always)
    mutating func add(_ amount: UInt64, _ column: Column, _ bucket: Int) {
        let amount = column == .bornCount ? amount : rounded(amount)
        set(value(column, bucket) &+ amount, column, bucket)
    }

    /// Takes away at most what there is.
    @inline(__always)
    mutating func subtract(_ amount: UInt64, _ column: Column, _ bucket: Int) {
        let left = value(column, bucket)
        set(left - min(left, column == .bornCount ? amount : rounded(amount)), column, bucket)
    }

    /// Adds those of another history, bucket by bucket.
    mutating func add(_ other: HistoryBuckets, limit: Int) {
        append(upTo: other.count, limit: limit)
        for bucket in 0..<other.count {
            for column in Column.allCases { add(other.value(column, bucket), column, bucket) }
        }
    }

    func sum(_ column: Column) -> UInt64 { sum(column, 0..<count) }

    /// That of some buckets.
    func sum(_ column: Column, _ range: Range<Int>) -> UInt64 {
        var (sum, place) = (UInt64(0), range.lowerBound * Self.stride + column.rawValue)
        for _ in range {
            sum &+= UInt64(cells[place])
            place += Self.stride
        }
        return column == .bornCount ? sum : sum << UInt64(shift)
    }

    /// A column, 0 where no bucket was needed.
    func values(_ column: Column, _ length: Int) -> [Double] {
        (0..<length).map { $0 < count ? Double(value(column, $0)) : 0 }
    }

    /// Makes buckets of zeroes until there are so many.
    mutating func append(upTo wanted: Int, limit: Int) {
        while count < wanted {
            if cells.count == cells.capacity { cells.reserveCapacity(min(max(4, 2 * count), limit) * Self.stride) }
            for _ in 0..<Self.stride { cells.append(0) }
        }
    }

    mutating func removeAll() { cells.removeAll(keepingCapacity: true) }

    /// As the byte columns can hold it.
    @inline(__always)
    private func rounded(_ bytes: UInt64) -> UInt64 {
        guard shift > 0 else { return bytes }
        let half = UInt64(1) << UInt64(shift - 1)
        return ((bytes &+ half) >> UInt64(shift)) << UInt64(shift)
    }

    private mutating func coarsen() {
        shift += 1
        for index in cells.indices where index % Self.stride != Column.bornCount.rawValue { cells[index] >>= 1 }
    }
}
