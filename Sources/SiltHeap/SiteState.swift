internal import CSiltSystem
internal import SiltEvents

/// What `ProcessHeap` keeps of one stack and touches with every event: one cache line.
struct SiteState {
    /// Set while the stack is in the list of those touched in the open interval.
    static let touched: UInt64 = 1
    /// Set while the stack is in the list of those changed since the last drain.
    static let changed: UInt64 = 2
    /// One temporary allocation in `temporaryAndFlags`.
    static let temporary: UInt64 = 1 << 8

    var allocatedBytes: UInt64
    var allocatedCount: UInt64
    var liveBytes: UInt64
    var openBytes: UInt64
    /// Saved before the first change after the peak number `peakEpoch`.
    var peakBytes: UInt64
    var temporaryAndFlags: UInt64
    var liveCount: UInt32
    var openCount: UInt32
    var peakCount: UInt32
    var peakEpoch: UInt32
}

/// The states of all stacks of a process, in pages of 512 neighboring ids that are made when one of them is used: ids
/// belong to the whole session, and a process uses few of them.
struct SitePages: ~Copyable {
    static let pageShift = 9
    static let pageCount = 1 << pageShift
    private static let ageOffset = pageCount * MemoryLayout<SiteState>.stride
    private static let pageBytes = ageOffset + pageCount * MemoryLayout<Aging>.stride

    /// `capacity` entries, all initialized; a page is `pageBytes` of zeroes at first.
    private var pages: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private var capacity: Int
    /// Memory pages are cut out of, a few at first and then many at a time: a fault for each 4 KiB costs more than
    /// their use.
    private var arenas: [(start: UnsafeMutableRawPointer, bytes: Int)] = []
    private var arenaUsed = 0

    init() {
        capacity = 16
        pages = .allocate(capacity: capacity)
        pages.initialize(repeating: nil, count: capacity)
    }

    deinit {
        for arena in arenas { Pages.free(arena.start, bytes: arena.bytes) }
        pages.deallocate()
    }

    /// The state of a stack, made if need be.
    ///
    /// Valid until the table goes away.
    @inline(__always)
    mutating func state(_ stack: UInt32) -> UnsafeMutablePointer<SiteState> {
        let page = self.page(Int(stack) >> Self.pageShift)
        return page.assumingMemoryBound(to: SiteState.self) + Int(stack) & (Self.pageCount - 1)
    }

    @inline(__always)
    mutating func aging(_ stack: UInt32) -> UnsafeMutablePointer<Aging> {
        let page = self.page(Int(stack) >> Self.pageShift)
        return (page + Self.ageOffset).assumingMemoryBound(to: Aging.self) + Int(stack) & (Self.pageCount - 1)
    }

    /// The state of a stack that was used before, else nil.
    func existing(_ stack: UInt32) -> (state: UnsafePointer<SiteState>, aging: UnsafePointer<Aging>)? {
        let index = Int(stack) >> Self.pageShift
        guard index < capacity, let page = pages[index] else { return nil }
        let offset = Int(stack) & (Self.pageCount - 1)
        return (
            UnsafePointer(page.assumingMemoryBound(to: SiteState.self) + offset),
            UnsafePointer((page + Self.ageOffset).assumingMemoryBound(to: Aging.self) + offset)
        )
    }

    /// Asks for the state's cache line some events ahead of its use.
    @inline(__always)
    func prefetch(_ stack: UInt32) {
        let index = Int(stack) >> Self.pageShift
        guard index < capacity, let page = pages[index] else { return }
        silt_prefetch(page + (Int(stack) & (Self.pageCount - 1)) * MemoryLayout<SiteState>.stride)
    }

    @inline(__always)
    func prefetchAging(_ stack: UInt32) {
        let index = Int(stack) >> Self.pageShift
        guard index < capacity, let page = pages[index] else { return }
        silt_prefetch(page + Self.ageOffset + (Int(stack) & (Self.pageCount - 1)) * MemoryLayout<Aging>.stride)
    }

    func visit(_ body: (UnsafeMutablePointer<SiteState>) -> Void) {
        for index in 0..<capacity {
            guard let page = pages[index] else { continue }
            for offset in 0..<Self.pageCount { body(page.assumingMemoryBound(to: SiteState.self) + offset) }
        }
    }

    @inline(__always)
    private mutating func page(_ index: Int) -> UnsafeMutableRawPointer {
        if index < capacity, let page = pages[index] { return page }
        return make(index)
    }

    @inline(never)
    private mutating func make(_ index: Int) -> UnsafeMutableRawPointer {
        if index >= capacity {
            var grown = capacity
            while grown <= index { grown *= 2 }
            let bigger = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: grown)
            bigger.update(from: pages, count: capacity)
            (bigger + capacity).initialize(repeating: nil, count: grown - capacity)
            pages.deallocate()
            pages = bigger
            capacity = grown
        }
        let last = arenas.last
        var page: UnsafeMutableRawPointer
        if let last, arenaUsed + Self.pageBytes <= last.bytes {
            page = last.start + arenaUsed
        } else {
            let bytes = last == nil ? Self.pageBytes : min(4 << 20, (last?.bytes ?? 0) * 2)
            page = Pages.bytes(bytes)
            arenas.append((page, bytes))
            arenaUsed = 0
        }
        arenaUsed += Self.pageBytes
        pages[index] = page
        return page
    }
}
