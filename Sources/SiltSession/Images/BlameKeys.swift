internal import SiltEvents
internal import SiltSymbols

/// Which frame of a stack is to blame, decided while the program runs by the report's rule (`FunctionKind.isBlamed`), so
/// that all stacks of a key have one call site there and share its history.
///
/// A frame whose compiled function is program code needs no more than the symbol table; debug information is read for the
/// others alone, which are few: a container or `std::function` into which the program's code may be inlined. Asked once
/// for each distinct frame. A frame stands for all stacks that share it, so that a leak spread over many stacks is seen
/// as one. Where a report hides more functions than the run did, it splits keys and judges the stacks by their own
/// histories.
final class BlameKeys {
    private let stacks: StackTable
    private let symbolizer: Symbolizer
    private let wrappers: AllocatorFrames
    /// By stack id: its key; 0: not asked yet.
    private var keys: [UInt32] = []
    /// By frame id.
    private var known: [Facts] = []
    /// Modules that code was blamed in although none of it is program code.
    private var blamedModules: Set<UInt32> = []

    /// What was asked of a frame by now: a kind may need debug information, and is not asked of frames that cannot be blamed.
    private struct Facts {
        var kind: FunctionKind?
        /// `AllocatorFrames.isClosed`.
        var isClosed: Bool?
    }

    init(stacks: StackTable, symbolizer: Symbolizer, wrappers: AllocatorFrames) {
        self.stacks = stacks
        self.symbolizer = symbolizer
        self.wrappers = wrappers
    }

    /// The blame frame's id, as a key; 0 for an empty stack.
    func key(_ stack: StackID) -> StackID {
        guard stack.rawValue != 0 else { return StackID(rawValue: 0) }
        let index = Int(stack.rawValue)
        if index >= keys.count { keys += repeatElement(0, count: stacks.stackCount + 1 - keys.count) }
        if keys[index] == 0 { keys[index] = blamed(in: stack).rawValue }
        return StackID(rawValue: keys[index])
    }

    private func blamed(in stack: StackID) -> FrameID {
        // What the outermost known allocator calls is part of it; a signal's handler is not called by what it interrupts.
        var start = stack
        var at = stack
        while at.rawValue != 0, !isInterrupted(at) {
            let parent = stacks.parent(of: at)
            if isClosed(stacks.frame(of: at)), parent.rawValue != 0 { start = parent }
            at = parent
        }
        var best = blame(from: start)
        if best.kind < .unnamed, start != stack { best = blame(from: stack) }
        if best.kind != .program {
            blamedModules.insert(stacks.frames[Int(best.frame.rawValue) - 1].module.rawValue)
        }
        return best.frame
    }

    private func isInterrupted(_ stack: StackID) -> Bool {
        stacks.frames[Int(stacks.frame(of: stack).rawValue) - 1].kind == .exact
    }

    private func blame(from start: StackID) -> (frame: FrameID, kind: FunctionKind) {
        var blamed = stacks.frame(of: start)
        var best = kind(blamed)
        var at = stacks.parent(of: start)
        // Further out nothing is more program-like than program code.
        while at.rawValue != 0, best != .program {
            let frame = stacks.frame(of: at)
            let next = kind(frame)
            let isPassed = best == .unnamed && next == .program && isOfProgram(blamed) && !isOfProgram(frame)
            if !best.isBlamed(before: next), !isPassed { (blamed, best) = (frame, next) }
            at = stacks.parent(of: at)
        }
        return (blamed, best)
    }

    /// Whether a report may need the lines of a module: nobody looks for a leak in the C library, whose debug
    /// information is large and compressed, unless nothing else is on a stack.
    func needsLines(module id: UInt32) -> Bool {
        let path = stacks.modules[Int(id) - 1].path
        return !AllocatorFrames.isAllocatorThroughout(modulePath: path) || blamedModules.contains(id)
    }

    private func kind(_ frame: FrameID) -> FunctionKind {
        if let kind = facts(frame).kind { return kind }
        let kind = decide(stacks.frames[Int(frame.rawValue) - 1])
        known[Int(frame.rawValue)].kind = kind
        return kind
    }

    private func isClosed(_ frame: FrameID) -> Bool {
        if let isClosed = facts(frame).isClosed { return isClosed }
        let isClosed = decideClosed(stacks.frames[Int(frame.rawValue) - 1])
        known[Int(frame.rawValue)].isClosed = isClosed
        return isClosed
    }

    private func facts(_ frame: FrameID) -> Facts {
        while known.count <= Int(frame.rawValue) { known.append(Facts()) }
        return known[Int(frame.rawValue)]
    }

    /// Rather than of a library.
    private func isOfProgram(_ id: FrameID) -> Bool {
        let frame = stacks.frames[Int(id.rawValue) - 1]
        return frame.module.rawValue != 0
            && !AllocatorFrames.isLibrary(modulePath: stacks.modules[Int(frame.module.rawValue) - 1].path)
    }

    private func decideClosed(_ frame: Frame) -> Bool {
        guard frame.module.rawValue != 0, let name = name(frame) else { return false }
        return wrappers.isClosed(
            function: name,
            modulePath: stacks.modules[Int(frame.module.rawValue) - 1].path
        )
    }

    private func decide(_ frame: Frame) -> FunctionKind {
        switch frame.kind {
        // Says only where a stack broke off: never to blame while there is another.
        case .incomplete, .truncated: return .allocator
        case .returnAddress, .exact: break
        }
        guard frame.module.rawValue != 0 else { return .carrier }
        let module = stacks.modules[Int(frame.module.rawValue) - 1]
        if let name = name(frame), wrappers.kind(function: name, modulePath: module.path) == .program {
            return .program
        }
        if AllocatorFrames.isAllocatorThroughout(modulePath: module.path) { return .allocator }
        let functions = symbolizer.resolve(
            modulePath: module.path,
            buildID: module.buildID,
            offset: frame.offset,
            exact: frame.kind == .exact
        )
        return .ofFrame(functions.map { wrappers.kind(function: $0.function, modulePath: module.path) })
    }

    /// The function at a frame; nil when it has no symbol.
    func functionName(frame id: UInt32) -> String? {
        guard id != 0, Int(id) <= stacks.frames.count else { return nil }
        return name(stacks.frames[Int(id) - 1])
    }

    private func name(_ frame: Frame) -> String? {
        guard frame.module.rawValue != 0 else { return nil }
        let module = stacks.modules[Int(frame.module.rawValue) - 1]
        return symbolizer.functionName(
            modulePath: module.path,
            buildID: module.buildID,
            offset: frame.offset,
            exact: frame.kind == .exact
        )
    }
}
