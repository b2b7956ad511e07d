internal import Glibc

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

    /// Sets a flag; false when it was set.
    mutating func set(_ flag: UInt64) -> Bool {
        defer { temporaryAndFlags |= flag }
        return temporaryAndFlags & flag == 0
    }

    var held: Held {
        Held(liveBytes: liveBytes, openBytes: openBytes, liveCount: liveCount, openCount: openCount)
    }
}

/// The states of the stacks that a process has used, in the order of their first use.
///
/// Ids belong to the whole session and most of them are inner frames, which allocate nothing: of the 560,000 stacks of a
/// compiler 90,000 have a state. So ids lead to numbers, and the states, 512 to a page, are dense.
struct SitePages: ~Copyable {
    private static let pageShift = 9
    private static let pageCount = 1 << pageShift
    private static let ageOffset = pageCount * MemoryLayout<SiteState>.stride
    private static let pageBytes = ageOffset + pageCount * MemoryLayout<Aging>.stride

    /// `idCapacity` entries, all initialized: id → number + 1, 0 for an id that was never used; from malloc(3).
    private var numbers: UnsafeMutablePointer<UInt32>
    private var idCapacity: Int
    private var used = 0
    /// `pageCapacity` entries, those of `used` states initialized; a page is `pageBytes` of zeroes at first.
    private var pages: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private var pageCapacity = 16
    private var arena = Arena(biggestChunk: 2 << 20)

    init() {
        idCapacity = 1024
        numbers = Self.resize(nil, from: 0, to: 1024)
        pages = .allocate(capacity: pageCapacity)
    }

    deinit {
        pages.deallocate()
        free(numbers)
    }

    /// The state of a stack, made if need be.
    ///
    /// Valid until the table goes away.
    @inline(__always)
    mutating func state(_ stack: UInt32) -> UnsafeMutablePointer<SiteState> { statePointer(number(of: stack)) }

    @inline(__always)
    mutating func aging(_ stack: UInt32) -> UnsafeMutablePointer<Aging> { agingPointer(number(of: stack)) }

    /// The state of a stack that was used before, else nil.
    func existing(_ stack: UInt32) -> (state: UnsafePointer<SiteState>, aging: UnsafePointer<Aging>)? {
        guard let number = known(stack) else { return nil }
        return (UnsafePointer(statePointer(number)), UnsafePointer(agingPointer(number)))
    }

    func visit(_ body: (UnsafeMutablePointer<SiteState>) -> Void) {
        for number in 0..<used { body(statePointer(number)) }
    }

    /// Every stack that was used, by ascending id.
    func forEachStack(_ body: (UInt32, UnsafeMutablePointer<SiteState>, UnsafeMutablePointer<Aging>) -> Void) {
        for id in 0..<idCapacity where numbers[id] != 0 {
            let number = Int(numbers[id]) - 1
            body(UInt32(id), statePointer(number), agingPointer(number))
        }
    }

    // Numbers are below `used`, so their page is there.

    @inline(__always)
    private func statePointer(_ number: Int) -> UnsafeMutablePointer<SiteState> {
        pages[number >> Self.pageShift].assumingMemoryBound(to: SiteState.self) + number & (Self.pageCount - 1)
    }

    @inline(__always)
    private func agingPointer(_ number: Int) -> UnsafeMutablePointer<Aging> {
        (pages[number >> Self.pageShift] + Self.ageOffset).assumingMemoryBound(to: Aging.self)
            + number & (Self.pageCount - 1)
    }

    @inline(__always)
    private func known(_ stack: UInt32) -> Int? {
        guard Int(stack) < idCapacity else { return nil }
        let number = numbers[Int(stack)]
        return number == 0 ? nil : Int(number) - 1
    }

    @inline(__always)
    private mutating func number(of stack: UInt32) -> Int { known(stack) ?? make(stack) }

    @inline(never)
    private mutating func make(_ stack: UInt32) -> Int {
        if Int(stack) >= idCapacity {
            var grown = idCapacity
            while grown <= Int(stack) { grown *= 2 }
            numbers = Self.resize(numbers, from: idCapacity, to: grown)
            idCapacity = grown
        }
        if used & (Self.pageCount - 1) == 0 { addPage(used >> Self.pageShift) }
        used += 1
        numbers[Int(stack)] = UInt32(used)
        return used - 1
    }

    private mutating func addPage(_ index: Int) {
        if index == pageCapacity {
            let bigger = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: pageCapacity * 2)
            bigger.moveInitialize(from: pages, count: pageCapacity)
            pages.deallocate()
            pages = bigger
            pageCapacity *= 2
        }
        (pages + index).initialize(to: arena.take(Self.pageBytes))
    }

    /// realloc(3) moves the pages of a big table instead of copying them; what is new is zero.
    private static func resize(
        _ numbers: UnsafeMutablePointer<UInt32>?,
        from old: Int,
        to new: Int
    ) -> UnsafeMutablePointer<UInt32> {
        guard let moved = realloc(numbers, new * 4) else {
            preconditionFailure("out of memory: \(new * 4) bytes for the numbers of stacks")
        }
        let result = moved.bindMemory(to: UInt32.self, capacity: new)
        (result + old).initialize(repeating: 0, count: new - old)
        return result
    }
}
