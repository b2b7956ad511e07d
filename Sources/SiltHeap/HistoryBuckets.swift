/// A number that a history keeps of each of its buckets.
protocol HistoryColumn: CaseIterable, RawRepresentable<Int>, Equatable {
    /// Live now, by the bucket of their birth.
    static var bornBytes: Self { get }
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

    /// `cells`: the columns of the first bucket, of the second and so on.
    init(cells: [UInt32]) { self.cells = cells }

    var count: Int { cells.count / Self.stride }

    @inline(__always)
    func value(_ column: Column, _ bucket: Int) -> UInt64 {
        let cell = UInt64(cells[place(column, bucket)])
        return column == .bornCount ? cell : cell << UInt64(shift)
    }

    @inline(__always)
    mutating func set(_ value: UInt64, _ column: Column, _ bucket: Int) {
        if column == .bornCount {
            cells[place(column, bucket)] = UInt32(clamping: value)
            return
        }
        while value >> UInt64(shift) > UInt64(UInt32.max) { coarsen() }
        cells[place(column, bucket)] = UInt32(value >> UInt64(shift))
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

    /// Blocks that were born in a bucket are alive.
    mutating func addBorn(_ bytes: UInt64, _ count: UInt64, _ bucket: Int) {
        add(bytes, .bornBytes, bucket)
        add(count, .bornCount, bucket)
    }

    /// Some of them were freed, which happens most often.
    @inline(__always)
    mutating func subtractBorn(_ bytes: UInt64, _ count: UInt64, _ bucket: Int) {
        guard shift == 0 else {
            subtract(bytes, .bornBytes, bucket)
            subtract(count, .bornCount, bucket)
            return
        }
        let places = (place(.bornBytes, bucket), place(.bornCount, bucket))
        cells.withUnsafeMutableBufferPointer { cells in
            cells[places.0] -= UInt32(min(UInt64(cells[places.0]), bytes))
            cells[places.1] -= UInt32(min(UInt64(cells[places.1]), count))
        }
    }

    /// Adds those of another history, bucket by bucket.
    mutating func add(_ other: HistoryBuckets, limit: Int) {
        append(upTo: other.count, limit: limit)
        if shift == other.shift, sumsFit, other.sumsFit {
            for cell in other.cells.indices { cells[cell] &+= other.cells[cell] }
            return
        }
        for bucket in 0..<other.count {
            for column in Column.allCases { add(other.value(column, bucket), column, bucket) }
        }
    }

    /// Makes one bucket of each two neighbors; a last one without a neighbor stays as it is.
    @inline(__always)
    mutating func joinPairs(_ joined: (Column, _ first: UInt64, _ second: UInt64) -> UInt64) {
        for bucket in 0..<count / 2 {
            for column in Column.allCases {
                set(joined(column, value(column, 2 * bucket), value(column, 2 * bucket + 1)), column, bucket)
            }
        }
        let half = (count + 1) / 2
        if count % 2 == 1 {
            for column in Column.allCases { cells[place(column, half - 1)] = cells[place(column, count - 1)] }
        }
        removeAll(from: half)
    }

    /// Whether a cell can hold the sum of any two.
    private var sumsFit: Bool { cells.reduce(0, |) >> 31 == 0 }

    @inline(__always)
    private func place(_ column: Column, _ bucket: Int) -> Int { bucket * Self.stride + column.rawValue }

    func sum(_ column: Column) -> UInt64 { sum(column, 0..<count) }

    /// That of some buckets.
    func sum(_ column: Column, _ range: Range<Int>) -> UInt64 {
        var (sum, place) = (UInt64(0), place(column, range.lowerBound))
        for _ in range {
            sum &+= UInt64(cells[place])
            place += Self.stride
        }
        return column == .bornCount ? sum : sum << UInt64(shift)
    }

    /// Of a column: the sum of the buckets before each, and at last that of all.
    func runningSums(_ column: Column) -> [UInt64] {
        var sum: UInt64 = 0
        return [0]
            + (0..<count).map { bucket in
                sum &+= value(column, bucket)
                return sum
            }
    }

    /// A column, 0 where no bucket was needed.
    func values(_ column: Column, _ length: Int) -> [Double] {
        (0..<length).map { $0 < count ? Double(value(column, $0)) : 0 }
    }

    /// Makes buckets of zeroes until there are so many.
    mutating func append(upTo wanted: Int, limit: Int) {
        guard count < wanted else { return }
        if cells.capacity < wanted * Self.stride {
            cells.reserveCapacity(min(max(4, 2 * count, wanted), limit) * Self.stride)
        }
        cells.append(contentsOf: repeatElement(0, count: wanted * Self.stride - cells.count))
    }

    /// Keeps those before one, and the memory of the others.
    mutating func removeAll(from bucket: Int) { cells.removeLast(cells.count - bucket * Self.stride) }

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
