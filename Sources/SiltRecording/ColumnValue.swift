internal import CSQLite
internal import SiltEvents
internal import SiltText

/// What the columns of a row are written from.
protocol ColumnValue {
    /// How many columns it takes.
    var columnCount: Int32 { get }

    /// Binds it to the parameters of a statement from `index` on.
    func bind(to statement: OpaquePointer, at index: Int32)
}

extension ColumnValue {
    @inline(__always) var columnCount: Int32 { 1 }
}

extension ColumnValue where Self: BinaryInteger {
    @inline(__always)
    func bind(to statement: OpaquePointer, at index: Int32) {
        sqlite3_bind_int64(statement, index, Int64(truncatingIfNeeded: self))
    }
}

extension ColumnValue where Self: RawRepresentable, RawValue: ColumnValue {
    @inline(__always)
    func bind(to statement: OpaquePointer, at index: Int32) { rawValue.bind(to: statement, at: index) }
}

extension UInt8: ColumnValue {}
extension UInt32: ColumnValue {}
extension UInt64: ColumnValue {}
extension Int: ColumnValue {}
extension Int64: ColumnValue {}
extension Resource: ColumnValue {}
extension RecordedClass.Kind: ColumnValue {}
extension RecordedRound.Kind: ColumnValue {}

extension ColumnValue where Self: RowID {
    @inline(__always)
    func bind(to statement: OpaquePointer, at index: Int32) { rawValue.bind(to: statement, at: index) }
}

extension StringID: ColumnValue {}
extension ModuleID: ColumnValue {}
extension FrameID: ColumnValue {}
extension StackID: ColumnValue {}

extension Bool: ColumnValue {
    func bind(to statement: OpaquePointer, at index: Int32) { (self ? 1 : 0).bind(to: statement, at: index) }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
    @inline(__always)
    func bind(to statement: OpaquePointer, at index: Int32) {
        if let value = self {
            value.bind(to: statement, at: index)
        } else {
            sqlite3_bind_null(statement, index)
        }
    }
}

/// Numbers, each in a column of its own.
struct NumberColumns: ColumnValue {
    let numbers: [UInt64]

    var columnCount: Int32 { Int32(numbers.count) }

    func bind(to statement: OpaquePointer, at index: Int32) {
        for (offset, number) in numbers.enumerated() { number.bind(to: statement, at: index + Int32(offset)) }
    }
}

/// UTF-8 that is a text of the recording as it stands.
struct UTF8Column: ColumnValue {
    let utf8: [UInt8]

    func bind(to statement: OpaquePointer, at index: Int32) {
        _ = utf8.withUnsafeBytes { buffer in
            // An empty text has no base address, and a null pointer would be NULL.
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return base.map { sqlite3_bind_text(statement, index, $0, Int32(clamping: buffer.count), copied) }
                ?? sqlite3_bind_text(statement, index, "", 0, copied)
        }
    }
}

extension String: ColumnValue {
    /// A reader of the file is to see what was there, whatever it was.
    func bind(to statement: OpaquePointer, at index: Int32) {
        UTF8Column(utf8: Array(shown.utf8)).bind(to: statement, at: index)
    }
}

/// A BLOB.
extension [UInt8]: ColumnValue {
    func bind(to statement: OpaquePointer, at index: Int32) {
        _ = withUnsafeBytes { buffer in
            buffer.baseAddress.map { sqlite3_bind_blob(statement, index, $0, Int32(clamping: buffer.count), copied) }
                ?? sqlite3_bind_zeroblob(statement, index, 0)
        }
    }
}

/// SQLITE_TRANSIENT, a macro that Swift does not import: SQLite copies before it returns.
private var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
