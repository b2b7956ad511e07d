internal import SiltRecording

/// Workers that are replaced too soon to be judged, while what they hold rises as long as they live.
package struct ShortWorkers: Equatable, Sendable {
    /// Where most of it was allocated.
    package var blame: ReportFrame
    package var workers: Int
    package var generations: Int
    /// Snapshots that each lived for, the baseline included; nil: they were not equally far apart.
    package var snapshots: Int?
    /// What each lived for.
    package var seconds: Double

    /// A process that saw fewer intervals served one connection or did one job: that it keeps what it has is not a leak.
    private static let minimumIntervals = 2
    /// Where snapshots are close together at first: in so many seconds and snapshots.
    private static let (minimumSeconds, minimumSnapshots) = (0.5, 8)
    /// Blocks that each worker has more at the end than at the beginning.
    private static let minimumBlocks = 4.0
    /// The last interval brought at least this share of what an interval brings on average, else it is a cache that is full.
    private static let lastShare = 0.5
}

extension ShortWorkers {
    /// The call site that rises most; nil: none does.
    init?(_ recording: Recording, _ names: FrameNames, _ turns: [WorkerTurns], _ sites: CallSites) {
        let short = turns.filter {
            $0.areForked && !$0.canBeJudged && Self.areSeen($0.clock)
                && $0.clock.periods < SiteOpinion.minimumSnapshots
        }
        guard !short.isEmpty else { return nil }
        let samples = SampleIndex(recording.groupSamples)
        var best: (rise: Double, site: Int, turns: WorkerTurns)?
        for turns in short {
            let count = turns.clock.count
            for part in sites.joined(.heap, turns.judged.contains).parts {
                var bytes = [Double](repeating: 0, count: count + 1)
                var blocks = bytes
                for index in turns.judged {
                    for group in part.groups {
                        guard let rows = samples.rows(.heap, process: recording.processes[index].id, group: group)
                        else {
                            continue
                        }
                        Self.add(rows, to: &bytes, &blocks)
                    }
                }
                let rise = bytes[count] - bytes[0]
                guard Self.rises(bytes, turns.clock), rise > best?.rise ?? 0,
                    blocks[count] - blocks[0] >= Self.minimumBlocks * Double(turns.judged.count)
                else { continue }
                best = (rise, part.site, turns)
            }
        }
        guard let best else { return nil }
        blame = names.frame(ofRow: names.siteRows[best.site], frame: names.siteFrames[best.site], in: recording)
        workers = best.turns.facts.workers
        generations = best.turns.facts.generations
        snapshots = best.turns.clock.isShort ? nil : best.turns.facts.snapshots
        seconds = best.turns.clock.seconds
    }

    private static func areSeen(_ clock: ProcessClock) -> Bool {
        clock.periods >= minimumIntervals
            || clock.isShort && clock.seconds >= minimumSeconds && clock.count >= minimumSnapshots
    }

    /// Adds what one worker held at each age.
    private static func add(_ rows: ArraySlice<RecordedSample>, to bytes: inout [Double], _ blocks: inout [Double]) {
        var rows = rows
        var held: RecordedSample?
        for age in bytes.indices {
            while let row = rows.first, row.snapshot <= age { held = rows.removeFirst() }
            bytes[age] += Double(held?.inUseBytes ?? 0)
            blocks[age] += Double(held?.inUseCount ?? 0)
        }
    }

    private static let parts = 4

    /// By the quarters of its life, or by as many intervals as there are.
    private static func rises(_ values: [Double], _ clock: ProcessClock) -> Bool {
        let parts = min(Self.parts, values.count - 1)
        let ends = (0...parts).compactMap { part in
            values.indices.last { Int(clock.tick(of: UInt32($0))) <= clock.ticks * part / parts }
        }
        let steps = zip(ends.dropFirst(), ends).map { values[$0] - values[$1] }
        guard let last = steps.last, steps.allSatisfy({ $0 > 0 }) else { return false }
        return last >= lastShare * steps.reduce(0, +) / Double(steps.count)
    }
}
