/// The limits of hunts.
extension GrowthRules {
    /// Rounds of one load.
    enum Rounds {
        /// A warm-up, a round that is judged, and one that its survivors outlive.
        static let minimum = 3
        /// Rounds in which tables fill and code is loaded: nothing is concluded from them.
        static func warmUp(of rounds: Int) -> Int { rounds <= 5 ? 1 : rounds <= 9 ? 2 : rounds / 4 }
        /// Few rounds must show more than many.
        static func minimumSurvivors(rounds: Int) -> Double { rounds <= 4 ? 3 : 2 }
        /// None of three rounds may be without survivors.
        static func occupiedShare(judged: Int) -> Double { judged <= 3 ? 1 : Hunt.occupiedShare }
        /// Survivors that fall to half in every judged round must be this many to be a decline.
        static let fallingSurvivors = 8.0
        /// In three rounds, a table that fills leaves at most this share of the round before.
        static let fadeShare = 0.6
        /// A last round without survivors counts when the others have this many on average.
        static let gapSurvivors = 2.0
    }

    /// Rounds and routes.
    enum Hunt {
        /// With survivors in fewer of the judged intervals there is no steady leak.
        static let occupiedShare = 0.6
        /// From so many intervals on it is enough that each third has some.
        static let spreadIntervals = 6
        /// Falling survivors are a decline when the last interval has at most this share of the first.
        static let fallShare = 0.5
        /// Old bytes after a round compare with those after one of at least this share of its load, so many rounds later.
        static let comparableLoad = 0.75
        /// A smaller round in between is passed over once.
        static let comparableSteps = 2
        /// Noise of counts that come singly, as a share of the square root of their sum: a floor for few intervals.
        static let countNoise = 0.5
    }

    /// Survivors that become fewer from interval to interval: what fills.
    enum Decline {
        /// One-sided 1.8 % by the logarithm of what was asked and 1 % by what was asked: with less, leaks that come by chance
        /// would be missed more often than caches are charged.
        static let score = 2.1
        /// For the trend by what was asked.
        static let scoreByTime = 2.3
        /// The same of what live bytes rise by, which blocks that come and go make uneven.
        static let scoreOfGains = 2.6
        /// The score for few intervals is higher, by this over the degrees of freedom: as Student's quantiles, and more
        /// where the counts vary by more than twice a Poisson variance.
        static let student = 0.4
        /// For counts that vary so.
        static let studentOfVaried = 4.0
        /// The variance, in those of a Poisson distribution, from which counts vary so.
        static let varied = 2.0
        /// Survivors fall by this much over what was seen (natural logarithm): less is a leak that varies.
        static let minimumFall = 0.1
        /// Half-lives of up to five times what was seen must be excluded for a sure verdict.
        static let excludedFall = 0.14
        /// And no decline may be hinted at: one-sided 16 %.
        static let minimumSure = -1.0
        /// Warm-up that brought no more than this many times what came later may be the beginning of a decline.
        static let burst = 1.5
        /// Standard deviations that may be chance on top of that.
        static let chance = 2.0
        /// An earlier route's counts from this score on.
        static let clearScore = -2.5
        /// The first quarter of an earlier route is warm-up, the last third its end.
        static let warmUpPart = 4
        /// A third: few intervals vary too much.
        static let lastPart = 3
        /// Steps of the fit, and its bound: a fall by that exponent in one interval.
        static let steps = 12
        /// A steeper fall leaves nothing in the next interval.
        static let steepest = 8.0
    }

    /// Survivors that stay from some interval on: of content that is replaced as a whole, or of what began then.
    enum Late {
        /// So many of the judged intervals, the oldest, left nothing, and this share of them.
        static let minimumEmpty = 2
        /// Fewer are a longer warm-up.
        static let share = 0.25
        /// What the others left on average: that two of them left nothing by chance is one in a hundred thousand.
        static let usual = 6.0
    }

    /// Few of the judged intervals left most: a cache that filled then, as the rest does not show.
    enum Concentrated {
        /// From so many intervals on: one in so many left this share.
        static let minimum = 6
        /// One in six: of the fewest it is a single one.
        static let part = 6
        /// Half of it all in a sixth of the intervals is three times an even part.
        static let share = 0.5
    }

    /// What the newest intervals hold beside a leak: a ring, a cache, the last requests' state.
    enum Newest {
        /// An interval that holds more than this many times the median of the older ones, beyond chance, is left out.
        static let ratio = 2.0
        /// Standard deviations that are chance.
        static let chance = 3.0
        /// So many intervals are kept, and this share of them.
        static let kept = 2
        /// With fewer the leak beside it is not seen.
        static let keptShare = 0.4
        /// They hold so many blocks.
        static let minimumBlocks = 2.0
    }

    /// Growth that is claimed must be seen in the live bytes.
    enum Conservation {
        /// They rise by this share of what stayed; below the clear one it may be content that is replaced by ever more.
        static let share = 0.5
        /// Half way from the share that is enough to all of it.
        static let clearShare = 0.75
        /// Rises of so many intervals make a rate of their own, where one in three, the oldest, left as much.
        static let minimumSteps = 3
        /// A rise below this share of their mean is none.
        static let minimumStep = 0.3
        /// The oldest third had the most time to be freed.
        static let oldestPart = 3
        /// Rise to what the oldest left: within a factor of two.
        static let agreement = 0.5...2
        /// So many of the newest rises tell whether they decline, or go on with a decline: one-sided 0.6 %.
        static let manySteps = 6
        /// Standard errors by which the newest rises must be flatter than all.
        static let goingOn = 2.5
        /// Seconds for which half of the judged blocks must have been kept for a sure verdict.
        static let sureSeconds = 30.0
    }

    /// What is not charged and still rises.
    enum Filling {
        /// The newest intervals tell: one in three, and two at least.
        static let newestPart = 3
        /// One rise may be chance.
        static let minimumNewest = 2
        /// They bring this share of what the phase brought in the mean, and so many blocks.
        static let share = 0.25
        /// Fewer may be chance.
        static let minimumBlocks = 3.0
        /// What is too little to be charged is in doubt when each of so many intervals left some of it, and idle hardly any.
        static let minimumJudged = 3
        /// Blocks that may be too few for a charge.
        static let fewBlocks = 48.0
        /// More of it may be what idle phases leave anyway.
        static let idleShare = 0.5
        /// A constant rate after the warm-up explains the rounds better than a power of what was asked by so many deviances
        /// that chance makes, else they may be those of a cache; so many powers are tried, and the cache's is below the limit.
        static let minimumScore = 2.0
        /// Deviances that each further round of warm-up costs (Akaike 1974).
        static let roundOfWarmUp = 2.0
        /// Above it a power hardly differs from a constant rate.
        static let maximumPower = 0.8
        /// Steps of 0.02.
        static let powers = 50
        /// Counts of rounds that vary by so many times what chance makes come in bursts.
        static let variationOfBursts = 3.0
        /// From so many intervals on live bytes tell whether a table fills whose entries replace each other.
        static let replacingIntervals = 12
    }

    /// Confidence in a charge by rounds: survivors in all of them, and even ones.
    enum RoundConfidence {
        /// Two in each half.
        static let highRounds = 4
        /// Relative: a Poisson count of three a round varies by as much.
        static let highVariation = 0.6
        /// Two a round.
        static let highSurvivors = 8.0
        /// Fewer rounds suffice when they hardly differ.
        static let evenRounds = 3
        /// Relative: each round leaves nearly the same.
        static let evenVariation = 0.15
        /// Two a round.
        static let evenSurvivors = 6.0
        /// Once may be chance.
        static let mediumRounds = 2
        /// Two a round.
        static let mediumSurvivors = 4.0
    }

    /// Routes, beside the idle phases.
    enum Route {
        /// A warm-up, two that are judged, and one that they outlive.
        static let minimumIntervals = 4
        /// Once may be chance.
        static let minimumJudged = 2
        /// Two an interval of the fewest.
        static let minimumSurvivors = 4.0
        /// One interval in four is warm-up.
        static let warmUpPart = 4
        /// Survivors that only fall are a decline in so few intervals.
        static let fallingIntervals = 4
        /// The last part of the intervals tells whether growth has ended.
        static let recentPart = 3
        /// Survivors of an interval beyond what idle leaves and this many standard deviations are the route's own.
        static let chanceScore = 2.0
        /// Their pattern decides when they make up this share of the excess.
        static let ownShare = 0.7
    }

    /// What idle phases leave.
    enum Idle {
        /// Two phases agree when neither leaves more than this many times the other and a few blocks by chance.
        static let agreementRatio = 3.0
        /// Blocks that come by chance.
        static let agreementBlocks = 2.0
        /// What is more than idle leaves by less than this share of it may be idle's.
        static let excessShare = 0.3
        /// Slices of idle time, as many as rounds of a load.
        static let minimumIntervals = 3
        /// As of a route.
        static let minimumSurvivors = 4.0
        /// As in `Hunt`: no steady leak leaves most intervals out.
        static let occupiedShare = 0.6
        /// Growth at idle is charged when the last phase shows this share of the first one's rate.
        static let repeatedShare = 0.4
        /// Added to a count so that its square root has nearly one variance, which is a quarter (Anscombe 1948).
        static let anscombe = 0.375
        /// The root of that quarter.
        static let rootDeviation = 0.5
    }

    /// Confidence in a charge beside idle phases.
    enum RouteConfidence {
        /// As many as rounds that hardly differ.
        static let highIntervals = 3
        /// As in a free run.
        static let highSurvivors = 12.0
        /// As in rounds.
        static let highVariation = 0.6
        /// Beyond what idle phases leave: one in thirty thousand by chance.
        static let highScore = 4.0
        /// Twice the fewest that are judged.
        static let mediumSurvivors = 8.0
        /// Intervals without survivors are exceptions.
        static let mediumShare = 0.75
    }
}
