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
    /// By frame id: nil not asked yet.
    private var kinds: [FunctionKind?] = []
    /// Modules that code was blamed in although none of it is program code.
    private var blamedModules: Set<UInt32> = []

    init(stacks: StackTable, symbolizer: Symbolizer, wrappers: AllocatorFrames) {
        self.stacks = stacks
        self.symbolizer = symbolizer
        self.wrappers = wrappers
    }

    /// The blame frame's id, as a key; 0 for an empty stack.
    func key(_ stack: StackID) -> StackID {
        guard stack.rawValue != 0 else { return StackID(rawValue: 0) }
        var blamed = stacks.frame(of: stack)
        var blamedKind = kind(blamed)
        var at = stacks.parent(of: stack)
        // Further out nothing is more program-like than program code.
        while at.rawValue != 0, blamedKind != .program {
            let frame = stacks.frame(of: at)
            let kind = kind(frame)
            if !blamedKind.isBlamed(before: kind) { (blamed, blamedKind) = (frame, kind) }
            at = stacks.parent(of: at)
        }
        if blamedKind != .program {
            blamedModules.insert(stacks.frames[Int(blamed.rawValue) - 1].module.rawValue)
        }
        return StackID(rawValue: blamed.rawValue)
    }

    /// Whether a report may need the lines of a module: nobody looks for a leak in the C library, whose debug
    /// information is large and compressed, unless nothing else is on a stack.
    func needsLines(module id: UInt32) -> Bool {
        let path = stacks.modules[Int(id) - 1].path
        return !wrappers.isAllocatorThroughout(modulePath: path) || blamedModules.contains(id)
    }

    private func kind(_ frame: FrameID) -> FunctionKind {
        let index = Int(frame.rawValue)
        while kinds.count <= index { kinds.append(nil) }
        if let known = kinds[index] { return known }
        let kind = decide(stacks.frames[index - 1])
        kinds[index] = kind
        return kind
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
        if wrappers.isAllocatorThroughout(modulePath: module.path) { return .allocator }
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
