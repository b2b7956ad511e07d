internal import SiltHeap

/// Tells a program that is giving back what it holds, as on its way out, from one that works.
///
/// A large heap is taken down for seconds, the youngest blocks often first: what is left then looks as if ever fewer
/// blocks had survived. Whether that was the way out is known only when the program has ended.
struct Decline {
    private var bytes: UInt64 = 0
    private var blocks: UInt64 = 0
    private var snapshots = 0

    /// Snapshots in a row that a decline may last; after that it is part of the program's work.
    private static let limit = 20

    /// Takes in a snapshot; true while there is less of something at each.
    mutating func goesOn(_ totals: HeapTotals) -> Bool {
        // Half a percent: what a steady program moves up and down by.
        let falls =
            totals.inUseBytes < bytes - bytes / 200 || totals.inUseCount < blocks - blocks / 200
        snapshots = falls && snapshots < Decline.limit ? snapshots + 1 : 0
        bytes = totals.inUseBytes
        blocks = totals.inUseCount
        return snapshots > 0
    }
}
