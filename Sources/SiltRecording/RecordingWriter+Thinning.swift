/// Keeping series short: minima over equal windows.
///
/// A row stands for the `width` snapshots that end with it. When a series has more than its limit of rows, windows twice
/// as wide are made until half the limit is enough. The minimum of two minima is their minimum, so slopes of troughs
/// keep their expectation; plain decimation would alias with sawteeth. `inuse_space` of a merged row is the value at
/// its end, `trough_space` the lowest of it. Rows younger than the last thinning have width 1; a reader brings a series to one width.
extension RecordingWriter {
    /// Rows per group, and per process.
    static let sampleLimit = 64
    static let snapshotLimit = 2048
    /// Above this many sample rows in all, the limit per series is halved, down to 8: 1.2 M rows are some 40 MB.
    static let sampleBudget = 1_200_000

    func thin() throws(RecordingError) {
        var limit = Self.sampleLimit
        repeat {
            thinned = try thin("site_samples", key: "site", limit: limit)
            limit /= 2
        } while thinned > Self.sampleBudget && limit >= 8
        thinned += try thin("snapshots", key: "process", limit: Self.snapshotLimit)
        unthinned = 0
    }

    /// Returns how many rows the table has afterwards.
    private func thin(_ table: String, key: String, limit: Int) throws(RecordingError) -> Int {
        // Snapshots are of no resource.
        let resource = table == "snapshots" ? "process - process" : "resource"
        let long = try database.prepare(
            "SELECT \(resource), process, \(key) FROM \(table) GROUP BY 1, process, \(key) HAVING count(*) > \(limit)"
        )
        var series: [(resource: UInt32, process: UInt32, key: UInt32)] = []
        while try long.step() {
            series.append((long.id(0), long.id(1), long.id(2)))
        }
        let which = "\(resource) = ? AND process = ? AND \(key) = ?"
        let read = try database.prepare(
            "SELECT snapshot, width, inuse_space, trough_space FROM \(table) WHERE \(which) ORDER BY snapshot"
        )
        let update = try database.prepare(
            "UPDATE \(table) SET width = ?, trough_space = ? WHERE \(which) AND snapshot = ?"
        )
        let remove = try database.prepare("DELETE FROM \(table) WHERE \(which) AND snapshot = ?")
        for one in series {
            var rows: [Window.Row] = []
            read.bind(one.resource, one.process, one.key)
            while try read.step() {
                rows.append(
                    Window.Row(
                        snapshot: read.id(0),
                        width: read.id(1),
                        inUseBytes: read.unsigned(2),
                        troughBytes: read.unsigned(3)
                    )
                )
            }
            read.reset()
            let kept = Window.thinned(rows, to: limit / 2)
            var next = 0
            for row in rows {
                if next < kept.count, kept[next].snapshot == row.snapshot {
                    if kept[next] != row {
                        let (width, trough) = (kept[next].width, kept[next].troughBytes)
                        try update.run(width, trough, one.resource, one.process, one.key, row.snapshot)
                    }
                    next += 1
                } else {
                    try remove.run(one.resource, one.process, one.key, row.snapshot)
                }
            }
        }
        return try database.integer("SELECT count(*) FROM \(table)")
    }
}
