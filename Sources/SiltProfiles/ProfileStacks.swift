internal import SiltEvents
internal import SiltPprof
internal import SiltRecording

/// Writes the stacks of profiles as a recording has them, each module, frame and node once, with ids that are free there.
struct ProfileStacks {
    private let writer: RecordingWriter
    private var modules: [String: ModuleID] = [:]
    private var frames: [PprofSymbol: FrameID] = [:]
    private var unknown: FrameID?
    private var nodes: [Node: StackID] = [:]

    private struct Node: Hashable {
        var parent: StackID
        var frame: FrameID
    }

    init(_ writer: RecordingWriter) { self.writer = writer }

    /// The innermost node of a stack; nodes are made from the outermost frame inward, so that parents come first.
    mutating func node(_ stack: [UInt32], _ symbols: [PprofSymbol]) throws -> StackID {
        // Go has no stack of a goroutine that is about to run for the first time, or about to end.
        guard !stack.isEmpty else { return try node(.none, frame: try unknownFrame()) }
        return try stack.reversed().reduce(.none) { try node($0, frame: try frame(symbols[Int($1)])) }
    }

    private mutating func node(_ parent: StackID, frame: FrameID) throws -> StackID {
        let key = Node(parent: parent, frame: frame)
        if let known = nodes[key] { return known }
        let id = StackID(index: writer.storedStacks)
        nodes[key] = id
        try writer.add(stack: id, parent: parent, frame: frame)
        return id
    }

    /// What stands for a stack that is not known.
    private mutating func unknownFrame() throws -> FrameID {
        if let unknown { return unknown }
        let id = FrameID(index: writer.storedFrames)
        unknown = id
        try writer.add(frame: id, module: .none, offset: 0, kind: .incomplete)
        return id
    }

    private mutating func frame(_ symbol: PprofSymbol) throws -> FrameID {
        if let known = frames[symbol] { return known }
        let module = try module(symbol.module)
        let id = FrameID(index: writer.storedFrames)
        frames[symbol] = id
        // Profiles have addresses in calls, recordings those behind them.
        let offset = symbol.offset == 0 ? 0 : symbol.offset &+ 1
        try writer.add(frame: id, module: module, offset: offset)
        if !symbol.function.isEmpty {
            let row = SourceFrame(
                function: symbol.function,
                file: symbol.file.isEmpty ? nil : symbol.file,
                line: symbol.line > 0 ? Int(symbol.line) : nil,
                inlined: symbol.isInlined
            )
            try writer.write(symbols: [row], frame: id)
        }
        return id
    }

    private mutating func module(_ path: String) throws -> ModuleID {
        guard !path.isEmpty else { return .none }
        if let known = modules[path] { return known }
        let id = ModuleID(index: writer.storedModules)
        modules[path] = id
        try writer.add(module: id, path: path, buildID: [])
        return id
    }
}
