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

    /// Adds rows to a table, all columns of one after those of the other; they replace those with the same key.
    func insertion(into table: String, columns: Int, rows: Int = 1) throws(RecordingError) -> Statement {
        let row = "(" + Array(repeating: "?", count: columns).joined(separator: ", ") + ")"
        let places = Array(repeating: row, count: rows).joined(separator: ", ")
        return try prepare("INSERT OR REPLACE INTO \(table) VALUES \(places)")
    }

    /// Executes one statement without rows.
    func run<each Value: ColumnValue>(_ sql: String, _ values: repeat each Value) throws(RecordingError) {
        try prepare(sql).run(repeat each values)
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

    /// Binds values to the parameters from the first on.
    @inline(__always)
    func bind<each Value: ColumnValue>(_ values: repeat each Value) {
        var index: Int32 = 1
        for value in repeat each values { bind(value, at: &index) }
    }

    /// Binds a value to the parameters from `index` on, which is then that behind them.
    @inline(__always)
    func bind(_ value: some ColumnValue, at index: inout Int32) {
        value.bind(to: handle, at: index)
        index += value.columnCount
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

    /// Executes a statement without rows with values for its parameters and makes it ready for the next ones.
    @inline(__always)
    func run<each Value: ColumnValue>(_ values: repeat each Value) throws(RecordingError) {
        bind(repeat each values)
        try execute()
    }

    /// The same with numbers, and a BLOB behind them, for rows of which there are many: values of several types take a tenth
    /// of the time that writing a row does.
    @inline(__always)
    func run(_ numbers: [UInt64], _ bytes: [UInt8]? = nil) throws(RecordingError) {
        var index: Int32 = 1
        for number in numbers { bind(number, at: &index) }
        if let bytes { bind(bytes, at: &index) }
        try execute()
    }

    @inline(__always)
    private func execute() throws(RecordingError) {
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
