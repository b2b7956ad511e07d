internal import SiltEvents
internal import SiltHeap
internal import SiltRecording

/// What each stack had allocated by now, while a hunt is on.
///
/// Which phase a round belongs to is known when it has ended. So the first round of a phase only sets the state that its
/// later rounds are compared with: caches warm up in it anyway.
struct HuntLedger {
    private struct Allocated {
        var bytes: UInt64 = 0
        var count: UInt64 = 0
    }

    /// By image: what stacks had allocated when they were last looked at.
    private var before: [UInt64: [StackID: Allocated]] = [:]
    /// By image: stacks that changed in the round.
    var moved: [UInt64: [StackID]] = [:]

    mutating func changed(_ stacks: [StackID], of image: UInt64) { moved[image, default: []] += stacks }

    /// The image has ended: nobody asks about it any more.
    mutating func forget(_ image: UInt64) { (before[image], moved[image]) = (nil, nil) }

    /// What the image allocated in the round.
    mutating func endRound(of image: TracedImage, process: UInt32, phase: Int) -> [PhaseAllocations] {
        var rows: [PhaseAllocations] = []
        for stack in moved.removeValue(forKey: image.id) ?? [] {
            let counters = image.heap.counters(of: stack, .heap)
            let now = Allocated(bytes: counters.allocatedBytes, count: counters.allocatedCount)
            let earlier = before[image.id, default: [:]].updateValue(now, forKey: stack) ?? Allocated()
            guard now.count > earlier.count else { continue }
            rows.append(
                PhaseAllocations(
                    process: process,
                    phase: phase,
                    stack: stack,
                    count: now.count - earlier.count,
                    bytes: now.bytes - earlier.bytes
                )
            )
        }
        return rows
    }
}
