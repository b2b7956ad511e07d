internal import SiltEvents

/// What rose most lately: since a moment between the first and the second quarter of the time that has passed, so that
/// what a program builds at its start is not named for ever, and without the largest of its steps, so that an arena or a
/// table that came at once is named only where nothing else rose.
struct LatestRises {
    struct Key: Hashable {
        var resource: Resource
        var group: FrameID
    }

    private struct Owner: Hashable {
        var key: Key
        var image: UInt64
    }

    private struct Levels {
        /// At `since` and at `middle`.
        var base: UInt64
        var middle: UInt64
        var now: UInt64
        /// The largest rise from one snapshot to the next between `since` and `middle`, and from then on.
        var stepBefore: UInt64 = 0
        var step: UInt64 = 0

        mutating func rise(to bytes: UInt64) {
            if bytes > now { step = max(step, bytes - now) }
            now = bytes
        }
    }

    private struct Rise {
        var all: Int64 = 0
        var withoutLargestStep: Int64 = 0
    }

    private var levels: [Owner: Levels] = [:]
    private var since = 0.0
    private var middle = 0.0

    /// What a group of an image holds, bytes or a number; `isFirst`: at the image's first snapshot.
    mutating func note(_ bytes: UInt64, _ key: Key, image: UInt64, isFirst: Bool) {
        let start = isFirst ? bytes : 0
        let levels = Levels(base: start, middle: start, now: start)
        self.levels[Owner(key: key, image: image), default: levels].rise(to: bytes)
    }

    mutating func forget(image: UInt64) { levels = levels.filter { $0.key.image != image } }

    /// Over all images: bytes, or a number of what has no size; nil: nothing rose.
    mutating func most(at seconds: Double) -> (key: Key, rise: Int64, seconds: Double)? {
        if middle == 0 || seconds >= 2 * middle { advance(to: seconds) }
        // Bytes first: what has no size only where none rose.
        let found = most { !$0.isCounted } ?? most { $0.isCounted && !$0.isFound }
        return found.map { ($0.key, $0.value, seconds - since) }
    }

    private func most(of isWanted: (Resource) -> Bool) -> (key: Key, value: Int64)? {
        var rises: [Key: Rise] = [:]
        for (owner, level) in levels where isWanted(owner.key.resource) {
            let rise = Int64(clamping: level.now) - Int64(clamping: level.base)
            let step = Int64(clamping: max(level.stepBefore, level.step))
            rises[owner.key, default: Rise()].all += rise
            rises[owner.key, default: Rise()].withoutLargestStep += max(0, rise - step)
        }
        let most = rises.max {
            ($0.value.withoutLargestStep, $0.value.all, $1.key.group)
                < ($1.value.withoutLargestStep, $1.value.all, $0.key.group)
        }
        return most.flatMap { $0.value.all > 0 ? ($0.key, $0.value.all) : nil }
    }

    private mutating func advance(to seconds: Double) {
        let isFirst = middle == 0
        if !isFirst { since = middle }
        middle = seconds
        levels = levels.mapValues { level in
            Levels(
                base: isFirst ? level.base : level.middle,
                middle: level.now,
                now: level.now,
                stepBefore: level.step
            )
        }
    }
}
