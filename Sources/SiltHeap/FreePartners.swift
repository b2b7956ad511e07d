internal import SiltEvents

/// Which stack freed how much of what another one allocated: an open hash table, load at most two thirds.
///
/// An entry is 4 words, so that it lies in one cache line: the pair, blocks, bytes, and one unused. A pair is the
/// allocating stack in the high half and the freeing one in the low half; 0 is a free entry. Pairs are never taken out:
/// one whose frees were all undone stays with zeroes. Takes no memory until it is cleared for the first time.
struct FreePartners: ~Copyable {
    /// `count * 4` words, all initialized.
    private var words: UnsafeMutablePointer<UInt64>
    /// Entries; 0, or a power of two.
    private var count = 0
    private var used = 0

    private static let firstCount = 1024

    init() { words = .allocate(capacity: 0) }

    deinit { release() }

    private func release() {
        if count == 0 { words.deallocate() } else { Pages.free(words, count * 4) }
    }

    /// Forgets all pairs.
    mutating func clear() {
        release()
        count = Self.firstCount
        used = 0
        words = Pages.words(count * 4)
    }

    @inline(__always)
    private static func pair(_ allocation: UInt32, _ free: UInt32) -> UInt64 { UInt64(allocation) << 32 | UInt64(free) }

    @inline(__always)
    private func home(_ pair: UInt64) -> Int {
        var hash = pair &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32
        return Int(truncatingIfNeeded: (hash &* 0xD6E8_FEB8_6659_FD93) >> 32) & (count - 1)
    }

    /// A block of the first stack was freed by the second, or moved by a realloc (none); not before the first `clear`.
    @inline(__always)
    mutating func add(_ allocation: StackID, _ free: StackID, bytes: UInt64) {
        let entry = entry(Self.pair(allocation.rawValue, free.rawValue))
        entry[1] &+= 1
        entry[2] &+= bytes
    }

    /// Takes back what `add` counted.
    mutating func subtract(_ allocation: StackID, _ free: StackID, bytes: UInt64) {
        let entry = entry(Self.pair(allocation.rawValue, free.rawValue))
        entry[1] &-= 1
        entry[2] &-= bytes
    }

    /// The pairs that are not zero, in no order.
    func visit(_ body: (_ allocation: StackID, _ free: StackID, _ blocks: UInt64, _ bytes: UInt64) -> Void) {
        for index in 0..<count where words[index * 4 + 1] != 0 {
            let pair = words[index * 4]
            body(
                StackID(rawValue: UInt32(truncatingIfNeeded: pair >> 32)),
                StackID(rawValue: UInt32(truncatingIfNeeded: pair)),
                words[index * 4 + 1],
                words[index * 4 + 2]
            )
        }
    }

    /// The entry of a pair, made if need be; there is always a free one, so the search ends.
    @inline(__always)
    private mutating func entry(_ pair: UInt64) -> UnsafeMutablePointer<UInt64> {
        var place = home(pair)
        while words[place * 4] != pair {
            if words[place * 4] == 0 { return make(pair, place) }
            place = (place + 1) & (count - 1)
        }
        return words + place * 4
    }

    @inline(never)
    private mutating func make(_ pair: UInt64, _ place: Int) -> UnsafeMutablePointer<UInt64> {
        words[place * 4] = pair
        used += 1
        guard used * 3 > count * 2 else { return words + place * 4 }
        grow()
        return entry(pair)
    }

    private mutating func grow() {
        let old = words
        let oldCount = count
        count *= 2
        words = Pages.words(count * 4)
        for index in 0..<oldCount where old[index * 4] != 0 {
            var place = home(old[index * 4])
            while words[place * 4] != 0 { place = (place + 1) & (count - 1) }
            (words + place * 4).update(from: old + index * 4, count: 4)
        }
        Pages.free(old, oldCount * 4)
    }
}
