internal import SiltEvents
internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// Why nothing can be said, in words.
enum ObstacleText {
    static func line(_ obstacle: Obstacle) -> String {
        switch obstacle {
        case .untraceable(let reason): reason
        case .becameUntraced(let program):
            "\(program.became.printable) became \(program.program.printable), "
                + "which was not traced: \(program.reason.printable)" + grown(program)
        case .untraced(let program):
            "\(program.program.printable) was not traced: \(program.reason.printable)" + grown(program)
        case .untracedChild(let program):
            "child \(program.program.printable) was not traced: \(program.reason.printable)" + grown(program)
        case .nothingTraced: "no process was traced: the preload library never reported (silt doctor says why)"
        case .singleProfile: "one profile says what is in use, not what grows"
        case .noAllocation: "no allocation was seen: the target made none through malloc, or has its own allocator"
        case .damagedEventFile: "the event file is cut or damaged: this is what could be read of it"
        case .stopped(let stop): line(stop)
        case .tooFewSnapshots(let count):
            "run too short to judge growth: \(count) of \(SiteOpinion.minimumSnapshots) snapshots "
                + "(run it longer, or with a shorter --snapshot-every)"
        case .tooShort(let seconds):
            "run too short to judge growth: \(Format.duration(seconds)) of "
                + "\(Format.duration(ProcessClock.minimumSeconds)) (run it longer, or with a shorter --snapshot-every)"
        case .stoodStill(let gap, let seconds):
            "no snapshot was taken for \(Format.duration(gap)) of \(Format.duration(seconds)), "
                + "as on a busy machine (run it longer, or where a core is free)"
        case .shortWorkers(let short):
            "\(Format.count(UInt64(short.workers))) workers replaced each other (\(Format.plural(UInt64(short.generations), "generation"))), and "
                + "each lived for \(short.snapshots.map { "\($0) snapshots" } ?? Format.duration(short.seconds)) only: \(short.blame.label) rises as long as they live "
                + "(let workers live longer, or run it with a shorter --snapshot-every)"
        case .loading(let frame, let others, let seconds):
            "still loading? \(frame.label.printable)\(more(others)) rose in the "
                + "\(Format.duration(seconds)) that were seen as what a program loads does (run it longer)"
        case .filling(let frame, let others, let seconds):
            "still filling? \(frame.label.printable)\(more(others)) rose in the "
                + "\(Format.duration(seconds)) that were seen by no more than the interpreter's own caches may hold (run it longer)"
        case .fading(let frame, let others, let seconds):
            "still filling? \(frame.label.printable)\(more(others)) rose by ever less in the "
                + "\(Format.duration(seconds)) that were seen, as a cache does until it is full (run it longer)"
        case .resting(let frame, let others, 0, let seconds):
            "resting? \(frame.label.printable)\(more(others)) rose steadily until the program rested, for "
                + "\(Format.duration(seconds)) (end it earlier, or load it for longer)"
        case .resting(let frame, let others, let bursts, let seconds):
            "resting? \(frame.label.printable)\(more(others)) rose by \(bursts) bursts, none of which was freed, and then not "
                + "for \(Format.duration(seconds)) (run it longer)"
        case .full(let frame, let others, let seconds):
            "full? \(frame.label.printable)\(more(others)) rose evenly, and then not for \(Format.duration(seconds)), as a cache "
                + "does that is full (run it longer)"
        case .usedUp(let frame, let others):
            "used up? \(frame.label.printable)\(more(others)) had descriptors open until no more were to be had "
                + "(run it with a larger limit: ulimit -n)"
        case .unevenLoad(let frame, let others, let ratio):
            ratio > 1
                ? "busier? \(frame.label.printable)\(more(others)) rose with what the program allocates, "
                    + "\(Format.fixed(ratio, 1)) times as much in the newer half (run it under an even load)"
                : "less to do? \(frame.label.printable)\(more(others)) rose by ever less, and the program allocates less besides "
                    + "(run it under an even load)"
        case .phase(let obstacle): line(obstacle)
        case .outsideMalloc(let growth): line(growth)
        case .endedEarly(let failure): line(failure)
        }
    }

    /// As `RSS grew 112 MiB outside malloc (8.61 MiB per second): memory that the program mapped itself`.
    private static func line(_ growth: MemoryGrowth) -> String {
        guard let parts = growth.parts else { return "RSS grew \(Format.bytes(growth.risen))" }
        let workers = "RSS of \(Format.count(UInt64(growth.workers))) workers that replace each other"
        let whose = growth.workers > 1 ? workers : "RSS"
        var line = growth.mayBeFilling ? "still filling? " : ""
        line += "\(whose) grew \(Format.bytes(parts.outsideMalloc)) outside malloc"
        if let phase = growth.phase { line += " in \(phase.printable)" }
        if let rate = growth.rate, growth.risen > 0 {
            line += " (\(rate.unit.sentence(rate.value * parts.outsideMalloc / growth.risen)))"
        }
        return line + ": " + words(parts.foremostOutsideMalloc)
    }

    /// What a use of memory is, and what is known of it.
    static func words(_ use: MemoryUse) -> String {
        switch use {
        case .mapped: "memory that the program mapped itself"
        case .stacks: "stacks of threads"
        case .other: "it came neither through malloc nor through calls of mmap that silt sees: cause unknown"
        case .live, .allocator, .files, .own: MemoryText.name(use)
        }
    }

    private static func grown(_ program: RecordedUntraced) -> String {
        guard program.grownBytes >= UntracedLimits.growthBytes else { return "" }
        return " (its memory grew by \(Format.bytes(program.grownBytes)))"
    }

    static func line(_ stop: Obstacle.Stop) -> String {
        let whose = stop.processes > 1 ? " of \(Format.count(UInt64(stop.processes))) processes" : ""
        return "recording\(whose) stopped at \(Format.fixed(stop.seconds, 1)) s: \(why(stop.reason))"
    }

    static func why(_ reason: TrustCounters.StopReason) -> String {
        switch reason {
        case .analyzerGone: "the analyzer was gone"
        case .noMemory: "no memory for it in the target"
        case .internalError: "an error in the preload library"
        case .analyzerStoodStill: "the analyzer stood still for 5 s"
        case .sandbox: "the program entered a sandbox without futex (seccomp)"
        case .eventFileEnds: "the event file is cut or damaged"
        }
    }

    static func line(_ failure: HuntFailure) -> String {
        let missing = failure.missing.isEmpty ? "" : " (not measured: \(failure.missing.joined(separator: ", ")))"
        return "the hunt ended early" + missing + ": " + failure.reason.firstLine
    }

    static func line(_ obstacle: PhaseObstacle) -> String {
        switch obstacle {
        case .failedRequests(let phase, let share):
            return "\(Format.share(100 * share)) of the requests of \(phase) failed: "
                + "with more than 1 % nothing can be said of the others"
        case .tooFewRounds(let phase, let rounds):
            return
                "\(phase) had \(Format.plural(UInt64(rounds), "round")), and a verdict needs \(HuntPhases.Phase.minimumRounds)"
        case .endedProcesses(let phase, let count, let share):
            let processes = Format.plural(UInt64(count), "process", "processes")
            return "\(processes) with \(Format.share(100 * share)) of the allocations of \(phase) ended "
                + "during the hunt, and what they held went with them"
        case .tooFewSamples(let phase, let samples, let period, let bytes, let requests):
            let count = samples < 1 ? "less than one sample" : Format.plural(UInt64(samples), "sample")
            return "Go's heap is sampled too coarsely: a leak of \(Format.bytes(bytes)) per request would show as "
                + "\(count) of \(Format.bytes(period)) in the \(Format.plural(requests, "request")) of \(phase.printable)"
        case .stillFilling(let phase, let frame, let others, let rounds):
            return "still filling? \(frame.label.printable)\(more(others)) still rose after \(rounds) rounds of "
                + "\(phase.printable), as a cache does until it is full"
        case .outsideMalloc(let growth): return line(growth)
        }
    }

    private static func more(_ others: Int) -> String {
        others > 0 ? " and \(Format.count(UInt64(others))) more" : ""
    }

    /// What to do about it; empty where the line says that, or nothing helps.
    static func advice(_ obstacle: Obstacle) -> String {
        if case .phase(.tooFewSamples) = obstacle {
            return ": load more, or set runtime.MemProfileRate (GODEBUG=memprofilerate=4096)"
        }
        if case .phase(.stillFilling) = obstacle { return ": more rounds tell (--max-rounds)" }
        guard case .phase(.endedProcesses) = obstacle else { return "" }
        return ": let workers live on (gunicorn --max-requests 0, pm.max_requests = 0, MaxConnectionsPerChild 0)"
    }
}
