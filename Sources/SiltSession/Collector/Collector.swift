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
    private let rendezvous: Rendezvous
    private var poller: Poller
    private let news: NewsWaiter
    /// Of signals that are blocked, and of those that cannot be.
    let signals: [Int32]
    private let stacks = StackTable()
    private let blame: BlameKeys
    let output: RecordingOutput
    let events: EventFile?
    private(set) var images: [UInt64: TracedImage] = [:]
    /// In the order in which they were accepted, which is that of the hellos of one process.
    private(set) var connections: [Int32] = []
    var outcome = TraceOutcome()
    let startedAt = Clock.monotonicSeconds
    var nextSnapshot: Double
    let scale: SnapshotScale
    /// Seconds.
    let tick: Double
    /// When everything is looked at that belongs to no image, as often as snapshots are taken in the end.
    private var nextPeriod: Double
    private(set) var child: pid_t = 0
    /// A command was started, or is about to be: the trace lasts as long as it does.
    private(set) var hasCommand = false
    /// The end of the raw stream was said.
    var hasLostEvents = false
    /// Something failed, nothing is traced any more, and the command is waited for.
    var onlyWaits = false
    private var hasToldOfDescriptors = false
    var interrupts = 0
    /// When there was nothing left to trace; nil while there is.
    private var idleSince: Double?
    /// Events of the last process of each program that began and ended during the hunt.
    private var usualLives: [String: Int] = [:]
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
    private var refusals = 0
    private var programsMet: Set<String> = []
    /// Processes that have had an image, and those whose filter keeps the library from what they start.
    private(set) var tracedOnce: Set<pid_t> = []
    var filtered: Set<pid_t> = []
    private static let wordedRefusals = 20
    var outside: OutsideLook
    /// The program whose library started this listener.
    let starter: Starter?
    /// A service manager has asked for the end.
    var isAskedToEnd = false

    /// What a token of the poller stands for; the low 32 bits are the descriptor.
    private enum Watched: UInt64 {
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
        events?.trace(output.origin)
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

    /// Seconds in one turn: signals, ends and snapshots are due as well.
    private static let maximumAccept = 1.0

    /// Takes in every connection and hello that waits: a short process may have ended before its hello was read.
    ///
    /// However many there are, for so many seconds: one that has to wait may find the socket full, and is not traced then.
    private func acceptAll(within seconds: Double = .infinity) throws {
        let end = Clock.monotonicSeconds + seconds
        accept(from: rendezvous.listener)
        if rendezvous.listenerByName >= 0 { accept(from: rendezvous.listenerByName) }
        // A service that answers already has said hello before its hunt asks for anything.
        var requests: [(text: String, connection: Int32)] = []
        for connection in connections { try readHellos(connection, until: end, &requests) }
        for request in requests { try control(request.text, from: request.connection) }
    }

    private func accept(from listener: Int32) {
        while true {
            let connection = silt_accept(listener)
            guard connection >= 0 else { return }
            // Any user may connect where no file guards the socket.
            if listener == rendezvous.listenerByName, silt_is_trusted_peer(connection) == 0 {
                close(connection)
                continue
            }
            do {
                try poller.add(connection, token: Collector.token(.connection, connection))
                connections.append(connection)
            } catch {
                close(connection)
                refuse("a connection: \(error)")
            }
        }
    }

    private func readHellos(
        _ connection: Int32,
        until end: Double,
        _ requests: inout [(text: String, connection: Int32)]
    ) throws {
        while connections.contains(connection), Clock.monotonicSeconds < end {
            switch Rendezvous.read(connection: connection) {
            case .nothing: return
            case .closed:
                // Not before what it asked for is done.
                if requests.contains(where: { $0.connection == connection }) { return }
                poller.remove(connection)
                close(connection)
                connections.removeAll { $0 == connection }
                if connection == hunter { interrupt() }
            case .control(let text): requests.append((text, connection))
            case .refused(let reason): refuse(reason)
            case .hello(let hello): try welcome(hello)
            case .untraceable(let pid, let reason):
                outcome.notes.append("process \(pid) is not traced: \(reason)")
                let program = processExecutable(pid) ?? starter?.executable(of: pid) ?? "process \(pid)"
                try note(untraced: program, pid, .refusal(reason))
            case .noRoom(let pid):
                let program = processExecutable(pid) ?? "process \(pid)"
                try note(untraced: program, pid, .refusal("silt has no descriptors left for it (ulimit -n)"))
            case .untraced(let pid, let program, let reason): try note(untraced: program, pid, reason)
            case .untracedNot(let pid): output.untraced.takeBack(pid: pid)
            }
        }
    }

    private func welcome(_ received: Hello) throws {
        var hello = received
        if let problem = hello.takeDescriptors() {
            hello.closeDescriptors()
            return refuse("process \(hello.pid): \(problem)")
        }
        let executable = hello.takeExecutable()
        var isHandedOver = false
        defer { if executable >= 0, !isHandedOver { close(executable) } }
        let shared: SharedImage
        do {
            shared = try SharedImage(file: hello.memory)
        } catch {
            close(hello.pipe)
            return refuse("process \(hello.pid): its memory file cannot be read (\(error))")
        }
        // Random ids: two that are alike are one process's mistake, or a lie.
        guard shared.header.image == hello.image, images[hello.image].map({ $0.pid == hello.pid }) != false else {
            close(hello.pipe)
            return refuse("process \(hello.pid): its hello and its memory file are not of one image")
        }
        guard watch(hello.pipe, .pipe, of: hello) else { return }
        // The same process with a new image: it has executed another program, though it may have ended since. Unless it is a
        // fork child that was given the id of one that has ended.
        for earlier in images.values where earlier.pid == hello.pid {
            try end(earlier, how: shared.header.forked != 0 && earlier.hasEnded ? .ended : .executed)
        }
        // What was said of it was wrong if this is it: a mount that ignores setuid bits, for one.
        if let program = output.untraced.program(of: hello.pid), sharesName(program, shared.executable) {
            output.untraced.takeBack(pid: hello.pid)
        }
        output.untraced.isTraced(pid: hello.pid, parent: pid_t(bitPattern: shared.header.ppid))
        let usualLife = usualLives[shared.executable] ?? 0
        let own = book.map { OwnIntervals(round: $0.rounds.count + 1, usualLife: usualLife) }
        let image = TracedImage(
            hello: hello,
            shared: shared,
            stacks: stacks,
            groupOf: blame.key,
            own: own,
            scale: book == nil ? scale : .even,
            at: Clock.monotonicSeconds - startedAt
        )
        if scale != .even || book != nil {
            image.nextSnapshot = image.startedAt + (book == nil ? tick : TracedImage.shortestWait)
            nextSnapshot = min(nextSnapshot, startedAt + image.nextSnapshot)
        }
        try news.add(image.shared)
        images[hello.image] = image
        image.beginLooks()
        isHandedOver = true
        output.meet(image, executable: executable)
        image.shared.tellFileTaken()
        outside.knowsLibrary = outside.knowsLibrary || isPreloaded(hello.pid) == true
        if book != nil { image.onDecline = { [weak self, unowned image] in self?.writeBeforeDecline(image) } }
        image.events = events
        events?.image(image, at: image.startedAt)
        outcome.traced += 1
        tracedOnce.insert(image.pid)
        if let met = options.met, programsMet.insert(image.shared.executable).inserted {
            met(image.pid, image.shared.executable)
        }
        // Without it the end of the pipe tells.
        if image.pidfd >= 0 { _ = watch(image.pidfd, .process, of: hello, closes: false) }
        try record { try output.begin(image) }
        image.drain()
    }

    /// Waits for a descriptor of a process as well; false, with a note, when that cannot be.
    private func watch(_ descriptor: Int32, _ kind: Watched, of hello: Hello, closes: Bool = true) -> Bool {
        do {
            try poller.add(descriptor, token: Collector.token(kind, descriptor))
            return true
        } catch {
            if closes { close(descriptor) }
            refuse("process \(hello.pid): \(error)")
            return false
        }
    }

    /// Notes what was not taken from a client, and goes on; the first ones in words, the others by their number.
    private func refuse(_ reason: String) {
        refusals += 1
        if refusals <= Collector.wordedRefusals { outcome.notes.append("refused \(reason)") }
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
    private func writeBeforeDecline(_ image: TracedImage) {
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

    private func snapshot() throws {
        let now = Clock.monotonicSeconds
        let time = now - startedAt
        let isPeriod = now >= nextPeriod
        if isPeriod { output.untraced.look(at: time) }
        // Those that are due within half a tick need no look of their own.
        let due = scale == .even ? Array(images.values) : images.values.filter { $0.nextSnapshot <= time + tick / 2 }
        let earliest = closeIntervals(of: due, at: time)
        for image in due where scale != .even {
            while !image.plan(after: time, tick: tick, notBefore: earliest) {
                image.closeInterval()
                events?.snapshot([image], at: time)
            }
        }
        if try record({ try output.snapshot(due, at: time) }) != nil, isPeriod, let report = options.progress {
            report(output.progress(of: Array(images.values), at: time))
        }
        // One that would not be written would be missing when the process ends before the next.
        for image in due where scale != .even {
            image.nextSnapshot = max(image.nextSnapshot, output.writesFrom + tick / 2)
        }
        let finished = Clock.monotonicSeconds
        if isPeriod { nextPeriod = max(nextPeriod + options.snapshotEvery, finished) }
        nextSnapshot = nextPeriod
        guard scale != .even else { return }
        for image in images.values { nextSnapshot = min(nextSnapshot, startedAt + image.nextSnapshot) }
        nextSnapshot = max(nextSnapshot, finished)
    }

    /// Ends the open intervals of processes at a snapshot; returns before when there should be no other.
    private func closeIntervals(of due: [TracedImage], at time: Double) -> Double {
        // What was sent has to be taken in at any rate, looks have bounds of their own, and other threads read symbols
        // meanwhile: none of that is the closing's.
        for image in due {
            image.drain()
            look(image)
        }
        let began = Clock.threadCPUNanoseconds
        for image in due { image.closeInterval() }
        let cost = Double(Clock.threadCPUNanoseconds - began) / 1e9
        events?.snapshot(due, at: time)
        return time + SnapshotScale.rest(after: cost, share: Self.closingShare, at: time)
    }

    /// Snapshots of processes that began during the hunt.
    private func writeOwnSnapshots() throws {
        let time = Clock.monotonicSeconds - startedAt
        let due = images.values.filter { $0.own != nil && $0.nextSnapshot <= time + TracedImage.shortestWait / 2 }
        let earliest = closeIntervals(of: due, at: time)
        for image in due { image.planOwnSnapshot(after: time, notBefore: earliest) }
        try record { try output.snapshot(due, at: time) }
        let next = images.values.lazy.filter { $0.own != nil }.map(\.nextSnapshot).min()
        nextSnapshot = next.map { startedAt + max($0, output.writesFrom) } ?? .infinity
    }

    /// What ended or was closed unseen is not there at the snapshot that follows.
    func look(_ image: TracedImage, anyway: Bool = false) {
        image.look(anyway: anyway)
        if let failure = image.descriptorFailure, !hasToldOfDescriptors {
            hasToldOfDescriptors = true
            outcome.notes.append(
                "what is open in process \(image.pid) cannot be seen (/proc/\(image.pid)/fd: "
                    + "\(errorText(failure))): what it opens and closes past the C library is not known"
            )
        }
    }

    /// Closing the intervals of a large heap may take a fiftieth of a CPU.
    static let closingShare = 50.0

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

    private static func token(_ kind: Watched, _ descriptor: Int32) -> UInt64 {
        kind.rawValue << 32 | UInt64(UInt32(bitPattern: descriptor))
    }
}
