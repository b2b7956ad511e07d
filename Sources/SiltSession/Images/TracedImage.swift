internal import CSiltSystem
internal import CSiltWire
internal import Glibc
internal import SiltEvents
internal import SiltHeap
internal import SiltRecording
internal import SiltSystem

/// One traced process image: what it shared, how its events are read, and what its heap holds.
final class TracedImage {
    let id: UInt64
    let pid: pid_t
    /// Readable once the process has ended (pidfd_open(2)); -1 when it could not be had.
    let pidfd: Int32
    /// True when the process had ended, and been waited for, before its hello was read.
    private let isGone: Bool
    /// Read end of the image's pipe; -1 once every writer has closed it.
    private(set) var pipe: Int32
    private(set) var shared: SharedImage
    private let stacks: StackTable
    var decoder: ImageDecoder
    var heap: ProcessHeap
    let startedAt: Double
    /// Why the rest of the stream could not be read; nil while all is well.
    private(set) var damage: String?
    /// True when the last `drain` stopped because its time was up.
    private(set) var hasMore = false
    private var batch: HeapEventBatch
    /// Called before much is given back of what a process with intervals of its own holds: it may be on its way out.
    var onDecline: (() -> Void)?
    /// By slot: the thread that was there at the last snapshot, and the one whose name was looked at.
    var (seen, named): ([Int: UInt32], [Int: UInt32]) = ([:], [:])
    /// Seconds one `drain` may take: snapshots, signals and other images are due as well.
    private static let maximumDrain = 0.05
    private var progressAt = Clock.monotonicSeconds
    /// When `drain` last began, by the monotonic clock.
    private(set) var drainedAt = Clock.monotonicSeconds
    /// Resident bytes when they were last read while the process lived; nil: never.
    private var residentBytesSeen: UInt64?
    private var residentSeenAt = 0.0
    /// Where the raw stream is kept besides; nil: nowhere.
    var events: EventFile?
    /// Told of modules before any frame in them is.
    var onModules: (([Module]) -> Void)?
    /// Those of a process that began during a hunt; nil: its intervals are those of the trace.
    private(set) var own: OwnIntervals?
    /// True when the stream comes from a file: the process is not looked at.
    let isReplayed: Bool

    /// `isReplayed`: its records are put into its memory file by this process.
    init(
        hello: Hello,
        isReplayed: Bool = false,
        shared: consuming SharedImage,
        stacks: StackTable,
        groupOf: @escaping (StackID) -> FrameID,
        own: OwnIntervals? = nil,
        scale: SnapshotScale,
        at time: Double
    ) {
        id = hello.image
        pid = hello.pid
        pidfd = isReplayed ? -1 : silt_pidfd(hello.pid)
        isGone = isReplayed || pidfd < 0 && errno == ESRCH
        pipe = hello.pipe
        self.stacks = stacks
        decoder = ImageDecoder(stacks: stacks)
        heap = ProcessHeap(
            inheritsHeap: shared.header.forked != 0,
            groupOf: groupOf,
            interval: own == nil ? 0 : 1,
            huntBaseline: own.map { _ in 0 },
            scale: scale
        )
        self.shared = shared
        startedAt = time
        clockStart = time - Clock.monotonicSeconds
        self.own = own
        batch = HeapEventBatch(capacity: own == nil ? HeapEventBatch.defaultCapacity : OwnIntervals.batch)
        self.isReplayed = isReplayed
        if pipe >= 0 { _ = fcntl(pipe, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        if pidfd >= 0 { close(pidfd) }
        if pipe >= 0 { close(pipe) }
    }

    /// When the process began to be recorded, by CLOCK_REALTIME, in ns.
    var beganUnixNs: Int64 {
        // The header is the program's, which may write anything.
        Int64(clamping: shared.header.start_ns) &+ (Clock.unixNanoseconds - Clock.monotonicNanoseconds)
    }

    /// True once the kernel says so.
    var hasEnded: Bool {
        if isGone { return true }
        if pidfd < 0 { return kill(pid, 0) != 0 && errno == ESRCH }
        var state = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, 0) > 0
    }

    /// Resident bytes now, or, once the process has ended, as they were last seen; nil when they were never seen.
    func sampleResidentBytes() -> UInt64? {
        if isReplayed { return residentBytesSeen }
        // What has ended and was not waited for yet has a statm of zeros.
        if let bytes = residentBytes(pid), bytes > 0 { residentBytesSeen = bytes }
        residentSeenAt = Clock.monotonicSeconds
        return residentBytesSeen
    }

    /// The same from a look that is no older than a second: one costs more than a snapshot of a small heap.
    var recentResidentBytes: UInt64? {
        Clock.monotonicSeconds - residentSeenAt < Self.residentPeriod ? residentBytesSeen : sampleResidentBytes()
    }

    private static let residentPeriod = 1.0

    /// What the recorded trace saw; 0: nothing.
    func setResidentBytes(_ bytes: UInt64) {
        if bytes > 0 { residentBytesSeen = bytes }
    }

    /// Puts records of the recorded stream behind those of a slot and applies them; false when they are not what comes next.
    func replay(_ records: [UInt8], slot: Int, at offset: UInt64) -> Bool {
        guard shared.appendRecords(records, slot: slot, at: offset) else { return false }
        repeat { drain() } while hasMore
        return true
    }

    /// Takes over what the recorded trace's shim said in the end.
    func replaceCounters(_ last: silt_header, sentEvents: UInt64) {
        shared.replaceCounters(last, sentEvents: sentEvents)
    }

    /// Repeats what the recorded trace gave up.
    func replay(_ gap: StampGap) {
        decoder.skip(gap)
        drain()
    }

    /// True when no descriptor will tell that the process has ended.
    var isUnwatched: Bool { pipe < 0 && pidfd < 0 && !isReplayed }

    /// Why the shim stopped recording (`enum silt_off`); 0 while it records.
    var offReason: UInt32 { shared.header.switched_off != 0 ? shared.header.off_reason : 0 }

    /// When it did, in nanoseconds of the trace.
    var stoppedNanoseconds: UInt64 {
        let header = shared.header
        let ran = header.off_ns > header.start_ns ? header.off_ns - header.start_ns : 0
        return UInt64(max(0, startedAt) * 1e9) + min(ran, UInt64.max / 2)
    }

    /// Tells the shim that nobody reads any more.
    func stop() { shared.announceReaderGone() }

    /// Reads away what waits in the pipe, which the shim has not written; false at its end.
    func readPipe() -> Bool {
        guard pipe >= 0 else { return false }
        let room = 16384
        let got = withUnsafeTemporaryAllocation(byteCount: room, alignment: 8) { read(pipe, $0.baseAddress, room) }
        if got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) {
            close(pipe)
            pipe = -1
            return false
        }
        return true
    }

    /// Applies what was ready when its slot was looked at.
    ///
    /// It does not follow a program that goes on writing: a look at a counter that changes all the time costs both sides
    /// more than the events do, and the next news tells when there is enough to read again. With `ended`,
    /// nothing more can come: gaps in the order are skipped and counted.
    func drain(ended: Bool = false) {
        guard damage == nil else { return }
        if !ended, Clock.monotonicSeconds - residentSeenAt > 0.1 { _ = sampleResidentBytes() }
        hasMore = false
        drainedAt = Clock.monotonicSeconds
        let deadline = Clock.monotonicSeconds + TracedImage.maximumDrain
        defer { shared.wakeWaiting() }
        do {
            let slots = shared.mapNewSlots()
            // All that the program has written is there; who shares its memory file may write on forever.
            let goals = ended ? (0..<slots).map { shared.committed(slot: $0) } : nil
            while true {
                var progressed = false
                var left = false
                for slot in 0..<slots {
                    let goal = goals?[slot] ?? shared.committed(slot: slot)
                    while decoder.consumed(slot: slot) < goal {
                        let bytes = try shared.unread(slot: slot)
                        if bytes.isEmpty { break }
                        let used = try decode(slot, bytes)
                        if used > 0 { progressed = true }
                        if batch.isFull {
                            applyBatch()
                        } else if used == 0 {
                            left = true
                            break
                        }
                        if !ended, Clock.monotonicSeconds > deadline {
                            hasMore = true
                            applyBatch()
                            return
                        }
                    }
                }
                if progressed { progressAt = Clock.monotonicSeconds }
                if !left { break }
                if progressed { continue }
                // Stuck: the missing event is still being written, or its thread was ended between stamp and append.
                if ended || Clock.monotonicSeconds - progressAt > 2 {
                    if let gap = decoder.skipGaps() {
                        events?.writer.gap(image: id, gap)
                        continue
                    }
                }
                applyBatch()
                return
            }
        } catch {
            damage = "\(error)"
            shared.announceReaderGone()
        }
        applyBatch()
    }

    /// By slot: how far it was read, and how far it was written.
    var unread: [Range<UInt64>] {
        guard damage == nil else { return [] }
        return (0..<shared.mapNewSlots()).map { slot in
            let read = decoder.consumed(slot: slot)
            return read..<max(read, shared.committed(slot: slot))
        }
    }

    /// Applies what lies before those ends, by slot, as far as it can be read by now.
    func drain(upTo ends: [UInt64]) {
        guard damage == nil else { return }
        defer { shared.wakeWaiting() }
        do {
            for (slot, end) in ends.enumerated() { try drain(slot, upTo: end) }
        } catch {
            damage = "\(error)"
            shared.announceReaderGone()
        }
        applyBatch()
    }

    private func drain(_ slot: Int, upTo end: UInt64) throws {
        while decoder.consumed(slot: slot) < end {
            let bytes = try shared.unread(slot: slot).prefix(Int(end - decoder.consumed(slot: slot)))
            let used = try decode(slot, UnsafeRawBufferPointer(rebasing: bytes))
            if batch.isFull { applyBatch() } else if used == 0 { return }
        }
    }

    /// Decodes into the batch; returns how many of the bytes.
    private func decode(_ slot: Int, _ bytes: UnsafeRawBufferPointer) throws -> Int {
        // After the slot's counter was read: a record may name a module logged just before it.
        let known = decoder.moduleCount
        try decoder.readModules(shared.moduleLog)
        if decoder.moduleCount > known { onModules?(decoder.modules(from: known)) }
        events?.modules(id, log: shared.moduleLog)
        let used = try decoder.decode(slot: slot, bytes, isShared: true, into: &batch)
        if used > 0 {
            events?.writer.records(
                image: id,
                slot: slot,
                offset: decoder.consumed(slot: slot) - UInt64(used),
                UnsafeRawBufferPointer(rebasing: bytes[..<used])
            )
            shared.consume(slot: slot, count: used)
        }
        return used
    }

    private func applyBatch() {
        batch.withUnsafeBufferPointer { events in
            let turn = own == nil ? events.count : OwnIntervals.decline(events, heap.totals.inUseCount)
            var start = 0
            while start < events.count {
                if start == turn { onDecline?() }
                let limit = start < turn ? turn : events.count
                let end = start + min(limit - start, own?.room ?? events.count)
                heap.apply(UnsafeBufferPointer(rebasing: events[start..<end]))
                own?.take(events: end - start)
                if own?.room == 0 { endInterval() }
                start = end
            }
        }
        batch.removeAll()
    }

    /// What looks at the process through proc(5) have found: TracedImage+Looks.swift.
    var looks = ProcessLooks()
    /// Trace seconds of the start of the monotonic clock.
    let clockStart: Double

    /// What was not seen to be taken stands for itself: the program as such has it.
    private(set) lazy var programStack: StackID = {
        let path = shared.executable
        let known = stacks.modules.firstIndex { $0.path == path }
        let module =
            known.map { ModuleID(rawValue: UInt32($0 + 1)) }
            ?? stacks.intern(module: Module(path: path, buildID: []))
        let frame = stacks.intern(frame: Frame(module: module, offset: 0, kind: .exact))
        return stacks.intern(parent: .none, frame: frame)
    }()

    /// When its next snapshot is due, in seconds of the trace, and when its baseline was.
    var nextSnapshot = 0.0
    private var baselineAt = 0.0

    /// Plans the snapshot that ends the open interval, once one was taken at that time; `tick`: seconds of one.
    ///
    /// False when that one should have been taken already: nothing was born in its interval, so that those which follow are
    /// on time again.
    func plan(after time: Double, tick: Double, notBefore earliest: Double) -> Bool {
        if heap.interval == 1 { baselineAt = time }
        let due = baselineAt + Double(heap.scale.tick(of: heap.interval)) * tick
        let longest = Self.maximumDelay * Double(heap.scale.maximumStep) * tick
        if due < time - longest { baselineAt += time - due }
        nextSnapshot = max(due, time, earliest)
        return due > time - tick / 2 || due < time - longest
    }

    /// Snapshots that come later than so many of the longest steps make all that follow late.
    private static let maximumDelay = 2.0

    /// A snapshot: closes the current interval.
    func closeInterval() {
        if !isReplayed { shared.trim() }
        endInterval()
    }

    private func endInterval() {
        heap.closeInterval()
        own?.close(heap, at: Clock.nanoseconds(clockStart + Clock.monotonicSeconds))
    }

    /// Ends the open interval of a process that began during the hunt, since what it holds is written.
    func endWritten() {
        closeInterval()
        own?.wrote()
    }

    /// A round of the hunt begins.
    func beginRound(_ number: Int) { own?.round = number }

    func takeOwnRows() -> [RecordedSnapshot] { own?.takeRows() ?? [] }

    /// A history by the rounds of the hunt; nil of one that does not keep them.
    func series(_ history: SiteHistory, rounds count: Int) -> IntervalSeries? {
        own.map { $0.byRounds(history, count: count) } ?? history.intervals(count)
    }

    /// What it holds is written by the clock, since a process that began during a hunt may end before the round does.
    func planOwnSnapshot(after time: Double, notBefore earliest: Double) {
        let wait = max(Self.shortestWait, (time - startedAt) / Self.partsOfLife)
        nextSnapshot = max(time + wait, earliest)
    }

    /// Seconds, and parts of its life so far.
    static let shortestWait = 0.01
    private static let partsOfLife = 16.0

    /// What the recorded trace saw.
    func endThreads(_ handles: [UInt64]) { heap.endThreads(handles) }

    /// From now on, right after a snapshot, who frees the blocks that are born is counted, where frees carry stacks.
    func startCountingFrees() {
        if shared.header.free_stacks != 0 { heap.startCountingFrees(bornSince: heap.interval) }
    }

    /// Begins a hunt, right after `closeInterval`.
    func beginHunt() {
        heap.beginHunt()
    }

    /// Stacks that changed since the last call.
    func takeChangedStacks(of resource: Resource) -> [StackID] {
        var changed: [StackID] = []
        heap.drainChanged(of: resource) { changed.append($0) }
        return changed
    }

    /// Keys of groups that changed since the last call.
    func takeChangedGroups(of resource: Resource) -> [FrameID] {
        var changed: [FrameID] = []
        heap.drainChangedGroups(of: resource) { changed.append($0) }
        return changed
    }
}
