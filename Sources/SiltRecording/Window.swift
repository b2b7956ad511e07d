/// Windows of snapshots: number 0 is the baseline alone, then each holds `width` snapshots.
enum Window {
    struct Row: Equatable {
        var snapshot: UInt32
        var width: UInt32
        var inUseBytes: UInt64
        var troughBytes: UInt64
    }

    static func index(of snapshot: UInt32, width: UInt32) -> UInt32 {
        snapshot == 0 ? 0 : (snapshot - 1) / width + 1
    }

    /// Merges rows into windows of one width, the smallest power of two that leaves at most `limit` rows.
    static func thinned(_ rows: [Row], to limit: Int) -> [Row] {
        var width = rows.reduce(1) { max($0, $1.width) }
        var result = merged(rows, width: width)
        while result.count > max(limit, 2), width < 1 << 30 {
            width *= 2
            result = merged(result, width: width)
        }
        return result
    }

    /// One row per window that has any: the last of it, with the lowest trough.
    ///
    /// A window in which nothing moved before its first row began at the value the row before it left.
    static func merged(_ rows: [Row], width: UInt32) -> [Row] {
        var result: [Row] = []
        for row in rows {
            if let last = result.last, index(of: last.snapshot, width: width) == index(of: row.snapshot, width: width) {
                result[result.count - 1] = Row(
                    snapshot: row.snapshot,
                    width: row.snapshot == 0 ? 1 : width,
                    inUseBytes: row.inUseBytes,
                    troughBytes: min(last.troughBytes, row.troughBytes)
                )
            } else {
                var merged = row
                // In a window of several snapshots, those before the row had the value that was left before.
                if let last = result.last, row.snapshot > 0, starts(after: row, width: width) {
                    merged.troughBytes = min(row.troughBytes, last.inUseBytes)
                }
                merged.width = row.snapshot == 0 ? 1 : width
                result.append(merged)
            }
        }
        return result
    }

    /// Whether the window of `row` holds a snapshot before those the row stands for.
    private static func starts(after row: Row, width: UInt32) -> Bool {
        let first = (index(of: row.snapshot, width: width) - 1) * width + 1
        let covered = (index(of: row.snapshot, width: row.width) - 1) * row.width + 1
        return covered > first
    }
}
