/// Stacks as they are stored: 512 to a row, as a JSON array of numbers, `steps << 32 | frame` for the stack `first + index`.
///
/// `steps` is how far back in the ids the caller's stack is, 0 for an outermost frame; 0 as a whole is a stack that was
/// never written. A row a stack took ten times the CPU of the rest of writing and reading it: compilers have 700,000
/// of them. As JSON it is still SQL's to read: the view `stacks`.
enum StackChunks {
    static let size = 512

    /// The first stack of the chunk that holds `stack`.
    static func first(_ stack: UInt32) -> UInt32 { (stack - 1) / UInt32(size) * UInt32(size) + 1 }
}

/// The chunk that is being filled.
struct StackChunk {
    private(set) var first: UInt32 = 1
    private var nodes: [UInt64] = []
    private(set) var isWritten = true

    /// Whether a stack lies in it or, where nothing is lost, may begin it anew.
    func holds(_ stack: UInt32) -> Bool { StackChunks.first(stack) == first }

    /// Goes on with the chunk that holds `stack`.
    mutating func begin(_ stack: UInt32) {
        first = StackChunks.first(stack)
        nodes.removeAll(keepingCapacity: true)
        isWritten = true
    }

    mutating func set(_ stack: UInt32, parent: UInt32, frame: UInt32) {
        let index = Int(stack - first)
        while nodes.count <= index { nodes.append(0) }
        nodes[index] = UInt64(parent == 0 ? 0 : stack &- parent) << 32 | UInt64(frame)
        isWritten = false
    }

    /// Its text, to be written now.
    mutating func written() -> [UInt8] {
        isWritten = true
        var text = [UInt8(ascii: "[")]
        text.reserveCapacity(nodes.count * 12)
        for node in nodes {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: String(node).utf8)
        }
        text.append(UInt8(ascii: "]"))
        return text
    }
}

extension RecordingWriter {
    /// Stacks come in the order of their ids, as the session's table gives them.
    package func add(stack id: UInt32, parent: UInt32, frame: UInt32) throws(RecordingError) {
        precondition(id > storedStacks, "stacks are added in the order of their ids")
        if !chunk.holds(id) {
            try writeChunk()
            chunk.begin(id)
        }
        chunk.set(id, parent: parent, frame: frame)
        storedStacks = Int(id)
        if !inTransaction { try writeChunk() }
    }

    /// Writes what was added to the last chunk; before every commit, and before the open transaction is read.
    func writeChunk() throws(RecordingError) {
        guard !chunk.isWritten else { return }
        insertChunk.bind(chunk.first, at: 1)
        insertChunk.bind(text: chunk.written(), at: 2)
        try insertChunk.run()
    }
}

extension Recording {
    mutating func readStackChunks(_ database: Database) throws(RecordingError) {
        // Files of earlier versions have a row a stack.
        let kind = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'stack_chunks'"
        guard try database.integer(kind) > 0 else { return try readStackRows(database) }
        let row = try database.prepare("SELECT first, nodes FROM stack_chunks ORDER BY first")
        while try row.step() {
            let first = row.integer(0)
            guard first > stacks.count, first <= 1 << 28, first < stacks.count + 1 << 24 else {
                throw .damaged(path: database.path, reason: "stack \(first) after \(stacks.count)")
            }
            while stacks.count < first - 1 { stacks.append(RecordedStack()) }
            let isWhole = row.withText(1) { add($0) }
            guard isWhole else { throw .damaged(path: database.path, reason: "stacks from \(first) on") }
        }
    }

    /// False for a text that is no chunk.
    private mutating func add(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count >= 2, text[0] == UInt8(ascii: "["), text[text.count - 1] == UInt8(ascii: "]") else {
            return false
        }
        var number: UInt64 = 0
        var digits = 0
        var count = 0
        for index in 1..<text.count {
            switch text[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard digits < 19 else { return false }
                number = number * 10 + UInt64(text[index] - UInt8(ascii: "0"))
                digits += 1
            case UInt8(ascii: ","), UInt8(ascii: "]"):
                let steps = number >> 32
                guard digits > 0, count < StackChunks.size, steps <= stacks.count else { return false }
                var stack = RecordedStack()
                stack.frame = UInt32(truncatingIfNeeded: number)
                stack.parent = steps == 0 ? 0 : UInt32(stacks.count + 1) - UInt32(steps)
                stacks.append(stack)
                count += 1
                (number, digits) = (0, 0)
            default: return false
            }
        }
        return true
    }
}
