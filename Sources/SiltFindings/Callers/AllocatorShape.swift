internal import SiltEvents
internal import SiltRecording
internal import SiltSymbols

/// Finds the program's own allocator wrappers by what they do: hand out blocks to many callers and keep none.
///
/// No list knows `jv_mem_alloc` or `ngx_resolver_alloc`. A function that speaks of allocation needs a few callers. One that
/// does not must hand out most of its module's blocks, to many callers; a line of the main program is never stepped over
/// for that, since a helper that many share is told apart by its callers (`CallerSearch`). What keeps the blocks itself
/// frees none of them, whoever calls: where lines are known, a wrapper's blocks are mostly freed.
package enum AllocatorShape {
    package struct Key: Hashable, Sendable {
        var function: StringID
        var module: ModuleID

        init(_ names: FrameNames, _ row: Int, _ frame: FrameID, _ recording: Recording) {
            function = names.rows[row].function
            let module = recording.frames[frame].module
            self.module = module == .none ? .none : names.moduleFiles[module]
        }
    }

    package struct Wrapper: Sendable {
        var key: Key
        package var name: String
    }

    /// Wrappers around wrappers.
    static let levels = 4
    /// Callers that it must have, as its name speaks of allocation or not: one or two may be chance.
    private static let callers = (speaking: 3, silent: 8)
    /// Blocks that it must have handed out before its shape says anything.
    private static let blocks: UInt64 = 32
    /// A wrapper whose name says nothing hands out at least this share of its module's blocks.
    private static let shareOfModule = 0.5
    /// At least so much of what a wrapper hands out is freed again: what leaks keeps more.
    private static let freedShare = 0.3
    /// A wrapper keeps hardly anything itself: so much of what it allocates goes to its callers.
    private static let passedOnShare = 0.95

    private struct Function {
        var key: Key
        var row: Int
        var allocated: UInt64 = 0
        var freed: UInt64 = 0
        /// No more than are asked for.
        var callers: [UInt64] = []
        /// Blocks whose stack has named program code further out.
        var passedOn: UInt64 = 0
    }

    /// The wrappers among the functions that are blamed now.
    static func wrappers(of recording: Recording, _ names: FrameNames, _ allocators: AllocatorFrames) -> [Wrapper] {
        var functions: [Function] = []
        var numbers: [Key: Int] = [:]
        /// The number of the blamed function; −1: not asked yet.
        var numberOfFrame = Table<FrameID, Int>(repeating: -1, count: recording.frames.count)
        /// Blocks, by module.
        var modules = [UInt64](repeating: 0, count: recording.modules.count + 1)
        for counters in recording.counters where counters.stack != .none {
            let (node, row) = names.blame(ofStack: counters.stack)
            let frame = recording.frame(ofStack: node)
            guard frame != .none else { continue }
            var number = numberOfFrame[frame]
            if number < 0 {
                let key = Key(names, row, frame, recording)
                number = numbers[key] ?? functions.count
                if number == functions.count {
                    numbers[key] = number
                    functions.append(Function(key: key, row: row))
                }
                numberOfFrame[frame] = number
            }
            modules[Int(functions[number].key.module.rawValue)] &+= counters.allocatedCount
            guard names.rows[row].function != .none, names.rows[row].kind == .program else { continue }
            functions[number].allocated &+= counters.allocatedCount
            functions[number].freed &+=
                counters.allocatedCount &- min(counters.allocatedCount, counters.inUseCount)
            guard let caller = caller(of: row, node, names, recording) else { continue }
            functions[number].passedOn &+= counters.allocatedCount
            if functions[number].callers.count < callers.silent, !functions[number].callers.contains(caller) {
                functions[number].callers.append(caller)
            }
        }
        let programs = Set(recording.processes.map(\.executable))
        return functions.compactMap { function -> Wrapper? in
            guard function.allocated >= blocks, function.callers.count >= callers.speaking,
                Double(function.passedOn) >= passedOnShare * Double(function.allocated)
            else { return nil }
            let key = function.key
            let name = recording.string(key.function)
            guard !allocators.isShown(function: name) else { return nil }
            let row = names.rows[function.row]
            let hasLine = row.file != .none && row.line != 0
            let freesMost = Double(function.freed) >= freedShare * Double(function.allocated)
            if freesMost || !hasLine, AllocatorFrames.speaksOfAllocation(name) { return Wrapper(key: key, name: name) }
            let isOfProgram = key.module != .none && programs.contains(recording.path(ofModule: key.module))
            guard !(hasLine && isOfProgram), function.callers.count >= callers.silent, freesMost,
                Double(function.allocated) >= shareOfModule * Double(modules[Int(key.module.rawValue)])
            else { return nil }
            return Wrapper(key: key, name: name)
        }.sorted { $0.name < $1.name }
    }

    /// The next named function outward.
    private static func caller(of row: Int, _ start: StackID, _ names: FrameNames, _ recording: Recording) -> UInt64? {
        for step in names.walk(from: start, in: recording) {
            for row in step.node == start ? row + 1..<step.rows.upperBound : step.rows
            where names.rows[row].kind == .program && names.rows[row].function != .none {
                return names.functionKey(ofRow: row, frame: step.frame, in: recording)
            }
        }
        return nil
    }
}
