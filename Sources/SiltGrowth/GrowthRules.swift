internal import SiltHeap

/// The limits of the judges, by judge; docs/growth.md shows them at work.
///
/// They were chosen so that simulated leaks are found and simulated caches, warm-ups and churn are not charged: after a
/// change, the simulations and the labelled cases tell what it costs.
enum GrowthRules {
    // MARK: Several judges

    /// Half of a 95 % range, in standard errors of a mean (normal distribution).
    static let rangeScore = 1.96
    /// Limits of a Theil–Sen slope: one-sided 1 %.
    static let slopeScore = 2.326
    /// A trend, or more than idle leaves: one-sided 1 %.
    static let clearScore = 2.33
    /// A decline: one-sided 10 %, since a decline that is missed charges a cache that fills.
    static let declineScore = 1.28
    /// A decline has at least this many times the survivors in the older half that it has in the newer.
    static let declineRatio = 2.0
    /// Survivors came late when the newer half has more than this many times those of the older.
    static let lateRatio = 3.0
    /// Old bytes that rise by less than this share of what stayed: old blocks are freed as fast as new ones stay.
    static let turnoverShare = 0.5
    /// Old blocks are replaced when at least this share of what stayed was freed: a load that varies leaves more at some times.
    static let replacedShare = 0.1
    /// The newest part leaves less than this share of the mean: the growth has ended.
    static let stalledShare = 0.3
    /// Nothing is stalled before the newest part should have left this many blocks.
    static let stalledBlocks = 3.0
    /// A growing site is slow when the whole run adds less than this share of its live bytes.
    static let slowShare = 0.1
    /// The error of a rate seen in a few jumps of a doubling block, as a share of it.
    static let doublingError = 0.5
    /// Live bytes alone say less than births: from so many snapshots or rounds on they are good for medium confidence.
    static let mediumWithoutBirths = 12

    // MARK: Free runs

    /// Survivors of the time slices of a free run.
    enum Slices {
        /// With fewer snapshots nothing is said.
        static let minimumSnapshots = 6
        /// One is start-up, one may be churn: one is left to judge.
        static let minimumBuckets = 3
        /// One part in four of the run is start-up at its beginning, and may be churn at its end.
        static let skippedPart = 4
        /// Share of the run in which a block can become older than a quarter of it.
        static let oldShare = 0.75
        /// The newest slices are judged too when they hold at most this many times the mean of the others.
        static let humpRatio = 2.5
        /// Blocks by which they may exceed that by chance, together.
        static let humpBlocks = 2.0
        /// From this ratio on their churn is left out of the rate.
        static let churnRatio = 1.5
        /// Growth gets faster when the newer half holds this many times the older one's survivors.
        static let accelerationRatio = 1.5
        /// And does so beyond chance: one-sided 5 %.
        static let accelerationScore = 1.64
        /// Fewer survivors may be chance.
        static let minimumSurvivors = 4.0
        /// Slices over which a stall is looked for: a part of the run, and at least two.
        static let recentPart = 4
        /// In a single slice nothing may come by chance.
        static let minimumRecent = 2
        /// Below this share of slices with survivors there is no steady leak.
        static let sparseShare = 0.3
        /// A leak that began late must have left survivors in this many slices.
        static let lateSlices = 3
    }

    /// Survivors in few slices, again and again.
    enum Bursts {
        /// Rests of equal length show a rhythm from three on.
        static let minimum = 4
        /// Bursts of one thing come at nearly the same distance: what fills comes after ever longer rests.
        static let restRatio = 2.0
        /// They are over when the next one is missing for so many times the longest rest.
        static let openRatio = 4.0
        /// Each leaves this share of what most of them leave.
        static let sizeShare = 0.5
        /// Of workers each of which has the same ones.
        static let minimumOfWorkers = 3
        /// A block of each of three workers in each of four.
        static let minimumBlocks = 12.0
        /// So much of what they left is seen in the live bytes.
        static let keptShare = 0.75
    }

    /// No new high of the troughs: the growth is over, though survivors of every slice remain.
    enum Flat {
        /// A new high exceeds the last by this share of what a slice leaves.
        static let highShare = 0.05
        /// One slice without a new high is chance.
        static let minimumSlices = 2
        /// And more than this many times the longest rest before a new high.
        static let restRatio = 2.0
        /// So many blocks should have come meanwhile.
        static let minimumBlocks = 6.0
        /// Movement since the last high, its net part, and the noise of the whole run, as shares of what should have come.
        static let rangeShare = 0.25
        /// Less than the range: it wanders, and gets nowhere.
        static let netShare = 0.1
        /// A run that is noisier than this does not show that it rests.
        static let noiseShare = 0.5
        /// Median absolute deviation to standard deviation (normal distribution).
        static let deviationScale = 1.4826
    }

    /// An even rise that ended a moment ago.
    enum Stopped {
        /// The last slices; the one before them still rose.
        static let slices = 2
        /// An even rise shows in so many slices before: as for high confidence.
        static let minimumSlices = 6
        /// With so many expected, none cannot be chance, though they come some at a time.
        static let minimumBlocks = 30.0
        /// Of what should have come.
        static let risenShare = 0.1
        /// Meanwhile the process allocated at least this share of the usual, else it rests.
        static let busyShare = 0.75
        /// Before that, in no slice less than this share of the usual came.
        static let evenShare = 0.5
    }

    /// A decline that is slower than that of a table which is nearly full.
    enum Fading {
        /// Of a quarter.
        static let minimumSlices = 3
        /// The older half left so many times what the newer did: less is a load that varies.
        static let ratio = 1.35
        /// A decline that is not over: the last quarter leaves this share of what the older half did, and so many blocks, in
        /// nearly all of its slices.
        static let openShare = 0.25
        /// As for high confidence.
        static let openBlocks = 12.0
        /// As for high confidence.
        static let openOccupied = 0.75
    }

    /// A load that is not the same in both halves of a run.
    enum UnevenLoad {
        /// Less than a fifth more is noise of what a process allocates.
        static let ratio = 1.2
        /// A bucket and the one before: bursts may lie across.
        static let smoothed = 2
        /// Correlation of what is held with what is allocated: of a queue that gets longer by itself under a load that rises once
        /// it is 0.87.
        static let followed = 0.9
        /// What else is allocated shows the load where it is at least as much as what stays.
        static let othersShare = 1.0
    }

    /// A decline whose second half is steady: grows on, slower.
    enum Slowed {
        /// Half of them are judged, without what may be churn.
        static let minimumBuckets = 12
        /// So that the second half has halves of its own.
        static let minimumSlices = 4
        /// As for high confidence, since the first half speaks against it.
        static let minimumSurvivors = 12.0
        /// As for high confidence.
        static let occupiedShare = 0.75
        /// The rest declines no more when its older half holds at most this many times its newer one.
        static let steadyRatio = 1.25
        /// Old bytes still rise by this share of the rest's rate.
        static let riseShare = 0.5
    }

    /// A leak under long-lived churn: judged by what is older than half the run.
    enum Deep {
        /// One is skipped and four may be churn: three are left to judge.
        static let minimumBuckets = 8
        /// One part in eight is skipped at the beginning and one in two at the end: churn may live that long.
        static let skippedPart = 8
        /// Churn may live for half the run.
        static let youngPart = 2
        /// What is older than half the run can have come in the other half.
        static let oldShare = 0.5
        /// The troughs may rise by at least this share of the rate.
        static let riseShare = 0.5
    }

    /// Cycles may wait for an interpreter's collector for longer than a run lasts, and buffers in a pool are few.
    enum Collected {
        /// More than an array that is replaced by a longer one, and less than a leak leaves.
        static let blocks = 2.5..<24
        static let maximumBytes = 65_536.0
        /// Less than a page is nothing.
        static let minimumBytes = 4096.0
    }

    /// Content is replaced, but there is ever more of it.
    enum Backlog {
        /// All survivors are young: the older half has at most this share of the newer.
        static let olderShare = 0.1
        /// The rise is at least this share of the highest trough.
        static let riseShare = 0.25
        /// No fall takes back more than this share of the rise, and each quarter of the run carries at least as much.
        static let fallShare = 0.1
        /// Less than half of an even part: queues fill in bursts.
        static let quarterShare = 0.1
        /// Standard score of the trend by full buckets: queues wander, and the longer a run the higher they can get.
        static func trendScore(buckets: Int) -> Double { buckets >= 12 ? 4.5 : buckets >= 9 ? 3.3 : 2.5 }
    }

    /// Confidence in a free run's charge.
    enum SliceConfidence {
        /// With less of any of these it is low.
        static let mediumSnapshots = 8
        /// Two in each half.
        static let mediumSlices = 4
        /// Fewer may be chance, even if they are spread over the slices.
        static let mediumSurvivors = 6.0
        /// Survivors in most slices.
        static let mediumShare = 0.5
        /// With all of these it is high: long, dense, even, and all of it seen in the old bytes.
        static let highSnapshots = 12
        /// Three in each half.
        static let highSlices = 6
        /// Twice as many as for medium.
        static let highSurvivors = 12.0
        /// Slices without survivors are exceptions.
        static let highShare = 0.75
        /// Older half to newer half: neither a decline nor a late start.
        static let evenRatios = 0.4...2
        /// Old bytes in the newest slices, as a share of the rate: few slices vary.
        static let recentRise = 0.5
        /// The same in the newer half, which varies less.
        static let halfRise = 0.6
    }

    // MARK: Memory outside malloc

    /// What rises in the rounds of a hunt and is no block of an allocator's.
    enum Memory {
        /// Halves to compare.
        static let minimumRounds = 2
        /// Bytes, and a share of what is resident: too much to be chance, enough if it rises in an orderly way, and enough
        /// for more rounds.
        static let notable = (bytes: GrowthLimits.notableBytes, share: GrowthLimits.notableShare)
        /// More than single chunks of a heap.
        static let small = (bytes: 1_048_576.0, share: 0.02)
        /// Half of that: more rounds cost little.
        static let open = (bytes: 524_288.0, share: 0.01)
        /// A few pages in each round, and what many rounds in a row make of it.
        static let slight = (bytes: 16_384.0, share: 0.0)
        static let clear = (bytes: 262_144.0, share: 0.01)
        /// So many in a row, of which those that are added run the load several times.
        static let creepingRounds = 12
        /// The rise is over when the newer half of the rounds exceeds the older by no more than this, or by this share.
        static let overBytes = 262_144.0
        /// The same for large heaps.
        static let overShareOfResident = 0.005
        /// The same as a share of the rise.
        static let overShare = 0.1
        /// It is steady when each of so many rounds has this share of what its requests would bring.
        static let steadyRounds = 5
        /// Heaps grow by whole chunks: a round may have little of it.
        static let steadyShare = 0.3
        /// With so many rounds it may come in jumps: so many in the newer half, and in either half this share of what its
        /// requests would bring.
        static let jumpRounds = 8
        /// Two may be chance.
        static let jumps = 3
        /// A rise that fades carries less in its newer half.
        static let carriedShare = 0.5
    }

    // MARK: Live bytes

    /// Rounds of which only live bytes are looked at.
    enum RoundsOfLiveBytes {
        /// A warm-up and four increments.
        static let minimum = 5
        /// A rise without any pattern needs one more.
        static let trendMinimum = 6
        /// Two of them warm-up: six increments of one kind.
        static let mediumEveryRound = 8
        /// Every round adds, and by amounts of one kind: limits beside their median.
        static let minimumIncrements = 4
        /// Less than that is a round in which nothing was added.
        static let minimumIncrement = 0.3
        /// More is no increment of the same kind.
        static let maximumIncrement = 4.0
        /// The last one fades first.
        static let lastIncrement = 0.5
        /// All of it is at least this share of what is live.
        static let riseShare = 0.02
        /// A cache that fills: a warm-up round brought more than this many later ones.
        static let fillingRatio = 4.0
        /// And the second half of these brought less than this share of the first.
        static let fadingShare = 0.9
        /// So is what falls by this much from the first round that is judged to the last (natural logarithm).
        static let fadingFall = 1.0
        /// And surely: of leaks that vary one in a thousand seems to.
        static let fadingScore = 3.0
        /// The share of a rise that must outlast the phase.
        static let keptShare = 0.5
    }

    /// A trend in live bytes without births.
    enum Trend {
        /// As in `Slices`.
        static let minimumSnapshots = 6
        /// One for each quarter.
        static let minimumBuckets = 4
        /// The second half must rise too: clearly more often than not, and at this share of the whole slope.
        static let secondHalfScore = 1.0
        /// An even rise has all of it; one with less than this ends.
        static let secondHalfShare = 0.4
        /// The rise is at least this share of the highest value.
        static let riseShare = 0.05
        /// No fall takes back more than this share of the rise, and each quarter carries at least its own.
        static let fallShare = 0.5
        /// About a quarter of an even part.
        static let quarterShare = 0.06
    }

    /// One block that is replaced by a bigger one, again and again.
    enum Doubling {
        /// Growth factors of arrays and tables are 1.5 and 2; something beside them may stay the same.
        static let jumpRatio = 1.4
        /// Two may be two tables that were sized once each.
        static let minimumJumps = 3
        /// In a run of less than so many seconds they may be those of a start.
        static let startSeconds = 10.0
        /// The share of the growth that jumps carry.
        static let jumpShare = 0.9
        /// This share of what had come before the last jump may still be there: arrays that share a line grow in turn.
        static let keptShare = 0.75
        /// A place of an array takes 8 bytes, mostly: where a request brings less than one, its jumps are so few and small that
        /// they may be those of a table that is sized by what the program has seen.
        static let minimumPerRequest = 1.0
        /// What is appended by every request grows by the first power of them, tables of new keys by less.
        static let minimumPower = 0.85
        /// Rounds in which a jump may have come at half or twice what was asked by their middle.
        static let firstRounds = 2
        /// The next jump is overdue after this many times the last wait: waits double with the block.
        static let overdue = 2.5
    }

    /// What a series of live bytes looks like that does not grow.
    enum Form {
        /// Ranges of so many bytes, or of that share of the highest value, are nothing.
        static let quietBytes = 64.0
        /// Less has no shape.
        static let quietShare = 0.05
        /// A drop is a fall by more than one part in five of the peak; from two on they are a pattern.
        static let dropPart = Double(SliceHistory.dropPart)
        /// One drop may be the end of the start-up.
        static let sawtoothDrops = 2
        /// Beside a rise one or two are tolerated.
        static let risingDrops = 3
        /// A share of the first value: less is no change worth a word.
        static let shrinkingShare = 0.1
        /// A rise is at least this share of the highest value, and its falls at most that share of its rises.
        static let riseShare = 0.1
        /// What falls more between its rises is a sawtooth.
        static let fallShare = 0.35
        /// A step carries this share of the rises, and this share of it is never lost again.
        static let stepShare = 0.6
        /// What is lost again was no step.
        static let stepKept = 0.5
        /// A plateau's last third carries at most this share of the growth.
        static let plateauShare = 0.25
        /// A fall by this share of the highest value is a tooth.
        static let toothShare = 0.5
        /// A growth has come when this share of it has: what evidence lines call its end.
        static let settledShare = 0.97
        /// It came early when it had come before the last three tenths of the time.
        static let settledEarly = 0.7
        /// By then it belongs to the start of the program, and nobody takes it for a leak.
        static let settledAtStart = 0.05
    }
}

/// What reports say of the judges' limits.
package enum GrowthLimits {
    /// With fewer snapshots of a free run nothing is said.
    package static let minimumSnapshots = GrowthRules.Slices.minimumSnapshots
    /// One part in so many of a free run is start-up at its beginning, and may be churn at its end.
    package static let skippedPart = GrowthRules.Slices.skippedPart
    /// In less time what doubles may be a start.
    package static let startSeconds = GrowthRules.Doubling.startSeconds
    /// Memory outside malloc that rises by less may be chance, in bytes and as a share of what is resident.
    package static let notableBytes = 8.0 * 1_048_576
    package static let notableShare = 0.1
    /// With fewer rounds of a hunt nothing is said.
    package static let minimumRounds = GrowthRules.Rounds.minimum
}
