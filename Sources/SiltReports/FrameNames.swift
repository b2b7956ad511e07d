internal import SiltRecording
internal import SiltSymbols

/// The functions at each frame of a recording, which of them are program code, and the call site each frame stands for.
///
/// A frame is what the most program-like of its functions is, inlined ones included; `BlameKeys` applies the same rule
/// while the program runs, so that the stacks it counted together belong to one call site here. Symbols are looked at once per frame, not per stack: 700,000 stacks have some 12,000 frames.
struct FrameNames {
    /// One function at a frame.
    ///
    /// A frame without symbols has one row with `function` 0.
    struct Row {
        /// Numbers `names` from 1; 0: unknown.
        var function: UInt32
        var file: UInt32
        var line: UInt32
        var inlined: Bool
        var kind: FunctionKind
    }

    /// What one call site is: a line of a function, or an address when there are no symbols.
    private struct SiteKey: Hashable {
        var function: UInt32
        var file: UInt32
        var line: UInt32
        var module: UInt32
        var offset: UInt64
    }

    private(set) var rows: [Row] = []
    /// By frame − 1: its rows, innermost function first; never empty.
    private(set) var ranges: [Range<Int>] = []
    /// By frame − 1: what the frame is; nil when it only says where a stack broke off.
    private(set) var kinds: [FunctionKind?] = []
    /// By frame − 1: the innermost row that is program code; in a frame without, the innermost carrier, else the outermost row.
    private(set) var blameRows: [Int32] = []
    /// By frame − 1: the call site that a stack blaming this frame belongs to.
    private(set) var siteOfFrame: [UInt32] = []
    /// By stack − 1: the frame it blames.
    private(set) var blameFrames: [UInt32] = []
    /// By site: the frame that made it, and its row.
    private(set) var siteFrames: [UInt32] = []
    private(set) var siteRows: [Int] = []

    init(_ recording: Recording, hiding allocators: AllocatorFrames) {
        var verdicts: [UInt64: FunctionKind] = [:]
        var sites: [SiteKey: UInt32] = [:]
        ranges.reserveCapacity(recording.frames.count)
        for (index, frame) in recording.frames.enumerated() {
            let start = rows.count
            let path = frame.module == 0 ? "" : recording.modules[Int(frame.module) - 1].path
            for symbol in recording.symbols(ofFrame: UInt32(index + 1)) {
                let name = recording.string(symbol.function)
                let isKnown = !name.isEmpty
                let key = UInt64(symbol.function) << 32 | UInt64(frame.module)
                let isGo = GoName.isGo(file: symbol.file == 0 ? "" : recording.string(symbol.file), function: name)
                let kind =
                    verdicts[key]
                    ?? (isGo ? allocators.goKind(function: name) : allocators.kind(function: name, modulePath: path))
                verdicts[key] = kind
                rows.append(
                    Row(
                        function: isKnown ? symbol.function : 0,
                        file: symbol.file,
                        line: symbol.line,
                        inlined: symbol.inlined,
                        kind: kind
                    )
                )
            }
            if rows.count == start {
                let kind = frame.module == 0 ? .program : allocators.kind(function: "", modulePath: path)
                rows.append(Row(function: 0, file: 0, line: 0, inlined: false, kind: kind))
            }
            ranges.append(start..<rows.count)
            let kind = rows[start...].reduce(FunctionKind.allocator) { max($0, $1.kind) }
            kinds.append(frame.isPlaceholder ? nil : kind)
            let blame =
                kind == .allocator ? rows.count - 1 : rows[start...].firstIndex { $0.kind == kind } ?? rows.count - 1
            blameRows.append(Int32(blame))
            let row = rows[blame]
            let key =
                row.function == 0
                ? SiteKey(function: 0, file: 0, line: 0, module: frame.module, offset: frame.offset)
                : SiteKey(
                    function: row.function,
                    file: row.file,
                    line: row.line,
                    module: row.file == 0 ? frame.module : 0,
                    offset: 0
                )
            let site = sites[key] ?? UInt32(siteFrames.count)
            if site == siteFrames.count {
                sites[key] = site
                siteFrames.append(UInt32(index + 1))
                siteRows.append(blame)
            }
            siteOfFrame.append(site)
        }
        blameFrames = findBlameFrames(recording)
    }

    /// Where a stack's blamed function is: its node of the tree of stacks, and its row.
    func blame(ofStack stack: UInt32, in recording: Recording) -> (node: UInt32, row: Int) {
        guard stack != 0 else { return (0, 0) }
        let frame = blameFrames[Int(stack) - 1]
        guard frame != 0 else { return (stack, 0) }
        var node = stack
        while recording.stacks[Int(node) - 1].frame != frame { node = recording.stacks[Int(node) - 1].parent }
        return (node, Int(blameRows[Int(frame) - 1]))
    }

    /// The function's name as a reader wants it, or what stands for it: module and offset.
    func name(ofRow row: Int, frame: UInt32, in recording: Recording) -> String {
        let function = rows[row].function
        return function == 0 ? Self.address(of: frame, in: recording) : readableName(recording.string(function))
    }

    static func address(of frame: UInt32, in recording: Recording) -> String {
        let location = recording.frames[Int(frame) - 1]
        if location.isPlaceholder { return location.isTruncated ? "[truncated]" : "[incomplete]" }
        guard location.module != 0 else { return "[" + Format.hex(location.offset) + "]" }
        return recording.modules[Int(location.module) - 1].path.lastPathComponent + "+" + Format.hex(location.offset)
    }

    /// By stack − 1: the frame to blame, the innermost that is program code; without one the innermost carrier,
    /// then the innermost frame.
    private func findBlameFrames(_ recording: Recording) -> [UInt32] {
        var result = [UInt32](repeating: 0, count: recording.stacks.count)
        var carriers = [UInt32](repeating: 0, count: recording.stacks.count)
        // Parents come before their children.
        for (index, stack) in recording.stacks.enumerated() where stack.frame != 0 {
            let parent = Int(stack.parent) - 1
            let kind = kinds[Int(stack.frame) - 1]
            result[index] = kind == .program ? stack.frame : parent >= 0 ? result[parent] : 0
            carriers[index] = kind == .carrier ? stack.frame : parent >= 0 ? carriers[parent] : 0
        }
        for (index, stack) in recording.stacks.enumerated() where result[index] == 0 {
            result[index] = carriers[index] != 0 ? carriers[index] : stack.frame
        }
        return result
    }
}

extension RecordedFrame {
    /// No frame of the program: says that the stack could not be followed further, or was cut.
    var isPlaceholder: Bool { kind >= 2 }
    var isTruncated: Bool { kind == 3 }
}
