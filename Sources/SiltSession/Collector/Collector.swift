internal import CSiltSystem
internal import Glibc
internal import SiltEvents
internal import SiltGrowth
internal import SiltHeap
internal import SiltSymbols
internal import SiltSystem
internal import SiltText

/// Collects the events of all traced processes into one recording until the trace ends.
///
/// One thread does everything: it waits for news of the images, hellos, ends of processes, signals and the snapshot clock.
package final class Collector {
    let options: TraceOptions
    let rendezvous: Rendezvous
    var poller: Poller
    let news: NewsWaiter
    /// Of signals that are blocked, and of those that cannot be.
    let signals: [Int32]
    let stacks = StackTable()
    let blame: BlameKeys
    let output: RecordingOutput
    let events: EventFile?
    var images: [UInt64: TracedImage] = [:]
    /// In the order in which they were accepted, which is that of the hellos of one process.
    var connections: [Int32] = []
    var outcome = TraceOutcome()
    let startedAt = Clock.monotonicSeconds
    var nextSnapshot: Double
    let scale: SnapshotScale
    /// Seconds.
    let tick: Double
    /// When everything is looked at that belongs to no image, as often as snapshots are taken in the end.
    var nextPeriod: Double
    private(set) var child: pid_t = 0
    /// A command was started, or is about to be: the trace lasts as long as it does.
    private(set) var hasCommand = false
    /// The end of the raw stream was said.
    var hasLostEvents = false
    /// Something failed, nothing is traced any more, and the command is waited for.
    var onlyWaits = false
    var hasToldOfDescriptors = false
    var interrupts = 0
    /// When there was nothing left to trace; nil while there is.
    private var idleSince: Double?
    /// Events of the last process of each program that began and ended during the hunt.
    var usualLives: [String: Int] = [:]
    /// What a write that failed while events were taken in has thrown.
    private var failure: (any Error)?
    /// Rounds of the hunt that have ended; nil: no hunt is on, and the clock takes the snapshots.
    var book: RoundBook?
    /// The connection of the hunt that this listener serves, once it has said something.
    var hunter: Int32?
    /// Who asked for the end, and waits for the recording to be closed.
    var finishAsked: Int32?
    /// Pid 1 of this process's pid namespace, which waits for the recording to be closed.
    private var leaving: TracedImage?

    /// Seconds between the end of the last process and the end of the trace: a program that it has started in the
    /// background needs as long to say hello.
    private static let grace = 2.0
    var finished = false
    /// Hellos and connections that were not taken.
    var refusals = 0
    var programsMet: Set<String> = []
    /// Processes that have had an image, and those whose filter keeps the library from what they start.
    var tracedOnce: Set<pid_t> = []
    var filtered: Set<pid_t> = []
    static let wordedRefusals = 20
    var outside: OutsideLook
    /// The program whose library started this listener.
    let starter: Starter?
    /// A service manager has asked for the end.
    var isAskedToEnd = false

    /// What a token of the poller stands for; the low 32 bits are the descriptor.
    enum Watched: UInt64 {
        case listener
        case signals
        case connection
        case pipe
        case process
    }

    /// Where traced images announce themselves.
    package var socketPath: String { rendezvous.path }

    package init(options: TraceOptions) throws {
        self.options = options
        silt_raise_descriptor_limit()
        var opened: [Int32] = [-1, -1]
        guard silt_signals_open(&opened) == 0 else { throw SessionError.last("signalfd") }
        signals = opened
        poller = try Poller()
        news = try NewsWaiter(poller: poller)
        starter = options.startedByPreload.map { Starter($0.program) }
        starter?.yieldMemory()
        let symbolizer = Symbolizer()
        blame = BlameKeys(stacks: stacks, symbolizer: symbolizer, wrappers: try AllocatorFrames(hide: options.hide))
        output = try RecordingOutput(options: options, stacks: stacks, symbolizer: symbolizer, blame: blame)
        events = try options.events.map { path in try EventFile(path: path) }
        // Last: who finds the socket may rely on being recorded.
        rendezvous = try Rendezvous(path: options.socket, ownsDirectory: options.startedByPreload != nil)
        nextSnapshot = startedAt + options.snapshotEvery
        nextPeriod = nextSnapshot
        scale = options.scale
        tick = options.snapshotEvery / Double(options.scale.maximumStep)
        outside = OutsideLook(at: startedAt)
        // What this silt starts has the library under its own name.
        outside.knowsLibrary = options.socket == nil || options.servesHunt
        try poller.add(rendezvous.listener, token: Collector.token(.listener, rendezvous.listener))
        if rendezvous.listenerByName >= 0 {
            let name = rendezvous.listenerByName
            try poller.add(name, token: Collector.token(.listener, name))
        }
        for opened in signals { try poller.add(opened, token: Collector.token(.signals, opened)) }
    }

    deinit {
        for image in images.values { news.remove(image.shared) }
        for opened in signals { close(opened) }
    }

    /// Starts the command under the preload library and collects until it ends.
    package func trace(command: [String]) throws -> TraceOutcome {
        let inspection = inspectTarget(command: command.first ?? "")
        guard inspection.canBeTraced else { throw SessionError.cannotTrace(inspection) }
        outcome.notes += inspection.notes
        try output.setTarget(command: command)
        hasCommand = true
        child = try launch(command: command, socket: rendezvous.path)
        return try collect()
    }

    /// Collects what connects to the socket until it is interrupted, or with `once` until the last one has ended.
    package func listen() throws -> TraceOutcome {
        if let starter = options.startedByPreload {
            var byte: UInt8 = 1
            _ = write(starter.readyDescriptor, &byte, 1)
            close(starter.readyDescriptor)
        }
        return try collect()
    }

    private func collect() throws -> TraceOutcome {
        do {
            try traceToTheEnd()
            try finish()
        } catch {
            try outlive(error)
        }
        return outcome
    }

    private func traceToTheEnd() throws {
        events?.trace(output.target, maximumStep: output.maximumStep)
        while !finished {
            var wait = min(60, max(0, min(nextSnapshot, outside.nextAt) - Clock.monotonicSeconds))
            if idleSince != nil { wait = min(wait, 0.1) }
            if starter?.isMemoryUsedUp == true { stopForMemory() }
            let unwatched = images.values.contains { $0.isUnwatched }
            let busy = images.values.contains { $0.hasMore }
            let milliseconds = busy ? 0 : Int32((min(wait, unwatched ? 0.01 : wait) * 1000).rounded(.up))
            if news.wait(milliseconds: milliseconds) {
                for token in poller.wait(milliseconds: 0) {
                    guard let kind = Watched(rawValue: token >> 32) else { continue }
                    try handle(kind, Int32(truncatingIfNeeded: token))
                }
            }
            catchUp()
            for image in images.values {
                let isTold = image.shared.takeNews()
                if isTold || image.hasMore { image.drain() }
                if isTold, image.shared.isLeaving { try letLeave(image) }
            }
            if unwatched { try lookAtUnwatchedImages() }
            if let failure { throw failure }
            if Clock.monotonicSeconds >= nextSnapshot {
                if book == nil { try snapshot() } else { try writeOwnSnapshots() }
            }
            if Clock.monotonicSeconds >= outside.nextAt { try lookOutside() }
            if child == 0, options.once || (options.follow && outcome.exit != nil) { try lookForTheEnd() }
            try lookAtEvents()
        }
    }

    /// Ends a trace that goes on until every process has ended: none is known, and none can come any more.
    private func lookForTheEnd() throws {
        // A connection lasts as long as a process that may still use it: fork children say hello late.
        guard images.isEmpty, connections.isEmpty else {
            idleSince = nil
            return
        }
        let now = Clock.monotonicSeconds
        let since = idleSince ?? now
        idleSince = since
        // One that never said hello may still do so while it runs.
        if outcome.traced > 0 || options.follow || starter?.hasEnded == true {
            finished = isAskedToEnd || now - since > Collector.grace
        }
    }

    /// Images of processes whose end no descriptor tells.
    private func lookAtUnwatchedImages() throws {
        for image in images.values where image.isUnwatched && image.hasEnded { try end(image, how: .ended) }
    }

    private func handle(_ kind: Watched, _ descriptor: Int32) throws {
        switch kind {
        case .listener, .connection: try acceptAll(within: Self.maximumAccept)
        case .signals: try readSignals()
        case .pipe:
            guard let image = images.values.first(where: { $0.pipe == descriptor }) else { return }
            if !image.readPipe() {
                // The image is gone, has executed another program, or the program has closed our descriptor.
                poller.remove(descriptor)
            }
            catchUp(image, at: Clock.monotonicSeconds - startedAt)
            image.drain()
            _ = try endIfReplaced(image)
        case .process:
            for image in images.values where image.pidfd == descriptor && image.hasEnded {
                try end(image, how: .ended)
            }
        }
    }

    /// Pid 1 of a pid namespace ends: if that is ours too, the recording must be closed before it does.
    private func letLeave(_ image: TracedImage) throws {
        guard options.startedByPreload != nil, leaving == nil, image.pid == 1 else {
            image.shared.answerLeaving(closed: false)
            return
        }
        leaving = image
        try end(image, how: .ended)
        finished = true
    }

    /// Ends the recording before this process takes more memory than the program can spare.
    private func stopForMemory() {
        let limit = (starter?.memoryLimit ?? 0) >> 20
        output.stop("the recording stops here: the analyzer reached its memory limit of \(limit) MiB")
        finished = true
    }

    func reapChild() throws {
        guard child != 0, let ended = reap(child) else { return }
        let status = ended.status
        outcome.exit = status
        outcome.commandCPUNanoseconds = ended.cpuNanoseconds
        outcome.commandPeakBytes = ended.peakBytes
        if onlyWaits {
            child = 0
            return
        }
        try acceptAll()
        // Its last events are in the memory file: read them before anything else is decided.
        for image in images.values where image.pid == child { try end(image, how: .status(status)) }
        child = 0
        if !options.follow { finished = true }
    }

    func end(_ image: TracedImage, how: ImageEnd) throws {
        catchUp(image, at: Clock.monotonicSeconds - startedAt)
        image.drain(ended: true)
        if let failure { throw failure }
        image.onDecline = nil
        image.closeInterval()
        if let own = image.own { usualLives[image.shared.executable] = own.done }
        if image.pipe >= 0 { poller.remove(image.pipe) }
        if image.pidfd >= 0 { poller.remove(image.pidfd) }
        images[image.id] = nil
        news.remove(image.shared)
        if let damage = image.damage {
            outcome.notes.append("process \(image.pid): the rest of its events could not be read (\(damage))")
        }
        if image.shared.header.starts_filtered != 0 { filtered.insert(image.pid) }
        note(untracedChildrenOf: image)
        if image.shared.header.of_guests > 0 {
            outcome.notes.append(
                "process \(image.pid): \(image.shared.header.of_guests) calls not recorded, in a thread of control that clone(2) gave the thread"
                    + " pointer of another"
            )
        }
        let now = Clock.monotonicSeconds - startedAt
        events?.end(image, how: how, at: now)
        try record { try output.end(image, how: how, at: now) }
    }

    /// What a process holds is written before it gives that back, since it may be on its way out.
    func writeBeforeDecline(_ image: TracedImage) {
        let time = Clock.monotonicSeconds - startedAt
        guard image.own?.isWorthWriting == true, output.isWorthWriting(image, at: time) else { return }
        image.endWritten()
        do { try record { try output.writeBeforeDecline(image, at: time) } } catch { failure = failure ?? error }
    }

    /// Names the fork children that count themselves, since they cannot say anything else.
    private func note(untracedChildrenOf image: TracedImage) {
        let header = image.shared.header
        func note(_ count: UInt64, _ reason: String, inBrief: String) {
            guard count > 0 else { return }
            output.untraced.add(children: count, of: image.shared.executable, reason: .refusal(inBrief))
            let (children, verb) = count == 1 ? ("a fork child", "is") : ("\(count) fork children", "are")
            outcome.notes.append("\(children) of process \(image.pid) \(verb) not traced: \(reason)")
        }
        note(
            UInt64(header.children_filtered),
            "it has put itself under a seccomp filter",
            inBrief: "forked under a seccomp filter"
        )
        note(header.children_missed, "the analyzer could not be reached", inBrief: "forked, the analyzer out of reach")
        note(
            header.children_sharing,
            "made by clone(2) with CLONE_FILES",
            inBrief: "made by clone(2) with CLONE_FILES"
        )
        note(
            UInt64(header.children_threaded),
            "it had threads before its first event",
            inBrief: "forked, with threads before its first event"
        )
    }

    private func finish() throws {
        try acceptAll()
        for image in images.values where image.hasEnded { try end(image, how: .ended) }
        outcome.stillRunning = images.count
        for image in images.values {
            image.stop()
            try end(image, how: .stillRunning)
        }
        if refusals > Collector.wordedRefusals {
            outcome.notes.append("refused \(refusals - Collector.wordedRefusals) more")
        }
        let now = Clock.monotonicSeconds - startedAt
        output.untraced.look(at: now)
        outcome.untraced = output.untraced.recorded.reduce(0) { $0 + Int($1.processes) }
        if let failure = events?.close(outcome, at: now) {
            outcome.notes.append("\(failure): the raw stream ends there")
        }
        if outcome.failure == nil { try output.close(outcome, at: now) } else { output.salvage(outcome, at: now) }
        if let finishAsked { answer(finishAsked, ControlText.encode(status)) }
        for connection in connections { close(connection) }
        leaving?.shared.answerLeaving(closed: true)
    }

    /// Closes the door: nobody who comes later waits for an answer.
    func leaveRendezvous() {
        poller.remove(rendezvous.listener)
        if rendezvous.listenerByName >= 0 { poller.remove(rendezvous.listenerByName) }
        rendezvous.leave()
        for connection in connections {
            poller.remove(connection)
            close(connection)
        }
        connections = []
    }

    static func token(_ kind: Watched, _ descriptor: Int32) -> UInt64 {
        kind.rawValue << 32 | UInt64(UInt32(bitPattern: descriptor))
    }
}
