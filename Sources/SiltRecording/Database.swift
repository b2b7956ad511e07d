internal import CSQLite
internal import SiltEvents
internal import SiltText

/// One SQLite connection: the few calls a recording needs, and its errors in our words.
///
/// Not thread-safe: used from one thread at a time.
final class Database {
    let path: String
    private let handle: OpaquePointer
    /// Closed behind SQLite: closing any descriptor of the file ends this process's POSIX locks on it.
    private let claim: FileClaim?

    /// Opens `path` with SQLite's open flags; a path that starts with `file:` is a URI.
    init(path: String, name: String, flags: Int32, claim: FileClaim? = nil) throws(RecordingError) {
        self.claim = claim
        var opened: OpaquePointer?
        let status = sqlite3_open_v2(name.system, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard status == SQLITE_OK, let opened else {
            let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(status))
            sqlite3_close_v2(opened)
            throw .cannotOpen(path: path, reason: reason)
        }
        self.path = path
        handle = opened
        sqlite3_busy_timeout(handle, 2000)
    }

    deinit {
        sqlite3_close_v2(handle)
    }

    func execute(_ sql: String) throws(RecordingError) {
        let status = sqlite3_exec(handle, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw error(status) }
    }

    func prepare(_ sql: String) throws(RecordingError) -> Statement {
        var statement: OpaquePointer?
        let status = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard status == SQLITE_OK, let statement else { throw error(status) }
        return Statement(statement, of: self)
    }

    /// The first column of the first row, 0 when there is none.
    func integer(_ sql: String) throws(RecordingError) -> Int {
        let statement = try prepare(sql)
        return try statement.step() ? Int(statement.integer(0)) : 0
    }

    /// What SQLite's status means for the file: damaged when reading its pages failed, else a failed write.
    func error(_ status: Int32) -> RecordingError {
        // SQLITE_READONLY_DBMOVED, a macro that Swift does not import.
        let isGone = status == SQLITE_READONLY | 4 << 8
        let reason = isGone ? "the file was moved, deleted or replaced" : String(cString: sqlite3_errmsg(handle))
        return switch status & 0xff {
        case SQLITE_NOTADB: .notARecording(path: path)
        case SQLITE_CORRUPT, SQLITE_ERROR, SQLITE_MISMATCH, SQLITE_RANGE: .damaged(path: path, reason: reason)
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_BUSY, SQLITE_LOCKED: .cannotOpen(path: path, reason: reason)
        default:
            // SQLITE_IOERR_READ and SQLITE_IOERR_SHORT_READ, macros that Swift does not import.
            status == SQLITE_IOERR | 1 << 8 || status == SQLITE_IOERR | 2 << 8
                ? .damaged(path: path, reason: reason) : .cannotWrite(path: path, reason: reason)
        }
    }
}

/// A prepared statement: bind by position from 1, step, read columns from 0.
final class Statement {
    private let handle: OpaquePointer
    private let database: Database

    init(_ handle: OpaquePointer, of database: Database) {
        self.handle = handle
        self.database = database
    }

    deinit {
        sqlite3_finalize(handle)
    }

    @inline(__always) func bind(_ value: Int64, at index: Int32) {
        sqlite3_bind_int64(handle, index, value)
    }

    @inline(__always) func bind(_ value: UInt64, at index: Int32) {
        sqlite3_bind_int64(handle, index, Int64(bitPattern: value))
    }

    @inline(__always) func bind(_ value: UInt32, at index: Int32) {
        sqlite3_bind_int64(handle, index, Int64(value))
    }

    @inline(__always) func bind(_ id: some RowID, at index: Int32) { bind(id.rawValue, at: index) }

    func bind(_ value: Int?, at index: Int32) { bind(value.map(Int64.init), at: index) }

    func bind(_ value: Int64?, at index: Int32) {
        if let value {
            sqlite3_bind_int64(handle, index, value)
        } else {
            sqlite3_bind_null(handle, index)
        }
    }

    func bind(_ value: UInt64?, at index: Int32) {
        if let value {
            sqlite3_bind_int64(handle, index, Int64(bitPattern: value))
        } else {
            sqlite3_bind_null(handle, index)
        }
    }

    func bind(_ value: String?, at index: Int32) {
        // A reader of the file is to see what was there, whatever it was.
        guard var value = value?.shown else {
            sqlite3_bind_null(handle, index)
            return
        }
        value.withUTF8 { utf8 in
            // SQLITE_TRANSIENT: SQLite copies before it returns. An empty string has no base address.
            let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            utf8.withMemoryRebound(to: CChar.self) { text in
                if let base = text.baseAddress {
                    _ = sqlite3_bind_text(handle, index, base, Int32(clamping: text.count), transient)
                } else {
                    _ = sqlite3_bind_text(handle, index, "", 0, transient)
                }
            }
        }
    }

    /// UTF-8, copied by SQLite before it returns.
    func bind(text: [UInt8], at index: Int32) {
        text.withUnsafeBytes { buffer in
            let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            _ = sqlite3_bind_text(handle, index, base, Int32(clamping: buffer.count), transient)
        }
    }

    func bind(_ bytes: [UInt8], at index: Int32) {
        bytes.withUnsafeBytes { buffer in
            let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            if let base = buffer.baseAddress {
                _ = sqlite3_bind_blob(handle, index, base, Int32(clamping: buffer.count), transient)
            } else {
                _ = sqlite3_bind_zeroblob(handle, index, 0)
            }
        }
    }

    /// Advances to the next row; false after the last.
    func step() throws(RecordingError) -> Bool {
        let status = sqlite3_step(handle)
        switch status {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = database.error(status)
            sqlite3_reset(handle)
            throw error
        }
    }

    /// Executes a statement without rows and makes it ready for the next bindings.
    @inline(__always) func run() throws(RecordingError) {
        let status = sqlite3_step(handle)
        guard status == SQLITE_DONE else {
            let error = database.error(status)
            sqlite3_reset(handle)
            throw error
        }
        sqlite3_reset(handle)
    }

    func reset() {
        sqlite3_reset(handle)
    }

    @inline(__always) func integer(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    @inline(__always) func unsigned(_ column: Int32) -> UInt64 {
        UInt64(bitPattern: sqlite3_column_int64(handle, column))
    }

    /// Nanoseconds on the recorded clock; no trace takes 9 years, so later ones, of a damaged file, are as late as that.
    @inline(__always) func time(_ column: Int32) -> UInt64 { min(unsigned(column), 1 << 58) }

    func optionalTime(_ column: Int32) -> UInt64? { isNull(column) ? nil : time(column) }

    @inline(__always) func id(_ column: Int32) -> UInt32 {
        UInt32(truncatingIfNeeded: sqlite3_column_int64(handle, column))
    }

    @inline(__always) func id<ID: RowID>(_ column: Int32) -> ID { ID(rawValue: id(column)) }

    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    func optionalInteger(_ column: Int32) -> Int? {
        isNull(column) ? nil : Int(integer(column))
    }

    func optionalUnsigned(_ column: Int32) -> UInt64? {
        isNull(column) ? nil : unsigned(column)
    }

    /// The column as text; bytes that are not UTF-8 are repaired.
    func text(_ column: Int32) -> String {
        guard let base = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self)
    }

    /// The column's bytes as they are, empty for NULL.
    func withText<Result>(_ column: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        let base = sqlite3_column_text(handle, column)
        return body(
            UnsafeBufferPointer(start: base, count: base == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
        )
    }

    func optionalText(_ column: Int32) -> String? {
        isNull(column) ? nil : text(column)
    }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let base = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column))))
    }
}
