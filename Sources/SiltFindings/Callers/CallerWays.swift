internal import SiltEvents
internal import SiltRecording
internal import SiltSymbols

/// The functions that a stack's blamed one was called through; one for a report.
final class CallerWays {
    let recording: Recording
    let names: FrameNames
    /// What rows of `names` are on a way.
    let steps: [Step]
    /// By step.
    let numbers: [StepNumbers]
    private let ofFrames: Table<FrameID, FrameSteps>
    /// By the function or line of a step: its number.
    private let numberOfKey: [UInt64: Int32]
    /// By number: the last walk that has met the function.
    private var met: [Int]
    private var walks = 0
    /// By number, 0 between two calls of `[SitePath].candidates`: the candidate that it stands for, from 1.
    var candidates: [Int32]
    /// Interpreters' own files.
    private let isInterpreter: Table<ModuleID, Bool>

    init(recording: Recording, names: FrameNames) {
        self.recording = recording
        self.names = names
        var (steps, numbers): ([Step], [StepNumbers]) = ([], [])
        var ofFrames: Table<FrameID, FrameSteps> = []
        var numberOfKey: [UInt64: Int32] = [:]
        func number(_ key: UInt64) -> Int32 {
            let number = numberOfKey[key] ?? Int32(numberOfKey.count)
            numberOfKey[key] = number
            return number
        }
        for (index, range) in names.ranges.enumerated() {
            let first = Int32(steps.count)
            for row in range {
                guard let step = Self.step(row, .init(index: index), names, recording) else { continue }
                steps.append(step)
                numbers.append(StepNumbers(function: number(step.function), line: number(step.line)))
            }
            let isLoop = range.contains { names.rows[$0].isLoop }
            ofFrames.append(FrameSteps(steps: first..<Int32(steps.count), isLoop: isLoop))
        }
        (self.steps, self.numbers, self.ofFrames, self.numberOfKey) = (steps, numbers, ofFrames, numberOfKey)
        met = Array(repeating: 0, count: numberOfKey.count)
        candidates = Array(repeating: 0, count: numberOfKey.count)
        isInterpreter = Table(recording.modules.map { InterpreterNames.isInterpreter(file: $0.path) })
    }

    /// One function outward of the blamed one.
    struct Step {
        /// Tells functions, and lines of them, apart; never equal to each other.
        var function: UInt64
        var line: UInt64
        var row: Int
        var frame: FrameID
        var isNamed: Bool
        var hasLine: Bool
    }

    /// `Step.function` and `Step.line` by numbers from 0, all different.
    struct StepNumbers {
        var function: Int32
        var line: Int32
    }

    /// What is on a way of the functions at a frame.
    private struct FrameSteps {
        var steps: Range<Int32>
        /// One of the functions runs a script.
        var isLoop: Bool
    }

    /// Functions followed outward.
    private static let levels = 64

    /// The way outward of the blamed function, in `steps`.
    ///
    /// Innermost first: without wrappers, interpreters' loops and what of these interpreters is outward of them, code made
    /// at run time, and what is on the way already.
    func way(of stack: StackID) -> [Int32] {
        let (start, blamedRow) = names.blame(ofStack: stack)
        let frame = recording.frame(ofStack: start)
        guard frame != .none else { return [] }
        let blamed = names.functionKey(ofRow: blamedRow, frame: frame, in: recording)
        var way: [Int32] = []
        walks += 1
        if let number = numberOfKey[blamed] { met[Int(number)] = walks }
        var isInScript = false
        for place in names.walk(from: start, in: recording) {
            guard way.count < Self.levels else { break }
            let here = ofFrames[place.frame]
            isInScript = isInScript || here.isLoop
            if isInScript, isOfInterpreter(place.frame) { continue }
            for step in here.steps where place.node != start || steps[Int(step)].row > blamedRow {
                let function = Int(numbers[Int(step)].function)
                guard met[function] != walks else { continue }
                met[function] = walks
                way.append(step)
            }
        }
        return way
    }

    /// In `StepNumbers`.
    func number(ofFunction step: Step) -> Int32 { numberOfKey[step.function] ?? -1 }

    private func isOfInterpreter(_ frame: FrameID) -> Bool {
        let module = recording.frames[frame].module
        return module != .none && isInterpreter[module]
    }

    /// A number that is equal for stacks whose blamed function allocates through the same functions.
    func inside(of stack: StackID) -> UInt64 {
        let (blamed, row) = names.blame(ofStack: stack)
        var hash: UInt64 = 0
        func add(_ rows: Range<Int>, _ frame: FrameID) {
            for row in rows { hash = hash &* 1_000_003 &+ names.functionKey(ofRow: row, frame: frame, in: recording) }
        }
        for step in names.walk(from: stack, in: recording) {
            add(step.node == blamed ? step.rows.lowerBound..<row : step.rows, step.frame)
            if step.node == blamed { break }
        }
        return hash
    }

    /// The distinguishing caller, or the blamed function without one, and the named functions outward of it, except for those
    /// that everything is called from.
    func common(to stack: StackID, caller: FrameNames.Place?) -> Set<UInt64> {
        let (node, row) = names.blame(ofStack: stack)
        guard node != .none else { return [] }
        let frame = recording.frame(ofStack: node)
        var outward = way(of: stack).map { steps[Int($0)] }[...]
        if let caller {
            let function = names.functionKey(ofRow: caller.row, frame: caller.frame, in: recording)
            outward = outward.drop { $0.function != function }
        }
        var functions = Set(outward.filter { $0.isNamed && !isStart($0.row) }.map(\.function))
        if caller == nil, frame != .none, !isStart(row), !names.rows[row].isLoop {
            functions.insert(names.functionKey(ofRow: row, frame: frame, in: recording))
        }
        return functions
    }

    private func isStart(_ row: Int) -> Bool {
        let name = recording.string(names.rows[row].function)
        return ["main", "main.main", "runtime.main", "runtime.goexit", "$s4main0A0V", "async_Main"].contains(name)
            || name.hasSuffix("::main")
    }

    /// The innermost function with a line that nearly all of those stacks have; nil when the blamed one has a line itself.
    func origin(of stacks: [ReportSite.StackPart], blame: FrameNames.Place) -> ReportFrame? {
        guard names.rows[blame.row].line == 0, let first = stacks.first else { return nil }
        // What was given back in the end is known by what was allocated.
        let weighsInUse = first.inUseBytes > 0
        var sums: [UInt64: (weight: Double, row: Int, frame: FrameID)] = [:]
        var total = 0.0
        for part in stacks {
            let weight = Double(weighsInUse ? part.inUseBytes : part.allocatedBytes)
            total += weight
            let outward = way(of: part.stack).lazy.map { self.steps[Int($0)] }
            guard let step = outward.first(where: { names.rows[$0.row].line != 0 && $0.isNamed }) else { continue }
            sums[step.line, default: (0, step.row, step.frame)].weight += weight
        }
        guard let most = sums.values.max(by: { $0.weight < $1.weight }), most.weight >= Self.nearlyAll * total,
            !isStart(most.row)
        else { return nil }
        return names.frame(ofRow: most.row, frame: most.frame, in: recording)
    }

    private static let nearlyAll = 0.8

    private static func step(_ row: Int, _ frame: FrameID, _ names: FrameNames, _ recording: Recording) -> Step? {
        let facts = names.rows[row]
        guard facts.kind >= .unnamed, !facts.isLoop else { return nil }
        // Code made at run time is made again elsewhere.
        guard facts.function != .none || recording.frames[frame].module != .none else { return nil }
        let function = names.functionKey(ofRow: row, frame: frame, in: recording)
        return Step(
            function: function,
            line: (function &* 1_000_003 &+ UInt64(facts.line) &+ 1) | 1 << 63,
            row: row,
            frame: frame,
            isNamed: facts.function != .none && facts.kind == .program,
            hasLine: facts.file != .none && facts.line != 0
        )
    }
}

extension FrameNames {
    /// A function at a frame.
    struct Place {
        var row: Int
        var frame: FrameID
    }

    /// Tells functions apart; frames without a name by their address.
    func functionKey(ofRow row: Int, frame: FrameID, in recording: Recording) -> UInt64 {
        let function = rows[row].function
        return function == .none ? UInt64(frame.rawValue) << 32 : UInt64(function.rawValue)
    }
}
