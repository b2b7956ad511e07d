internal import Glibc
internal import SiltEvents
internal import SiltHeap
internal import SiltRecording
internal import SiltSystem

/// What looks at a process through proc(5) have found, and when they are due.
struct ProcessLooks {
    fileprivate var descriptors = OpenDescriptors()
    /// Descriptors that were open at the last look, and that nobody was seen to open: the program as such has them.
    fileprivate(set) var unseenDescriptors: UInt64 = 0
    fileprivate var threadClock = LookClock(share: 50)
    fileprivate var children = UnwaitedChildren()
    fileprivate var modules = LaterModules()
    /// What one thing of a stack is, as last seen.
    fileprivate(set) var examples: [HeldStack: HeldExample] = [:]
    /// Whether there are others since this was last set.
    var hasNewExamples = false
    /// What it runs; nil where that cannot be seen.
    fileprivate var program: ProgramFile?
    /// The process was another program already when its hello was read.
    fileprivate var wasReplaced = false

    /// Behind the path of a file that is gone (proc_pid_exe(5)).
    fileprivate static let deleted = " (deleted)"

    struct HeldStack: Hashable {
        var resource: Resource
        var stack: StackID
    }

    /// errno of the attempt to see what is open.
    var descriptorFailure: Int32? { descriptors.failure }
}

extension TracedImage {
    /// Remembers what the process was born with, before anything is known of it.
    func beginLooks() {
        looks.program = ProgramFile(of: pid)
        // Its hello was read late. A program that may have few descriptors has no pipe from the start, and is the same.
        let names = [shared.executable, shared.executable + ProcessLooks.deleted]
        looks.wasReplaced = hasHungUp && processExecutable(pid).map { !names.contains($0) } ?? false
        looks.descriptors.begin(pid)
    }

    /// True when nobody has the pipe any more.
    private var hasHungUp: Bool {
        guard pipe >= 0 else { return false }
        var state = pollfd(fd: pipe, events: 0, revents: 0)
        return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLHUP) != 0
    }

    /// True once the process has become another program, whose hello was not read yet: what it has is not this image's.
    private var isReplaced: Bool {
        if looks.wasReplaced || hasHungUp { return true }
        guard let program = looks.program, let now = ProgramFile(of: pid) else { return false }
        return now != program
    }

    /// Compares what was seen of descriptors and threads with what the kernel has, right after `drain`, and tells the event
    /// file; `anyway`: also where that has cost much of late.
    func look(anyway: Bool) {
        guard !isReplayed, damage == nil, offReason == 0, !hasEnded, !isReplaced else { return }
        lookAtDescriptors(anyway)
        lookForThreads(anyway)
        lookAtChildren(anyway)
        lookAtModules(anyway)
    }

    private func lookAtChildren(_ anyway: Bool) {
        guard let found = looks.children.look(pid, anyway: anyway), !isReplaced else { return }
        take(found, of: .zombie)
        guard let oldest = looks.children.oldest else { return }
        let before = looks.examples[ProcessLooks.HeldStack(resource: .zombie, stack: programStack)]
        guard before?.handle != UInt64(oldest.pid) else { return }
        let name = ProcessKin.name(oldest.pid) ?? ""
        note(HeldExample(handle: UInt64(oldest.pid), kind: "process", text: name, since: oldest.since), of: .zombie)
    }

    private func lookAtModules(_ anyway: Bool) {
        guard let found = looks.modules.look(pid, anyway: anyway), !found.isEmpty, !isReplaced else { return }
        take(found, of: .module)
        guard let pattern = looks.modules.pattern else { return }
        let before = looks.examples[ProcessLooks.HeldStack(resource: .module, stack: programStack)]
        let seconds = before.map { $0.since - clockStart } ?? Clock.monotonicSeconds
        note(HeldExample(handle: pattern.number, kind: "file", text: pattern.text, since: seconds), of: .module)
    }

    private func take(_ found: FoundThings, of resource: Resource) {
        guard !found.isEmpty else { return }
        apply(found, of: resource)
        events?.found(self, resource, found)
    }

    /// Takes an example in whose time is by the monotonic clock.
    private func note(_ example: HeldExample, of resource: Resource) {
        var example = example
        example.since = max(0, example.since + clockStart)
        apply(example, of: resource)
        events?.example(self, resource, example)
    }

    func apply(_ found: FoundThings, of resource: Resource) {
        for thing in found.gone { heap.lose(thing, of: resource) }
        for thing in found.came { heap.find(thing, of: resource, stack: programStack) }
    }

    func apply(_ example: HeldExample, of resource: Resource) {
        guard let stack = heap.stack(ofHandle: example.handle, of: resource) else { return }
        let key = ProcessLooks.HeldStack(resource: resource, stack: stack)
        // What could be said of one that is still there can be said still: a table of the kernel's that changes while it is
        // read may pass over another.
        if example.text.isEmpty, let before = looks.examples[key], before.kind == example.kind, !before.text.isEmpty,
            before.handle == example.handle && before.since == example.since
                || before.handle != example.handle && heap.stack(ofHandle: before.handle, of: resource) == stack
        {
            return
        }
        if looks.examples.updateValue(example, forKey: key) != example { looks.hasNewExamples = true }
    }

    var descriptorLimit: DescriptorLimit? { looks.descriptors.limit }

    private var liveDescriptors: [UInt64: HeldHandle] {
        var live: [UInt64: HeldHandle] = [:]
        heap.forEachHandle(of: .descriptor) { live[$0] = $1 }
        return live
    }

    private func lookAtDescriptors(_ anyway: Bool) {
        guard anyway || looks.descriptors.isDue else { return }
        let found = looks.descriptors.look(pid, live: liveDescriptors, isMark: anyway) {
            drain()
            return hasMore ? nil : liveDescriptors
        }
        guard let found, !isReplaced else { return }
        let isNews = !found.gone.isEmpty || found.unseen != looks.unseenDescriptors
        apply(found)
        if isNews { events?.descriptors(self, found) }
        take(FoundThings(came: found.came), of: .descriptor)
        for example in found.examples { note(example, of: .descriptor) }
    }

    /// Finds threads that ended and did not say so: those that never allocated.
    private func lookForThreads(_ anyway: Bool) {
        guard anyway || looks.threadClock.isDue, heap.hasThreadsToLookFor, !hasMore else { return }
        looks.threadClock.begin()
        defer { looks.threadClock.end() }
        guard let running = runningThreads(of: pid, as: shared.header.pid) else { return }
        let over = heap.endThreads(besides: running)
        if !over.isEmpty { events?.writer.threads(image: id, over: over) }
    }

    func apply(_ found: OpenDescriptors.Found) {
        for number in found.gone { heap.lose(number, of: .descriptor) }
        looks.unseenDescriptors = found.unseen
    }
}
