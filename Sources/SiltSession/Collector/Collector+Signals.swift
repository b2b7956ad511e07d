internal import CSiltSystem
internal import Glibc

/// Signals: those of the command are passed on, so that whoever manages silt manages the command.
///
/// All that can be blocked are, and are read one by one; of the others a handler tells. What a terminal sends reaches the
/// whole process group, the command included; what a process sends was for silt alone, as far as silt can tell, and goes to
/// the command.
extension Collector {
    func readSignals() throws {
        var signal = silt_signal()
        for source in signals {
            while silt_signals_next(source, &signal) != 0 { try take(signal) }
        }
    }

    private func take(_ signal: silt_signal) throws {
        switch signal.number {
        case SIGCHLD:
            try reapChild()
            stopWithCommand()
        // A service manager ends the whole group: the program's last events are still to come.
        case SIGINT where isNeeded, SIGTERM where isNeeded, SIGHUP where isNeeded, SIGQUIT where isNeeded:
            isAskedToEnd = true
        // Of silt's own writing and computing.
        case SIGPIPE where signal.sender == getpid(), SIGXFSZ where signal.sender == getpid(): break
        case SIGXCPU where signal.is_sent == 0: break
        default:
            if child == 0 { obey(signal) } else { pass(signal) }
        }
    }

    /// True for a listener that the preload library started while its program runs.
    ///
    /// One that serves a hunt ends with it: a terminal's Ctrl-C goes to both.
    private var isNeeded: Bool {
        if options.servesHunt { return true }
        guard let starter else { return false }
        return !starter.hasEnded || !images.isEmpty
    }

    /// There is no command, or none any more: the signal means silt.
    private func obey(_ signal: silt_signal) {
        switch signal.number {
        case SIGINT, SIGTERM, SIGHUP, SIGQUIT:
            if silt_signal_is_ignored(signal.number) == 0 { interrupt() }
        case SIGTSTP, SIGTTIN, SIGTTOU:
            // A listener of somebody else's program goes on.
            let isOwn = options.startedByPreload == nil && !options.servesHunt
            if isOwn, silt_signal_is_ignored(signal.number) == 0 { kill(getpid(), SIGSTOP) }
        // One for rotating logs is sent to all processes of a service.
        default: silt_signal_obey(signal.number)
        }
    }

    private func pass(_ signal: silt_signal) {
        // A command that signals its group, or its parent, does not mean itself once more.
        if signal.is_sent != 0, isOfCommand(signal.sender) { return }
        if signal.number == SIGINT {
            interrupts += 1
            if interrupts > 1 { interrupt() }
        }
        switch signal.number {
        case SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH:
            if signal.is_sent == 0 { return }
        default: break
        }
        withUnsafePointer(to: signal) { silt_signal_pass(child, $0) }
    }

    /// Whether the command or what it has started, as far as that can be seen, is that process.
    private func isOfCommand(_ sender: pid_t) -> Bool {
        if images.values.contains(where: { $0.pid == sender }) { return true }
        var process = sender
        for _ in 0..<64 {
            if process == child { return true }
            guard process > 1, let kin = ProcessKin(process) else { return false }
            process = kin.parent
        }
        return false
    }

    func interrupt() {
        outcome.interrupted = true
        finished = true
    }

    /// Job control (Ctrl-Z): the shell waits for silt to stop as the command has.
    ///
    /// SIGCONT ends the stop of both: it goes to their group, and what silt alone gets of it is passed on.
    private func stopWithCommand() {
        guard child != 0 else { return }
        switch silt_stop_signal(child) {
        case SIGTSTP, SIGTTIN, SIGTTOU: kill(getpid(), SIGSTOP)
        default: break
        }
    }
}
