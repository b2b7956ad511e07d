package import SiltRecording
package import SiltSymbols
internal import SiltText

/// The functions at each frame of a recording, which of them are program code, and the call site each frame stands for.
///
/// `BlameKeys` applies the same rule (`Blame`) while the program runs, so that the stacks it counted together belong to one
/// call site here. Symbols are looked at once per frame, not per stack: 700,000 stacks have some 12,000 frames.
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
        /// Runs a script: never what tells stacks apart (`InterpreterNames`).
        package var isLoop = false
        /// Only runs what it was given (`PlumbingNames`).
        package var isPlumbing = false
    }

    /// What one call site is: a line of a function, or an address when there are no symbols.
    private struct SiteKey: Hashable {
        var function: UInt32
        var file: UInt32
        var line: UInt32
        var module: UInt32
        var offset: UInt64
    }

    /// What is the same for a function wherever it occurs in a module.
    private struct Facts {
        var kind: FunctionKind
        var isLoop: Bool
        var isClosed: Bool
        var isPlumbing: Bool
    }

    package private(set) var rows: [Row] = []
    /// By frame − 1: its rows, innermost function first; never empty.
    package private(set) var ranges: [Range<Int>] = []
    /// By frame − 1; an allocator when it only says where a stack broke off.
    private(set) var kinds: [FunctionKind] = []
    /// By frame − 1: what it calls is part of an allocator.
    private var closed: [Bool] = []
    /// Functions that were taken for wrappers by what they do, in the order they were found in.
    package private(set) var shapedWrappers: [AllocatorShape.Wrapper] = []
    /// By frame − 1: the innermost row that is program code; in a frame without, the innermost carrier, else the outermost row.
    package private(set) var blameRows: [Int32] = []
    /// By frame − 1: the call site of the stacks with counters that blame this frame; `.max` where there are none.
    package private(set) var siteOfFrame: [UInt32] = []
    /// By stack − 1: the frame it blames.
    package private(set) var blameFrames: [UInt32] = []
    /// By site: the frame that made it, and its row.
    package private(set) var siteFrames: [UInt32] = []
    package private(set) var siteRows: [Int] = []

    /// By module − 1: the first module of the same file.
    let moduleFiles: [UInt32]
    /// By path of a program that was started by another name than its file's, a link's say: that name.
    let startedAs: [String: String]

    package init(_ recording: Recording, hiding allocators: AllocatorFrames) {
        moduleFiles = recording.moduleFiles
        startedAs = recording.startedAs
        addRows(recording, allocators)
        findBlameFrames(recording)
        for _ in 0..<AllocatorShape.levels {
            let found = AllocatorShape.wrappers(of: recording, self, allocators)
            guard !found.isEmpty else { break }
            stepOver(found, recording)
        }
        numberSites(recording)
    }

    private mutating func addRows(_ recording: Recording, _ allocators: AllocatorFrames) {
        var known: [UInt64: Facts] = [:]
        ranges.reserveCapacity(recording.frames.count)
        for (index, frame) in recording.frames.enumerated() {
            let start = rows.count
            let path = recording.path(ofModule: frame.module)
            var isClosed = false
            for symbol in recording.symbols(ofFrame: UInt32(index + 1)) {
                let key = UInt64(symbol.function) << 32 | UInt64(frame.module)
                let facts = known[key] ?? Self.facts(symbol, path, recording, allocators)
                known[key] = facts
                // The compiled function, which comes last, is what calls.
                isClosed = facts.isClosed
                rows.append(
                    Row(
                        function: recording.string(symbol.function).isEmpty ? 0 : symbol.function,
                        file: symbol.file,
                        line: symbol.line,
                        inlined: symbol.inlined,
                        kind: facts.kind,
                        isLoop: facts.isLoop,
                        isPlumbing: facts.isPlumbing || PlumbingNames.isMade(file: recording.string(symbol.file))
                    )
                )
            }
            joinCopies(from: start, recording)
            if rows.count == start {
                let kind =
                    frame.isGenerated
                    ? .carrier : frame.module == 0 ? .unnamed : allocators.kind(function: "", modulePath: path)
                var row = Row(function: 0, file: 0, line: 0, inlined: false, kind: kind)
                row.isPlumbing = frame.module != 0 && PlumbingNames.isPlumbing(module: path)
                rows.append(row)
            }
            ranges.append(start..<rows.count)
            kinds.append(.allocator)
            blameRows.append(0)
            closed.append(isClosed)
            decide(index, recording)
        }
    }

    /// A function that was compiled as a copy of itself has two rows of one name, the outer one without a line: one will do.
    private mutating func joinCopies(from start: Int, _ recording: Recording) {
        for outer in (start..<rows.count).reversed() where outer > start && rows[outer].line == 0 {
            let (inner, copy) = (rows[outer - 1].function, rows[outer].function)
            guard inner != 0, copy != 0, rows[outer - 1].line != 0,
                inner == copy || readableName(recording.string(inner)) == readableName(recording.string(copy))
            else { continue }
            rows[outer - 1].inlined = rows[outer].inlined
            rows.remove(at: outer)
        }
    }

    /// What a frame is, by its rows.
    private mutating func decide(_ index: Int, _ recording: Recording) {
        let range = ranges[index]
        let kind = FunctionKind.ofFrame(rows[range].lazy.map(\.kind))
        kinds[index] = recording.frames[index].isPlaceholder ? .allocator : kind
        let outermost = range.upperBound - 1
        let blame = kind == .allocator ? outermost : rows[range].firstIndex { $0.kind == kind } ?? outermost
        blameRows[index] = Int32(blame)
    }

    private mutating func stepOver(_ wrappers: [AllocatorShape.Wrapper], _ recording: Recording) {
        let keys = Set(wrappers.map(\.key))
        for index in recording.frames.indices {
            var isChanged = false
            for row in ranges[index] where rows[row].kind == .program {
                guard keys.contains(AllocatorShape.Key(self, row, UInt32(index + 1), recording)) else { continue }
                rows[row].kind = .allocator
                isChanged = true
            }
            if isChanged { decide(index, recording) }
        }
        shapedWrappers += wrappers
        findBlameFrames(recording)
    }

    private static func facts(
        _ symbol: RecordedSymbol,
        _ modulePath: String,
        _ recording: Recording,
        _ allocators: AllocatorFrames
    ) -> Facts {
        let name = recording.string(symbol.function)
        let isGo = GoName.isGo(file: symbol.file == 0 ? "" : recording.string(symbol.file), function: name)
        let kind =
            isGo ? allocators.goKind(function: name) : allocators.kind(function: name, modulePath: modulePath)
        return Facts(
            kind: kind,
            isLoop: InterpreterNames.isLoop(name),
            isClosed: !name.isEmpty && allocators.isClosed(function: name, modulePath: modulePath),
            isPlumbing: !name.isEmpty && !isGo
                && (kind == .carrier || kind == .allocator && PlumbingNames.isPlumbing(name))
        )
    }

    /// Numbers the sites of the frames that stacks with counters blame.
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
                    module: frame.module == 0 ? 0 : moduleFiles[Int(frame.module) - 1],
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
        let step = walk(from: stack, in: recording).first { $0.frame == frame }
        return (step?.node ?? stack, Int(blameRows[Int(frame) - 1]))
    }

    /// A stack from a node of the tree of stacks outward, with the rows of each frame.
    package func walk(
        from node: UInt32,
        in recording: Recording
    ) -> some Sequence<(node: UInt32, frame: UInt32, rows: Range<Int>)> {
        sequence(state: node) { [stacks = recording.stacks, ranges] next in
            while next != 0 {
                let (node, entry) = (next, stacks[Int(next) - 1])
                next = entry.parent
                if entry.frame != 0 { return (node, entry.frame, ranges[Int(entry.frame) - 1]) }
            }
            return nil
        }
    }

    /// The function's name as a reader wants it, or what stands for it: module and offset.
    package func name(ofRow row: Int, frame: UInt32, in recording: Recording) -> String {
        let function = rows[row].function
        return function == 0 ? address(of: frame, in: recording) : readableName(recording.string(function))
    }

    /// Whether stacks show a row: what only runs other functions is left out, but where it is blamed itself.
    package func isShown(_ row: Int, frame: UInt32) -> Bool {
        !rows[row].isPlumbing || siteOfFrame[Int(frame) - 1] != .max && Int(blameRows[Int(frame) - 1]) == row
    }

    package func address(of frame: UInt32, in recording: Recording) -> String {
        let location = recording.frames[Int(frame) - 1]
        if location.isPlaceholder { return location.kind == .truncated ? "[truncated]" : "[incomplete]" }
        if location.isGenerated { return "[generated code]" }
        guard location.module != 0 else { return "[" + Format.hex(location.offset) + "]" }
        return moduleName(recording.path(ofModule: location.module)) + "+" + Format.hex(location.offset)
    }

    /// What a reader knows a file by: a program by the name that it was started by.
    package func moduleName(_ path: String) -> String { startedAs[path] ?? String(path.lastPathComponent) }

    private mutating func findBlameFrames(_ recording: Recording) {
        let isLibrary = recording.modules.map { AllocatorFrames.isLibrary(modulePath: $0.path) }
        let isOfProgram = recording.frames.map { $0.module != 0 && !isLibrary[Int($0.module) - 1] }
        var known: [Blame] = []
        known.reserveCapacity(recording.stacks.count)
        // Parents come before their children.
        for stack in recording.stacks {
            var blame = stack.parent == 0 ? Blame() : known[Int(stack.parent) - 1]
            if stack.frame != 0 {
                let index = Int(stack.frame) - 1
                blame.enter(
                    stack.frame,
                    kind: kinds[index],
                    isOfProgram: isOfProgram[index],
                    isClosedAllocator: closed[index],
                    isInterrupted: recording.frames[index].kind == .exact
                )
            }
            known.append(blame)
        }
        blameFrames = known.map(\.frame)
    }
}

extension Recording {
    /// By path of a program: the name by which all its processes were started, where that is not its file's.
    ///
    /// Programs of many names (busybox) keep that of their file.
    var startedAs: [String: String] {
        var names: [String: Set<String>] = [:]
        for process in processes where !process.isProfiled && !process.executable.isEmpty {
            guard let word = process.command.first?.lastPathComponent.drop(while: { $0 == "-" }), !word.isEmpty else {
                continue
            }
            names[process.executable, default: []].insert(String(word))
        }
        return names.compactMapValues { $0.count == 1 ? $0.first : nil }.filter { path, name in
            name != path.lastPathComponent && !name.contains { $0 == " " || $0 == ":" }
        }
    }

    /// By module − 1: the first module of the same file, so that a file that is loaded again stays one.
    var moduleFiles: [UInt32] {
        var first: [String: UInt32] = [:]
        return modules.enumerated().map { index, module in
            if let known = first[module.path] { return known }
            first[module.path] = UInt32(index + 1)
            return UInt32(index + 1)
        }
    }
}

extension RecordedFrame {
    /// No frame of the program: says that the stack could not be followed further, or was cut.
    package var isPlaceholder: Bool { kind == .incomplete || kind == .truncated }
    /// Code that the program made at run time, unless a profile gives it a name.
    package var isGenerated: Bool { module == 0 && offset == 0 && !isPlaceholder }
}
