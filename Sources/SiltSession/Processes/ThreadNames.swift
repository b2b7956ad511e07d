internal import Glibc
internal import SiltEvents
internal import SiltHeap
internal import SiltRecording

extension TracedImage {
    /// Takes the names that threads have given themselves since they began.
    ///
    /// Each is looked at once, at a snapshot after that of its first event.
    func nameThreads() {
        guard !isReplayed else { return }
        for (slot, thread) in decoder.threads where thread.isRunning && named[slot] != thread.tid {
            // Seen for the first time: it may be about to name itself.
            guard seen.updateValue(thread.tid, forKey: slot) == thread.tid else { continue }
            named[slot] = thread.tid
            if let name = threadName(pid, thread.tid) { decoder.renameThread(ofSlot: slot, name) }
        }
    }

    /// Which threads allocated where, by name.
    func threadRows(process: UInt32) -> [RecordedThreads] {
        let names = decoder.threads.values.reduce(into: Set<String>()) { $0.formUnion($1.names) }
        if names.count == 1, let name = names.first {
            return [RecordedThreads(process: process, name: name, stacks: nil)]
        }
        var stacks: [String: Set<StackID>] = [:]
        for (slot, thread) in decoder.threads {
            let own = decoder.announcedStacks(slot: slot).filter { heap.counters(of: $0, .heap).allocatedCount > 0 }
            for name in thread.names { stacks[name, default: []].formUnion(own) }
        }
        return stacks.keys.sorted().map {
            RecordedThreads(process: process, name: $0, stacks: stacks[$0, default: []].sorted())
        }
    }
}

/// What a running thread is called (proc(5), /proc/PID/task/TID/comm); nil once it has ended.
private func threadName(_ pid: pid_t, _ tid: UInt32) -> String? {
    let descriptor = open("/proc/\(pid)/task/\(tid)/comm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    // At most 15 bytes, and the end of the line.
    var text = [UInt8](repeating: 0, count: 32)
    let count = read(descriptor, &text, text.count)
    guard count > 1 else { return nil }
    return String(decoding: text[..<(count - 1)], as: UTF8.self)
}
