internal import Glibc
internal import SiltHeap
internal import SiltRecording

/// What one process of a service did in a hunt, in blocks that it allocated.
struct WorkerLife {
    /// In `Recording.processes`.
    let process: Int
    /// It began during the hunt, and has intervals of its own.
    let isLate: Bool
    /// By interval.
    let works: [Double]
    let seconds: Double
    /// By interval: the phase of the hunt.
    private let phases: [Int?]
    /// What it did after its last snapshot, in the phase in which it ended.
    private let rest: (phase: Int?, work: Double)
    /// What it did until it holds ever less of what it allocates; 0: it always holds as much.
    let untilSteady: Double
    /// What it did until it first waited; nil: it never did.
    let untilPause: Double?
    /// What it did before it could be asked for anything: it loads code, fills tables.
    var start = 0.0 {
        didSet {
            var done = 0.0
            startIntervals =
                works.firstIndex { interval in
                    guard done < start else { return true }
                    done += interval
                    return false
                } ?? works.count
        }
    }
    private var startIntervals = 0

    /// What is in use rises faster by this factor until then, and that has so many blocks.
    private static let (steadyRatio, steadyBlocks) = (1.5, 12.0)
    /// Natural logarithm of how much likelier two rates must be than one.
    private static let minimumGain = 10.0
    /// Seconds without an allocation: rounds end with a longer pause.
    private static let pause = 0.1
    /// This share of what it did.
    private static let unseenShare = 0.2
    /// Snapshots that are read of a process that was there before the hunt.
    private static let mostSnapshots = 1 << 20

    init(_ process: Int, _ recording: Recording, _ hunt: HuntPhases) {
        self.process = process
        let row = recording.processes[process]
        isLate = RecordedIntervals.began(row, during: recording)
        let clock = RecordedIntervals.clock(
            of: row.id,
            in: recording,
            limit: isLate ? RoundHistory.limit : Self.mostSnapshots
        )
        // What was before the hunt is none of it.
        let begin = recording.rounds.first?.startNs ?? 0
        let first = isLate ? 0 : clock.ends.firstIndex { $0 > begin } ?? clock.ends.count
        let before = first > 0 ? clock.allocated[first - 1] : 0
        let ends = clock.ends[first...]
        works = zip(clock.allocated[first...], [before] + clock.allocated[first...]).map { max(0, $0 - $1) }
        phases = ends.map { hunt.phase(at: $0, in: recording) }
        let end = row.endNs ?? .max
        let unseen = max(0, Double(recording.totals[process].allocatedCount) - (clock.allocated.last ?? 0))
        rest = end < hunt.endNs && end > begin ? (hunt.phase(at: end, in: recording), unseen) : (nil, 0)
        let from = max(row.startNs, begin)
        seconds = Double((ends.last ?? from) &- min(from, ends.last ?? from)) / 1e9
        untilSteady = isLate ? Self.untilSteady(clock) : 0
        untilPause = isLate ? Self.untilPause(clock, works) : nil
    }

    /// Nearly all that it did was seen.
    var isSeen: Bool { rest.work <= Self.unseenShare * (works.reduce(0, +) + rest.work) }

    /// After its start, as far as it was seen.
    var work: Double { works.dropFirst(startIntervals).reduce(0, +) }

    func work(in phase: Int) -> Double {
        zip(works, phases).dropFirst(startIntervals).reduce(0) { $1.1 == phase ? $0 + $1.0 : $0 }
    }

    /// The same with what was not seen.
    func done(in phase: Int) -> Double {
        guard rest.phase == phase else { return work(in: phase) }
        return work(in: phase) + max(0, rest.work - max(0, start - works.reduce(0, +)))
    }

    /// How many intervals after the start it took to do so much.
    func intervals(until work: Double) -> Int { places(1, until: work).count { $0 > 0 } }

    /// The part of that work, from 1, that each interval belongs to; 0: the start.
    func places(_ count: Int, until work: Double) -> [Int] {
        var places = [Int](repeating: 0, count: startIntervals)
        var done = 0.0
        for interval in works.dropFirst(startIntervals) {
            guard done + interval <= work * 1.000001 else { break }
            places.append(min(count, Int((done + interval / 2) / work * Double(count)) + 1))
            done += interval
        }
        return places
    }

    /// By the likelihood of two rates.
    private static func untilSteady(_ clock: RecordedIntervals.Clock) -> Double {
        guard let allAllocated = clock.allocated.last, let all = clock.inUse.last else { return 0 }
        var best = (gain: minimumGain, allocated: 0.0)
        func likelihood(_ blocks: Double, _ allocated: Double) -> Double {
            blocks > 0 && allocated > 0 ? blocks * log(blocks / allocated) : 0
        }
        for (blocks, allocated) in zip(clock.inUse, clock.allocated).dropLast() {
            let (later, laterAllocated) = (max(0, all - blocks), allAllocated - allocated)
            guard blocks >= steadyBlocks, laterAllocated > 0,
                blocks * laterAllocated > steadyRatio * later * allocated
            else { continue }
            let gain =
                likelihood(blocks, allocated) + likelihood(later, laterAllocated)
                - likelihood(blocks + later, allAllocated)
            if gain > best.gain { best = (gain, allocated) }
        }
        return best.allocated
    }

    private static func untilPause(_ clock: RecordedIntervals.Clock, _ works: [Double]) -> Double? {
        var since: UInt64?
        for (index, end) in clock.ends.enumerated() {
            if works[index] > 0 {
                since = end
            } else if let since, Double(end &- min(since, end)) / 1e9 >= pause {
                return clock.allocated[index]
            }
        }
        return nil
    }
}
