package import SiltEvents

extension RecordingWriter {
    /// Stacks come in the order of their ids, as the session's table gives them.
    package func add(stack id: StackID, parent: StackID, frame: FrameID) throws(RecordingError) {
        precondition(id.rawValue > storedStacks, "stacks are added in the order of their ids")
        if !stackChunk.holds(id) {
            try writeStackChunk()
            stackChunk.begin(id)
        }
        stackChunk.set(id, parent: parent, frame: frame)
        storedStacks = Int(id.rawValue)
        if !inTransaction { try writeStackChunk() }
    }

    func writeStackChunk() throws(RecordingError) {
        guard !stackChunk.isWritten else { return }
        let steps = UTF8Column(utf8: NumberText.array(stackChunk.steps))
        let frames = UTF8Column(utf8: NumberText.array(stackChunk.frames.map(\.rawValue)))
        try insert(into: "call_tree", stackChunk.first, steps, frames)
        stackChunk.isWritten = true
    }
}

extension Recording {
    mutating func readStackChunks(_ database: Database) throws(RecordingError) {
        // Files of earlier versions have one array of numbers, or a row a stack.
        if try hasTable("call_tree", database) {
            // As far as most programs go; a damaged file may name any stack.
            let last = try database.integer("SELECT coalesce(max(first), 0) FROM call_tree")
            stacks.reserveCapacity(max(0, min(last, 1 << 20)) + StackChunk.size)
            try readStacks(database, "SELECT first, steps, frames FROM call_tree ORDER BY first") { row, stacks in
                row.withText(1) { steps in row.withText(2) { Self.add(steps, $0, to: &stacks) } }
            }
        } else if try hasTable("stack_chunks", database) {
            try readStacks(database, "SELECT first, nodes FROM stack_chunks ORDER BY first") { row, stacks in
                row.withText(1) { Self.add(nodes: $0, to: &stacks) }
            }
        } else {
            try readStackRows(database)
        }
    }

    private mutating func readStacks(
        _ database: Database,
        _ query: String,
        _ add: (Statement, inout Table<StackID, RecordedStack>) -> Bool
    ) throws(RecordingError) {
        let row = try database.prepare(query)
        while try row.step() {
            let first = row.integer(0)
            guard first > stacks.count, first <= 1 << 28, first < stacks.count + 1 << 24 else {
                throw .damaged(path: database.path, reason: "stack \(first) after \(stacks.count)")
            }
            while stacks.count < first - 1 { stacks.append(RecordedStack()) }
            guard add(row, &stacks) else {
                throw .damaged(path: database.path, reason: "stacks from \(first) on")
            }
        }
    }

    /// False for texts that are not a chunk of stacks.
    private static func add(
        _ steps: UnsafeBufferPointer<UInt8>,
        _ frames: UnsafeBufferPointer<UInt8>,
        to stacks: inout Table<StackID, RecordedStack>
    ) -> Bool {
        let end = stacks.count + StackChunk.size
        var frames = NumberReader(frames)
        guard frames.take("[") else { return false }
        var steps = NumberReader(steps)
        var isFirst = true
        let isWhole = steps.array { steps in
            guard stacks.count < end, let step = steps.number(), isFirst || frames.take(","),
                let frame = frames.number()
            else { return false }
            isFirst = false
            return add(step, frame, to: &stacks)
        }
        return isWhole && steps.isAtEnd && frames.take("]") && frames.isAtEnd
    }

    /// `steps << 32 | frame` of each stack.
    private static func add(nodes: UnsafeBufferPointer<UInt8>, to stacks: inout Table<StackID, RecordedStack>) -> Bool {
        let end = stacks.count + StackChunk.size
        var reader = NumberReader(nodes)
        let isWhole = reader.array { reader in
            guard stacks.count < end, let node = reader.number() else { return false }
            return add(node >> 32, node & 0xffff_ffff, to: &stacks)
        }
        return isWhole && reader.isAtEnd
    }

    private static func add(_ steps: UInt64, _ frame: UInt64, to stacks: inout Table<StackID, RecordedStack>) -> Bool {
        guard steps <= stacks.count, let frame = UInt32(exactly: frame) else { return false }
        var stack = RecordedStack()
        stack.frame = FrameID(rawValue: frame)
        if steps != 0 { stack.parent = StackID(rawValue: UInt32(stacks.count + 1) - UInt32(steps)) }
        stacks.append(stack)
        return true
    }
}
