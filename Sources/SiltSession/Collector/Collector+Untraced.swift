internal import CSiltWire
internal import Glibc
internal import SiltSystem
internal import SiltText

extension Collector {
    /// A process becomes, or has started, a program that cannot be followed.
    ///
    /// `since`: in seconds of the trace; nil: now.
    func note(untraced program: String, _ pid: pid_t, _ reason: UntracedReason, since: Double? = nil) throws {
        // The command itself is told apart: what became what.
        let target = output.commandName(ofPid: pid)
        output.untraced.add(
            pid: pid,
            program: program,
            reason: reason,
            became: target ?? "",
            at: since ?? Clock.monotonicSeconds - startedAt
        )
        for image in images.values where image.pid == pid && image.pipe < 0 { _ = try endIfReplaced(image) }
    }

    /// Ends an image whose process has become a program that is not followed.
    func endIfReplaced(_ image: TracedImage) throws -> Bool {
        guard image.pipe < 0, output.untraced.program(of: image.pid) != nil else { return false }
        try end(image, how: .executed)
        return true
    }
}

extension Collector {
    /// When a process that was found to run untraced began; one that was traced first, when that was over.
    private func since(of pid: pid_t) -> Double? {
        guard !tracedOnce.contains(pid), let age = processAge(pid) else { return nil }
        return max(0, Clock.monotonicSeconds - startedAt - age)
    }

    /// Why it is not followed; what a program starts under a filter of its own has lost the library by silt's hand.
    private func reason(of pid: pid_t) -> UntracedReason {
        let reason = OutsideLook.reason(of: pid)
        guard reason == .program(SILT_UNTRACED_ENVIRONMENT.rawValue) else { return reason }
        filtered.formUnion(images.values.filter { $0.shared.header.starts_filtered != 0 }.map(\.pid))
        var above = pid
        for _ in 0..<Self.maximumAncestors where above > 1 {
            if filtered.contains(above) { return .refusal("started under a seccomp filter") }
            above = ProcessKin(above)?.parent ?? 0
        }
        return reason
    }

    private static let maximumAncestors = 64

    /// Names what runs below the traced processes and never said hello.
    func lookOutside() throws {
        var roots = Set(images.values.map(\.pid))
        if child > 0 { roots.insert(child) }
        roots.formUnion(output.untraced.running)
        // A library that was given another name is not told from others in a process's maps.
        if !outside.knowsLibrary { roots = [] }
        // An image that still has its pipe is what it was when it said hello.
        let traced = Set(images.values.filter { $0.pipe >= 0 }.map(\.pid))
        for (pid, program) in outside.find(
            roots: roots,
            except: { traced.contains($0) || output.untraced.program(of: $0) != nil }
        ) {
            try note(untraced: program, pid, reason(of: pid), since: since(of: pid))
        }
        let known = Set(images.values.map(\.pid))
        for (pid, program) in outside.silent where !known.contains(pid) {
            output.untraced.watch(silent: pid, program: program, at: Clock.monotonicSeconds - startedAt)
        }
    }
}

/// True when two paths end in the same file name.
func sharesName(_ one: String, _ other: String) -> Bool {
    one.lastPathComponent == other.lastPathComponent
}
