internal import SiltPprof
internal import SiltRecording

/// Writes the stacks of profiles as a recording has them, each module, frame and node once, with ids that are free there.
struct ProfileStacks {
    private let writer: RecordingWriter
    private var modules: [String: UInt32] = [:]
    private var frames: [PprofSymbol: UInt32] = [:]
    private var nodes: [Node: UInt32] = [:]

    private struct Node: Hashable {
        var parent: UInt32
        var frame: UInt32
    }

    init(_ writer: RecordingWriter) { self.writer = writer }

    /// The innermost node of a stack; nodes are made from the outermost frame inward, so that parents come first.
    mutating func node(_ stack: [UInt32], _ symbols: [PprofSymbol]) throws -> UInt32 {
        var parent: UInt32 = 0
        for position in stack.reversed() {
            let key = Node(parent: parent, frame: try frame(symbols[Int(position)]))
            if let known = nodes[key] {
                parent = known
                continue
            }
            let id = UInt32(writer.storedStacks + 1)
            nodes[key] = id
            try writer.add(stack: id, parent: parent, frame: key.frame)
            parent = id
        }
        return parent
    }

    private mutating func frame(_ symbol: PprofSymbol) throws -> UInt32 {
        if let known = frames[symbol] { return known }
        let module = try module(symbol.module)
        let id = UInt32(writer.storedFrames + 1)
        frames[symbol] = id
        try writer.add(frame: id, module: module, offset: symbol.offset, kind: 0)
        if !symbol.function.isEmpty {
            let row = SymbolRow(
                function: symbol.function,
                file: symbol.file.isEmpty ? nil : symbol.file,
                line: symbol.line > 0 ? Int(symbol.line) : nil,
                inlined: symbol.isInlined
            )
            try writer.write(symbols: [row], frame: id)
        }
        return id
    }

    private mutating func module(_ path: String) throws -> UInt32 {
        guard !path.isEmpty else { return 0 }
        if let known = modules[path] { return known }
        let id = UInt32(writer.storedModules + 1)
        modules[path] = id
        try writer.add(module: id, path: path, buildID: [])
        return id
    }
}
