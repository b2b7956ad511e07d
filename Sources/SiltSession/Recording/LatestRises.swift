internal import SiltEvents

/// What rose most lately: since a moment between the first and the second quarter of the time that has passed, so that
/// what a program builds at its start is not named for ever.
struct LatestRises {
    struct Key: Hashable {
        var resource: Resource
        var group: StackID
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
    }

    private var levels: [Owner: Levels] = [:]
    private var since = 0.0
    private var middle = 0.0

    /// What a group of an image holds, bytes or a number; `isFirst`: at the image's first snapshot.
    mutating func note(_ bytes: UInt64, _ key: Key, image: UInt64, isFirst: Bool) {
        let start = isFirst ? bytes : 0
        levels[Owner(key: key, image: image), default: Levels(base: start, middle: start, now: 0)].now = bytes
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
        var rises: [Key: Int64] = [:]
        for (owner, level) in levels where isWanted(owner.key.resource) {
            rises[owner.key, default: 0] += Int64(clamping: level.now) - Int64(clamping: level.base)
        }
        return rises.max { ($0.value, $1.key.group.rawValue) < ($1.value, $0.key.group.rawValue) }
            .flatMap { $0.value > 0 ? ($0.key, $0.value) : nil }
    }

    private mutating func advance(to seconds: Double) {
        let isFirst = middle == 0
        if !isFirst { since = middle }
        middle = seconds
        levels = levels.mapValues { level in
            Levels(base: isFirst ? level.base : level.middle, middle: level.now, now: level.now)
        }
    }
}
