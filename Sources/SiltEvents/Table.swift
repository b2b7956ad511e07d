/// Rows that ids of one kind number, from 1; a row is also reached by its index, which is one less.
public struct Table<ID: RowID, Row> {
    @usableFromInline var rows: [Row] = []

    /// No rows.
    @inlinable
    public init() {}

    /// `count` rows that are alike.
    @inlinable
    public init(repeating row: Row, count: Int) { rows = Array(repeating: row, count: count) }

    /// The row of an id that is not none.
    @inlinable @inline(__always)
    public subscript(id: ID) -> Row {
        get { rows[id.index] }
        _modify { yield &rows[id.index] }
    }

    /// Whether an id is none or of a row.
    @inlinable
    public func holds(_ id: ID) -> Bool { id.rawValue <= rows.count }
}

extension Table: RandomAccessCollection, MutableCollection, RangeReplaceableCollection {
    /// Index of the first row.
    @inlinable public var startIndex: Int { 0 }

    /// One more than the index of the last row.
    @inlinable public var endIndex: Int { rows.count }

    /// The row at an index.
    @inlinable @inline(__always)
    public subscript(index: Int) -> Row {
        get { rows[index] }
        _modify { yield &rows[index] }
    }

    /// Gives later rows other ids where the number of rows changes.
    @inlinable
    public mutating func replaceSubrange(_ range: Range<Int>, with new: some Collection<Row>) {
        rows.replaceSubrange(range, with: new)
    }

    /// Adds a row, whose id is the next.
    @inlinable
    public mutating func append(_ row: Row) { rows.append(row) }

    /// Makes room for that many rows in all.
    @inlinable
    public mutating func reserveCapacity(_ count: Int) { rows.reserveCapacity(count) }
}

extension Table: ExpressibleByArrayLiteral {
    /// Those rows.
    @inlinable
    public init(arrayLiteral rows: Row...) { self.rows = rows }
}

extension Table: Sendable where Row: Sendable {}
extension Table: Equatable where Row: Equatable {}
