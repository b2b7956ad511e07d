package import SiltEvents
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
    /// A frame without symbols has one row without a function.
    package struct Row {
        package var function: StringID
        package var file: StringID
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
        var function: StringID
        var file: StringID
        var line: UInt32
        var module: ModuleID
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
    /// A frame's rows, innermost function first; never empty.
    package private(set) var ranges: Table<FrameID, Range<Int>> = []
    /// An allocator when it only says where a stack broke off.
    private(set) var kinds: Table<FrameID, FunctionKind> = []
    /// What the frame calls is part of an allocator.
    private var closed: Table<FrameID, Bool> = []
    /// Functions that were taken for wrappers by what they do, in the order they were found in.
    package private(set) var shapedWrappers: [AllocatorShape.Wrapper] = []
    /// The innermost row that is program code; in a frame without, the innermost carrier, else the outermost row.
    package private(set) var blameRows: Table<FrameID, Int32> = []
    /// The call site of the stacks with counters that blame this frame; `.max` where there are none.
    package private(set) var siteOfFrame: Table<FrameID, UInt32> = []
    /// The frame a stack blames.
    package private(set) var blameFrames: Table<StackID, FrameID> = []
    /// The innermost node of a stack with the frame that it blames; of no meaning where it blames none.
    private var blameNodes: Table<StackID, StackID> = []
    /// By site: the frame that made it, and its row.
    package private(set) var siteFrames: [FrameID] = []
    package private(set) var siteRows: [Int] = []

    /// The first module of the same file.
    let moduleFiles: Table<ModuleID, ModuleID>
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
            for symbol in recording.symbols(ofFrame: .init(index: index)) {
                let key = UInt64(symbol.function.rawValue) << 32 | UInt64(frame.module.rawValue)
                let facts = known[key] ?? Self.facts(symbol, path, recording, allocators)
                known[key] = facts
                // The compiled function, which comes last, is what calls.
                isClosed = facts.isClosed
                rows.append(
                    Row(
                        function: recording.string(symbol.function).isEmpty ? .none : symbol.function,
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
                    ? .carrier : frame.module == .none ? .unnamed : allocators.kind(function: "", modulePath: path)
                var row = Row(function: .none, file: .none, line: 0, inlined: false, kind: kind)
                row.isPlumbing = frame.module != .none && PlumbingNames.isPlumbing(module: path)
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
            guard inner != .none, copy != .none, rows[outer - 1].line != 0,
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
                guard keys.contains(AllocatorShape.Key(self, row, .init(index: index), recording)) else { continue }
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
        let isGo = GoName.isGo(file: symbol.file == .none ? "" : recording.string(symbol.file), function: name)
        let kind =
            isGo ? allocators.goKind(function: name) : allocators.kind(function: name, modulePath: modulePath)
        return Facts(
            kind: kind,
            isLoop: InterpreterNames.isLoop(name),
            isClosed: !name.isEmpty && (isGo || kind == .allocator)
                && allocators.isClosed(function: name, modulePath: modulePath),
            isPlumbing: !name.isEmpty && !isGo
                && (kind == .carrier || kind == .allocator && PlumbingNames.isPlumbing(name))
        )
    }

    /// Numbers the sites of the frames that stacks with counters blame.
    private mutating func numberSites(_ recording: Recording) {
        var isBlamed = Table<FrameID, Bool>(repeating: false, count: recording.frames.count)
        for row in recording.counters where row.stack != .none && blameFrames[row.stack] != .none {
            isBlamed[blameFrames[row.stack]] = true
        }
        siteOfFrame = Table(repeating: .max, count: recording.frames.count)
        var sites: [SiteKey: UInt32] = [:]
        for (index, frame) in recording.frames.enumerated() where isBlamed[index] {
            let row = rows[Int(blameRows[index])]
            let key =
                row.function == .none
                ? SiteKey(function: .none, file: .none, line: 0, module: frame.module, offset: frame.offset)
                : SiteKey(
                    function: row.function,
                    file: row.file,
                    line: row.line,
                    module: frame.module == .none ? .none : moduleFiles[frame.module],
                    offset: 0
                )
            let site = sites[key] ?? UInt32(siteFrames.count)
            if site == siteFrames.count {
                sites[key] = site
                siteFrames.append(.init(index: index))
                siteRows.append(Int(blameRows[index]))
            }
            siteOfFrame[index] = site
        }
    }

    /// Where a stack's blamed function is: its node of the tree of stacks, and its row.
    package func blame(ofStack stack: StackID) -> (node: StackID, row: Int) {
        guard stack != .none else { return (.none, 0) }
        let frame = blameFrames[stack]
        return frame == .none ? (stack, 0) : (blameNodes[stack], Int(blameRows[frame]))
    }

    /// A stack from a node of the tree of stacks outward, with the rows of each frame.
    package func walk(from node: StackID, in recording: Recording) -> StackWalk {
        StackWalk(from: node, recording.stacks, ranges)
    }

    /// The function's name as a reader wants it, or what stands for it: module and offset.
    package func name(ofRow row: Int, frame: FrameID, in recording: Recording) -> String {
        let function = rows[row].function
        return function == .none ? address(of: frame, in: recording) : readableName(recording.string(function))
    }

    /// Whether stacks show a row: what only runs other functions is left out, but where it is blamed itself.
    package func isShown(_ row: Int, frame: FrameID) -> Bool {
        !rows[row].isPlumbing || siteOfFrame[frame] != .max && Int(blameRows[frame]) == row
    }

    package func address(of frame: FrameID, in recording: Recording) -> String {
        let location = recording.frames[frame]
        if location.isPlaceholder { return location.kind == .truncated ? "[truncated]" : "[incomplete]" }
        if location.isGenerated { return "[generated code]" }
        guard location.module != .none else { return "[" + Format.hex(location.offset) + "]" }
        let name = moduleName(recording.path(ofModule: location.module))
        // A program as such has what looks have found.
        return location.offset == 0 ? name : name + "+" + Format.hex(location.offset)
    }

    /// What a reader knows a file by: a program by the name that it was started by.
    package func moduleName(_ path: String) -> String { startedAs[path] ?? String(path.lastPathComponent) }

    private mutating func findBlameFrames(_ recording: Recording) {
        let isLibrary = recording.modules.map { AllocatorFrames.isLibrary(modulePath: $0.path) }
        let isOfProgram = recording.frames.map { $0.module != .none && !isLibrary[$0.module.index] }
        var known: Table<StackID, Blame> = []
        known.reserveCapacity(recording.stacks.count)
        blameNodes.removeAll(keepingCapacity: true)
        blameNodes.reserveCapacity(recording.stacks.count)
        // Parents come before their children.
        for (index, stack) in recording.stacks.enumerated() {
            let outer = stack.parent == .none ? Blame() : known[stack.parent]
            var blame = outer
            if stack.frame != .none {
                let index = stack.frame.index
                blame.enter(
                    stack.frame,
                    kind: kinds[index],
                    isOfProgram: isOfProgram[index],
                    isClosedAllocator: closed[index],
                    isInterrupted: recording.frames[index].kind == .exact
                )
            }
            known.append(blame)
            let node = StackID(index: index)
            if stack.frame == blame.frame || stack.parent == .none {
                blameNodes.append(node)
            } else if blame.frame == outer.frame {
                blameNodes.append(blameNodes[stack.parent])
            } else {
                let place = walk(from: stack.parent, in: recording).first { $0.frame == blame.frame }
                blameNodes.append(place?.node ?? node)
            }
        }
        blameFrames = Table(known.lazy.map(\.frame))
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

    /// The first module of the same file, so that a file that is loaded again stays one.
    var moduleFiles: Table<ModuleID, ModuleID> {
        var first: [String: ModuleID] = [:]
        return Table(
            modules.enumerated().map { index, module in
                if let known = first[module.path] { return known }
                first[module.path] = ModuleID(index: index)
                return ModuleID(index: index)
            }
        )
    }
}

extension RecordedFrame {
    /// No frame of the program: says that the stack could not be followed further, or was cut.
    package var isPlaceholder: Bool { kind == .incomplete || kind == .truncated }
    /// Code that the program made at run time, unless a profile gives it a name.
    package var isGenerated: Bool { module == .none && offset == 0 && !isPlaceholder }
}
