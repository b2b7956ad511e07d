internal import SiltEvents
internal import SiltSymbols

/// Which frame of a stack is to blame, decided while the program runs by the report's rule (`Blame`), so that all stacks of
/// a key have one call site there and share its history.
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
    /// Of the stacks that were asked for, and of their callers.
    private var blames: Table<StackID, Blame?> = []
    /// Of the stack that is asked for: it and its callers up to one that is known.
    private var missing: [StackID] = []
    private var known: Table<FrameID, Facts?> = []
    private var libraries: [ModuleID: Bool] = [:]
    /// Modules that code was blamed in although none of it is program code.
    private var blamedModules: Set<ModuleID> = []

    private struct Facts {
        /// Nil where it may need debug information, which is not asked for of what an allocator calls.
        var kind: FunctionKind?
        let isOfProgram: Bool
        let isClosedAllocator: Bool
        let isInterrupted: Bool
    }

    init(stacks: StackTable, symbolizer: Symbolizer, wrappers: AllocatorFrames) {
        self.stacks = stacks
        self.symbolizer = symbolizer
        self.wrappers = wrappers
    }

    /// The blamed frame; none for an empty stack.
    func key(_ stack: StackID) -> FrameID {
        guard stack != .none else { return .none }
        if !blames.holds(stack) { blames += repeatElement(nil, count: stacks.stackCount - blames.count) }
        let blame = blame(stack)
        if blame.kind != .program { blamedModules.insert(stacks[blame.frame].module) }
        return blame.frame
    }

    private func blame(_ stack: StackID) -> Blame {
        var (blame, known) = (Blame(), stack)
        missing.removeAll(keepingCapacity: true)
        while known != .none {
            if let found = blames[known] {
                blame = found
                break
            }
            missing.append(known)
            known = stacks.parent(of: known)
        }
        for stack in missing.reversed() {
            enter(stack, &blame)
            blames[stack] = blame
        }
        return blame
    }

    /// The stack goes on with its innermost frame.
    private func enter(_ stack: StackID, _ blame: inout Blame) {
        let id = stacks.frame(of: stack)
        let facts = facts(id)
        blame.enter(
            id,
            kind: facts.kind ?? kind(id),
            isOfProgram: facts.isOfProgram,
            isClosedAllocator: facts.isClosedAllocator,
            isInterrupted: facts.isInterrupted
        )
    }

    /// Whether a report may need the lines of a module: nobody looks for a leak in the C library, whose debug
    /// information is large and compressed, unless nothing else is on a stack.
    func needsLines(module id: ModuleID) -> Bool {
        let path = stacks[id].path
        return !AllocatorFrames.isAllocatorThroughout(modulePath: path) || blamedModules.contains(id)
    }

    /// Of a frame that may need debug information for it.
    private func kind(_ id: FrameID) -> FunctionKind {
        let kind = decide(stacks[id])
        known[id]?.kind = kind
        return kind
    }

    private func facts(_ id: FrameID) -> Facts {
        if !known.holds(id) { known += repeatElement(nil, count: stacks.frames.count - known.count) }
        if let facts = known[id] { return facts }
        let facts = facts(stacks[id])
        known[id] = facts
        return facts
    }

    private func facts(_ frame: Frame) -> Facts {
        let isInterrupted = frame.kind == .exact
        guard frame.module != .none else {
            return Facts(isOfProgram: false, isClosedAllocator: false, isInterrupted: isInterrupted)
        }
        let path = stacks[frame.module].path
        let isLibrary = libraries[frame.module] ?? AllocatorFrames.isLibrary(modulePath: path)
        libraries[frame.module] = isLibrary
        let name = name(frame)
        let kind = name.map { wrappers.kind(function: $0, modulePath: path) }
        let isProgram = kind == .program && (frame.kind == .returnAddress || isInterrupted)
        return Facts(
            kind: isProgram ? .program : nil,
            isOfProgram: !isLibrary,
            isClosedAllocator: kind == .allocator
                && name.map { wrappers.isClosed(function: $0, modulePath: path) } ?? false,
            isInterrupted: isInterrupted
        )
    }

    private func decide(_ frame: Frame) -> FunctionKind {
        switch frame.kind {
        // Says only where a stack broke off: never to blame while there is another.
        case .incomplete, .truncated: return .allocator
        case .returnAddress, .exact: break
        }
        guard frame.module != .none else { return .carrier }
        let module = stacks[frame.module]
        if AllocatorFrames.isAllocatorThroughout(modulePath: module.path) { return .allocator }
        let functions = symbolizer.resolve(module, offset: frame.offset, exact: frame.kind == .exact)
        return .ofFrame(functions.map { wrappers.kind(function: $0.function, modulePath: module.path) })
    }

    /// The functions at a frame from the one that is to blame outward, each inlined into the next; empty: it has no name.
    ///
    /// Reads debug information.
    func functions(frame id: FrameID) -> [String] {
        guard id != .none, stacks.frames.holds(id) else { return [] }
        let frame = stacks[id]
        guard frame.module != .none else { return [] }
        let module = stacks[frame.module]
        let names = symbolizer.resolve(module, offset: frame.offset, exact: frame.kind == .exact).map(\.function)
        let blamed = names.firstIndex { wrappers.kind(function: $0, modulePath: module.path) == .program }
        let known = Array(names[(blamed ?? max(0, names.count - 1))...])
        return known.first?.isEmpty == false ? known : name(frame).map { [$0] } ?? []
    }

    /// The function at a frame; nil when it has no symbol.
    func functionName(frame id: FrameID) -> String? {
        guard id != .none, stacks.frames.holds(id) else { return nil }
        return name(stacks[id])
    }

    private func name(_ frame: Frame) -> String? {
        guard frame.module != .none else { return nil }
        return symbolizer.functionName(stacks[frame.module], offset: frame.offset, exact: frame.kind == .exact)
    }
}
