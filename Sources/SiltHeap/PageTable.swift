/// A word for each page of 4 KiB of the address space that has held a block, found by address.
///
/// Regions of 2 MiB, by an open hash table so sparse that the first entry looked at is mostly the right one (512 KiB for
/// a heap of 8 GiB), and for each the words of its pages side by side: 8 bytes for each 4 KiB. Words stay where they
/// are, so that a place can be looked up well before it is used.
struct PageTable: ~Copyable {
    /// Where a page's word is.
    typealias Place = UnsafeMutablePointer<UInt64>

    private struct Region {
        /// `address >> regionShift`.
        var number: UInt64
        /// `pagesPerRegion` of them; nil: a free entry.
        var words: UnsafeMutablePointer<UInt64>?
    }

    static let pageShift: UInt64 = 12
    private static let regionShift: UInt64 = 21
    private static let pagesPerRegion = 1 << 9
    /// Regions that may have words whatever little is in them: those of a heap of 8 GiB; more only while each adds 512
    /// blocks, else a heap of few big blocks would pay for its pages, and a hostile trace for its inventions.
    private static let freeRegions = 1 << 12

    /// `1 << capacityShift` entries, all initialized, at most an eighth of them taken.
    private var regions: UnsafeMutablePointer<Region>
    private var capacityShift: UInt64 = 4
    private var regionCount = 0
    /// Some page has been refused a word, and no region will get any from then on.
    private(set) var isFull = false

    init() { regions = Self.entries(1 << 4) }

    deinit { regions.deallocate() }

    /// Bytes of memory it takes besides what came from an arena.
    var bytes: Int { MemoryLayout<Region>.stride << Int(capacityShift) }

    private static func entries(_ count: Int) -> UnsafeMutablePointer<Region> {
        let entries = UnsafeMutablePointer<Region>.allocate(capacity: count)
        entries.initialize(repeating: Region(number: 0, words: nil), count: count)
        return entries
    }

    /// The place of an address's page; nil if its region has none.
    @inline(__always)
    func place(of address: UInt64) -> Place? {
        let number = address >> Self.regionShift
        var index = home(number)
        while let words = regions[index].words {
            if regions[index].number == number { return words + page(address) }
            index = next(index)
        }
        return nil
    }

    /// The place of an address's page, made if need be with a word that is 0, when there are that many blocks; nil if the
    /// table is full.
    mutating func makePlace(of address: UInt64, blocks: Int, from arena: inout Arena) -> Place? {
        if let place = place(of: address) { return place }
        if regionCount >= Self.freeRegions + blocks / Self.pagesPerRegion { isFull = true }
        guard !isFull else { return nil }
        if (regionCount + 1) * 8 > 1 << Int(capacityShift) { grow() }
        let bytes = Self.pagesPerRegion * MemoryLayout<UInt64>.stride
        let words = arena.take(bytes).bindMemory(to: UInt64.self, capacity: Self.pagesPerRegion)
        insert(Region(number: address >> Self.regionShift, words: words))
        regionCount += 1
        return words + page(address)
    }

    /// Whether a block has ever begun in one of the regions that a range lies in, of which the first ones are looked at.
    func hasHeldBlock(near range: Range<UInt64>) -> Bool {
        guard !range.isEmpty else { return false }
        let (first, last) = (range.lowerBound >> Self.regionShift, (range.upperBound - 1) >> Self.regionShift)
        let numbers = first...min(last, first + UInt64(Self.freeRegions) - 1)
        return numbers.contains { place(of: $0 << Self.regionShift) != nil }
    }

    /// Every word that is not 0, with the address of its page.
    func visit(_ body: (_ page: UInt64, _ word: UInt64) -> Void) {
        for index in 0..<1 << Int(capacityShift) {
            guard let words = regions[index].words else { continue }
            for page in 0..<Self.pagesPerRegion where words[page] != 0 {
                body(regions[index].number << Self.regionShift | UInt64(page) << Self.pageShift, words[page])
            }
        }
    }

    @inline(__always)
    private func home(_ number: UInt64) -> Int {
        Int(truncatingIfNeeded: (number &* 0x9E37_79B9_7F4A_7C15) &>> (64 &- capacityShift))
    }

    @inline(__always)
    private func next(_ index: Int) -> Int { (index &+ 1) & (1 &<< Int(capacityShift) &- 1) }

    @inline(__always)
    private func page(_ address: UInt64) -> Int {
        Int(truncatingIfNeeded: address >> Self.pageShift) & (Self.pagesPerRegion - 1)
    }

    private mutating func insert(_ region: Region) {
        var index = home(region.number)
        while regions[index].words != nil { index = next(index) }
        regions[index] = region
    }

    @inline(never)
    private mutating func grow() {
        let old = regions
        let oldCount = 1 << Int(capacityShift)
        capacityShift += 1
        regions = Self.entries(oldCount * 2)
        for index in 0..<oldCount where old[index].words != nil { insert(old[index]) }
        old.deallocate()
    }
}
