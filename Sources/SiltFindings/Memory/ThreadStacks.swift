internal import SiltEvents
internal import SiltRecording

/// The stacks of threads, which belong to the line that created them.
///
/// The C library maps them itself, but for each thread it also allocates a block, within pthread_create(3): who holds the
/// blocks holds the stacks.
struct ThreadStacks {
    private let recording: Recording
    /// Whether a stack allocates for a new thread.
    private let isCreation: Table<StackID, Bool>
    /// Threads that were created and have not ended, and the resident bytes of their stacks.
    private let threads: UInt64
    private let bytes: UInt64

    private static let creation = "pthread_create"

    init(_ recording: Recording) {
        self.recording = recording
        var names: Set<StringID> = []
        for (index, text) in recording.strings.enumerated() where text.hasPrefix(Self.creation) {
            names.insert(StringID(index: index))
        }
        let isFrame = recording.symbolRanges.map { range in
            range.contains { names.contains(recording.symbols[Int($0)].function) }
        }
        var isCreation = Table<StackID, Bool>(repeating: false, count: recording.stacks.count)
        if !names.isEmpty {
            // A parent's number is smaller.
            for (index, stack) in recording.stacks.enumerated() {
                let isOwn = stack.frame != .none && isFrame[stack.frame.index]
                isCreation[index] = isOwn || stack.parent != .none && isCreation[stack.parent]
            }
        }
        self.isCreation = isCreation
        threads = recording.counters.reduce(0) {
            $1.resource == .heap && $1.stack != .none && isCreation[$1.stack] ? $0 + $1.inUseCount : $0
        }
        bytes = recording.processes.reduce(0) { sum, process in
            sum + (recording.memory.last { $0.process == process.id }?.bytes[.stacks] ?? 0)
        }
    }

    /// Resident bytes of the stacks of the threads whose blocks are among those of the rows of `Recording.counters`: a line
    /// may allocate for a thread itself as well, as that of `std::thread` does.
    func bytes(of rows: [Int]) -> UInt64 {
        guard threads > 0 else { return 0 }
        let count = rows.lazy.map { recording.counters[$0] }.reduce(UInt64(0)) { sum, row in
            let isThread = row.resource == .heap && row.stack != .none && isCreation[row.stack]
            return isThread ? sum + row.inUseCount : sum
        }
        return UInt64(Double(bytes) * Double(count) / Double(threads))
    }
}
