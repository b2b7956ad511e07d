package import SiltRecording
package import SiltSymbols
internal import SiltText

/// The functions at each frame of a recording, which of them are program code, and the call site each frame stands for.
///
/// A frame is what the most program-like of its functions is, inlined ones included; `BlameKeys` applies the same rule
/// while the program runs, so that the stacks it counted together belong to one call site here. Symbols are looked at once per frame, not per stack: 700,000 stacks have some 12,000 frames.
package struct FrameNames {
    /// One function at a frame.
    ///
    /// A frame without symbols has one row with `function` 0.
    package struct Row {
        /// Numbers `names` from 1; 0: unknown.
        package var function: UInt32
        package var file: UInt32
        package var line: UInt32
        package var inlined: Bool
        package var kind: FunctionKind
    }

    /// What one call site is: a line of a function, or an address when there are no symbols.
    private struct SiteKey: Hashable {
        var function: UInt32
        var file: UInt32
        var line: UInt32
        var module: UInt32
        var offset: UInt64
    }

    package private(set) var rows: [Row] = []
    /// By frame − 1: its rows, innermost function first; never empty.
    package private(set) var ranges: [Range<Int>] = []
    /// By frame − 1; an allocator when it only says where a stack broke off.
    private var kinds: [FunctionKind] = []
    /// By frame − 1: the innermost row that is program code; in a frame without, the innermost carrier, else the outermost row.
    package private(set) var blameRows: [Int32] = []
    /// By frame − 1: the call site of the stacks with counters that blame this frame; `.max` where there are none.
    package private(set) var siteOfFrame: [UInt32] = []
    /// By stack − 1: the frame it blames.
    package private(set) var blameFrames: [UInt32] = []
    /// By site: the frame that made it, and its row.
    package private(set) var siteFrames: [UInt32] = []
    package private(set) var siteRows: [Int] = []

    package init(_ recording: Recording, hiding allocators: AllocatorFrames) {
        addRows(recording, allocators)
        findBlameFrames(recording)
        numberSites(recording)
    }

    private mutating func addRows(_ recording: Recording, _ allocators: AllocatorFrames) {
        var known: [UInt64: FunctionKind] = [:]
        ranges.reserveCapacity(recording.frames.count)
        for (index, frame) in recording.frames.enumerated() {
            let start = rows.count
            let path = frame.module == 0 ? "" : recording.modules[Int(frame.module) - 1].path
            for symbol in recording.symbols(ofFrame: UInt32(index + 1)) {
                let key = UInt64(symbol.function) << 32 | UInt64(frame.module)
                let kind = known[key] ?? Self.kind(symbol, path, recording, allocators)
                known[key] = kind
                rows.append(
                    Row(
                        function: recording.string(symbol.function).isEmpty ? 0 : symbol.function,
                        file: symbol.file,
                        line: symbol.line,
                        inlined: symbol.inlined,
                        kind: kind
                    )
                )
            }
            if rows.count == start {
                let kind =
                    frame.isGenerated
                    ? .carrier : frame.module == 0 ? .program : allocators.kind(function: "", modulePath: path)
                rows.append(Row(function: 0, file: 0, line: 0, inlined: false, kind: kind))
            }
            ranges.append(start..<rows.count)
            let kind = FunctionKind.ofFrame(rows[start...].lazy.map(\.kind))
            kinds.append(frame.isPlaceholder ? .allocator : kind)
            let blame =
                kind == .allocator ? rows.count - 1 : rows[start...].firstIndex { $0.kind == kind } ?? rows.count - 1
            blameRows.append(Int32(blame))
        }
    }

    private static func kind(
        _ symbol: RecordedSymbol,
        _ modulePath: String,
        _ recording: Recording,
        _ allocators: AllocatorFrames
    ) -> FunctionKind {
        let name = recording.string(symbol.function)
        return GoName.isGo(file: symbol.file == 0 ? "" : recording.string(symbol.file), function: name)
            ? allocators.goKind(function: name) : allocators.kind(function: name, modulePath: modulePath)
    }

    /// Of the frames that stacks with counters blame.
    private mutating func numberSites(_ recording: Recording) {
        var isBlamed = [Bool](repeating: false, count: recording.frames.count + 1)
        for row in recording.counters where row.stack != 0 { isBlamed[Int(blameFrames[Int(row.stack) - 1])] = true }
        siteOfFrame = [UInt32](repeating: .max, count: recording.frames.count)
        var sites: [SiteKey: UInt32] = [:]
        for (index, frame) in recording.frames.enumerated() where isBlamed[index + 1] {
            let row = rows[Int(blameRows[index])]
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
                siteRows.append(Int(blameRows[index]))
            }
            siteOfFrame[index] = site
        }
    }

    /// Where a stack's blamed function is: its node of the tree of stacks, and its row.
    package func blame(ofStack stack: UInt32, in recording: Recording) -> (node: UInt32, row: Int) {
        guard stack != 0 else { return (0, 0) }
        let frame = blameFrames[Int(stack) - 1]
        guard frame != 0 else { return (stack, 0) }
        var node = stack
        while recording.stacks[Int(node) - 1].frame != frame { node = recording.stacks[Int(node) - 1].parent }
        return (node, Int(blameRows[Int(frame) - 1]))
    }

    /// The function's name as a reader wants it, or what stands for it: module and offset.
    package func name(ofRow row: Int, frame: UInt32, in recording: Recording) -> String {
        let function = rows[row].function
        return function == 0 ? Self.address(of: frame, in: recording) : readableName(recording.string(function))
    }

    package static func address(of frame: UInt32, in recording: Recording) -> String {
        let location = recording.frames[Int(frame) - 1]
        if location.isPlaceholder { return location.isTruncated ? "[truncated]" : "[incomplete]" }
        if location.isGenerated { return "[generated code]" }
        guard location.module != 0 else { return "[" + Format.hex(location.offset) + "]" }
        return recording.modules[Int(location.module) - 1].path.lastPathComponent + "+" + Format.hex(location.offset)
    }

    private mutating func findBlameFrames(_ recording: Recording) {
        blameFrames = [UInt32](unsafeUninitializedCapacity: recording.stacks.count) { blamed, count in
            // Parents come before their children.
            for stack in recording.stacks {
                let outer = stack.parent == 0 ? 0 : blamed[Int(stack.parent) - 1]
                let isBlamed =
                    stack.frame != 0
                    && (outer == 0 || kinds[Int(stack.frame) - 1].isBlamed(before: kinds[Int(outer) - 1]))
                blamed[count] = isBlamed ? stack.frame : outer
                count += 1
            }
        }
    }
}

extension RecordedFrame {
    /// No frame of the program: says that the stack could not be followed further, or was cut.
    package var isPlaceholder: Bool { kind >= 2 }
    package var isTruncated: Bool { kind == 3 }
    /// Code that the program made at run time, unless a profile gives it a name.
    package var isGenerated: Bool { module == 0 && offset == 0 && !isPlaceholder }
}
