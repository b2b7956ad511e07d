internal import SiltHeap

/// Tells a program that is giving back what it holds, as on its way out, from one that works.
///
/// A large heap is taken down for seconds, the youngest blocks often first: what is left then looks as if ever fewer
/// blocks had survived. Whether that was the way out is known only when the program has ended.
struct Decline {
    private var bytes: UInt64 = 0
    private var blocks: UInt64 = 0
    /// Ticks that it has lasted.
    private var ticks: UInt32 = 0

    /// Snapshots in a row that a decline may last, as far apart as the last ones are; after that it is part of the
    /// program's work.
    private static let limit: UInt32 = 20

    /// Takes in a snapshot; true while there is less of something at each.
    mutating func goesOn(_ heap: borrowing ProcessHeap) -> Bool {
        let totals = heap.totals
        // Half a percent: what a steady program moves up and down by.
        let falls =
            totals.inUseBytes < bytes - bytes / 200 || totals.inUseCount < blocks - blocks / 200
        let step = heap.scale.step(to: heap.interval - 1)
        ticks = falls && ticks < Decline.limit * heap.scale.maximumStep ? ticks + step : 0
        bytes = totals.inUseBytes
        blocks = totals.inUseCount
        return ticks > 0
    }
}
