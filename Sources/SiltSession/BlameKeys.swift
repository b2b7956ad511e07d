internal import SiltEvents
internal import SiltSymbols

/// Which frame of a stack is to blame, decided while the program runs: the innermost that is no allocator wrapper.
///
/// Only symbol tables are asked here, once per distinct frame; lines and inlined calls come when the recording is closed.
/// A frame stands for all stacks that share it, so that a leak spread over many stacks is seen as one.
final class BlameKeys {
    private let stacks: StackTable
    private let symbolizer: Symbolizer
    private let wrappers: AllocatorFrames
    /// By frame id: 0 not asked yet, 1 program code, 2 allocator wrapper.
    private var kinds: [UInt8] = []

    init(stacks: StackTable, symbolizer: Symbolizer, wrappers: AllocatorFrames) {
        self.stacks = stacks
        self.symbolizer = symbolizer
        self.wrappers = wrappers
    }

    /// The blame frame's id, as a key; the innermost frame's when all of them are wrappers, 0 for an empty stack.
    func key(_ stack: StackID) -> StackID {
        var at = stack
        while at.rawValue != 0 {
            let frame = stacks.frame(of: at)
            if !isWrapper(frame) { return StackID(rawValue: frame.rawValue) }
            at = stacks.parent(of: at)
        }
        return StackID(rawValue: stack.rawValue == 0 ? 0 : stacks.frame(of: stack).rawValue)
    }

    private func isWrapper(_ frame: FrameID) -> Bool {
        let index = Int(frame.rawValue)
        while kinds.count <= index { kinds.append(0) }
        if kinds[index] == 0 {
            kinds[index] = nameIsWrapper(stacks.frames[index - 1]) ? 2 : 1
        }
        return kinds[index] == 2
    }

    private func nameIsWrapper(_ frame: Frame) -> Bool {
        guard frame.module.rawValue != 0, let name = name(frame) else { return false }
        return wrappers.isWrapper(
            function: name,
            modulePath: stacks.modules[Int(frame.module.rawValue) - 1].path
        )
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
