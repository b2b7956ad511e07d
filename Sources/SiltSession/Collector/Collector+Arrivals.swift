internal import CSiltSystem
internal import Glibc
internal import SiltHeap
internal import SiltSystem

/// Connections, what is said over them, and the images that their hellos bring.
extension Collector {
    /// Seconds in one turn: signals, ends and snapshots are due as well.
    static let maximumAccept = 1.0

    /// Takes in every connection and hello that waits: a short process may have ended before its hello was read.
    ///
    /// However many there are, for so many seconds: one that has to wait may find the socket full, and is not traced then.
    func acceptAll(within seconds: Double = .infinity) throws {
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
}
