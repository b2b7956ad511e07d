/// Ids by the hash of what they stand for: open addressing, 0 is free, load at most two thirds.
///
/// A place is 8 bytes, the id and the upper half of the hash: a search compares hashes before it looks at what an id
/// stands for, and growing reads nothing but the index itself.
struct IDIndex: ~Copyable {
    /// `count` entries, all initialized: the hash's upper half, then the id.
    private var entries: UnsafeMutablePointer<UInt64>
    /// A power of two.
    private var count = 2048
    private var used = 0

    init() { entries = Pages.words(count) }

    deinit { Pages.free(entries, count) }

    @inline(__always)
    static func hash(_ one: UInt64, _ other: UInt64) -> UInt64 {
        var hash = one &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
        hash = (hash &+ other) &* 0xBF58_476D_1CE4_E5B9
        return hash ^ hash >> 32
    }

    /// Where the search for a hash begins.
    @inline(__always)
    func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 32) & (count - 1) }

    @inline(__always)
    func next(_ place: Int) -> Int { (place + 1) & (count - 1) }

    /// The id at a place; 0: free, the search ends.
    @inline(__always)
    subscript(place: Int) -> UInt32 { UInt32(truncatingIfNeeded: entries[place]) }

    /// Whether the id at a place may be the one of `hash`.
    @inline(__always)
    func matches(_ place: Int, _ hash: UInt64) -> Bool { (entries[place] ^ hash) >> 32 == 0 }

    /// Fills the free place that a search for `hash` ended at.
    @inline(__always)
    mutating func put(_ id: UInt32, at place: Int, hash: UInt64) {
        entries[place] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(id)
        used += 1
        if used * 3 > count * 2 { grow(to: count * 2) }
    }

    /// Makes room for that many ids in all.
    mutating func reserve(_ ids: Int) {
        var wanted = count
        while ids * 3 > wanted * 2 { wanted *= 2 }
        if wanted > count { grow(to: wanted) }
    }

    @inline(never)
    private mutating func grow(to wanted: Int) {
        let old = entries
        let oldCount = count
        count = wanted
        entries = Pages.words(count)
        for index in 0..<oldCount where old[index] != 0 {
            var place = home(old[index])
            while entries[place] != 0 { place = next(place) }
            entries[place] = old[index]
        }
        Pages.free(old, oldCount)
    }
}
