internal import Glibc
internal import SiltSystem
internal import SiltText

extension Collector {
    /// A process becomes, or has started, a program that cannot be followed.
    func note(untraced program: String, _ pid: pid_t, _ reason: UntracedReason) throws {
        // The command itself is told apart: what became what.
        let target = output.commandName(ofPid: pid)
        output.untraced.add(
            pid: pid,
            program: program,
            reason: reason,
            became: target ?? "",
            at: Clock.monotonicSeconds - startedAt
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
            try note(untraced: program, pid, OutsideLook.reason(of: pid))
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
