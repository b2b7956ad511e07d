internal import CSiltWire
internal import Glibc
internal import SiltEvents
internal import SiltHeap
internal import SiltRecording
internal import SiltSymbols
internal import SiltSystem
internal import SiltText

/// Turns what the collector knows into rows of the recording, one transaction a snapshot.
///
/// Cost follows what moved, not what exists, and is held below a twenty-fifth of a CPU: when a snapshot's rows took
/// longer, the next ones are left to a later transaction, and so are those of a process in decline, except for its totals.
/// Histories lose nothing by that, they are replaced as a whole.
final class RecordingOutput {
    private(set) var writer: RecordingWriter
    private let stacks: StackTable
    private let symbolizer: Symbolizer
    private let blame: BlameKeys
    private let period: Double
    /// As in `SnapshotScale`.
    private(set) var maximumStep: UInt32 = 1
    private(set) var target = RecordedTarget(command: [])
    private(set) var numbers: [UInt64: UInt32] = [:]
    /// What is not followed.
    var untraced = UntracedPrograms()
    /// The hunt that is on.
    var hunt: HuntLedger?
    private var processes: [UInt64: RecordedProcess] = [:]
    /// Rows are written again from then on.
    private(set) var writesFrom = 0.0
    /// By image.
    private(set) var watches: [UInt64: MemoryWatch] = [:]
    /// By image.
    private var declines: [UInt64: Decline] = [:]
    /// By image: bytes when its state was last written.
    private var lastInUse: [UInt64: UInt64] = [:]
    /// By process, as they were written last.
    private var descriptorLimits: [UInt32: DescriptorLimit] = [:]
    /// By image with intervals of its own.
    private var waysOut: [UInt64: WayOut] = [:]
    private var rises = LatestRises()
    /// What grew most when that was last asked for.
    private var top: (key: LatestRises.Key, name: String?, seconds: Double)?

    /// Seconds for which a name is kept: to find it takes a look at all stacks.
    private static let nameLasts = 5.0

    init(options: TraceOptions, stacks: StackTable, symbolizer: Symbolizer, blame: BlameKeys) throws {
        self.blame = blame
        if options.startedByPreload != nil {
            // A service that is started again at once finds the analyzer of its last run still there.
            waitUntilNobodyWrites(recording: options.recording, seconds: Self.maximumHandover)
        }
        writer = try RecordingWriter(path: options.recording)
        self.stacks = stacks
        self.symbolizer = symbolizer
        period = options.snapshotEvery
        target.snapshotPeriodNs = UInt64(options.snapshotEvery * 1e9)
        maximumStep = options.scale.maximumStep
        target.siltVersion = options.siltVersion
        target.startUnixNs = UInt64(Clock.unixNanoseconds)
        target.kernel = kernelRelease()
        try transaction {
            try writer.write(target)
            if maximumStep > 1 { try writer.write(maximumSnapshotStep: maximumStep) }
        }
    }

    /// Seconds that a preloaded program may wait for the one before it to let go of the recording.
    private static let maximumHandover = 5.0

    func setTarget(command: [String]) throws {
        target.command = command
        try transaction { try writer.write(target) }
    }

    /// Says of a replayed trace what was said when it was recorded.
    func replay(_ target: RecordedTarget, maximumStep: UInt32) throws {
        (self.target, self.maximumStep) = (target, maximumStep)
        try transaction {
            try writer.write(target)
            try writer.write(maximumSnapshotStep: maximumStep)
        }
    }

    /// Makes sure that the files of an image can be read after its end; the descriptor is its own from now on.
    func meet(_ image: TracedImage, executable: Int32) {
        symbolizer.add(process: image.pid)
        if executable >= 0 { symbolizer.add(executable: executable, path: image.shared.executable) }
        // A fork child's are its parent's.
        if image.shared.header.forked == 0 { symbolizer.look(at: image.pid) }
        let symbolizer = symbolizer
        let (began, pid) = (image.beganUnixNs, image.pid)
        image.onModules = { symbolizer.add(modules: $0, began: began, pid: pid) }
    }

    /// What is known of a replayed image's files: they were loaded before it began.
    func meet(replayed image: TracedImage) {
        let symbolizer = symbolizer
        let began = Int64(clamping: target.startUnixNs) &+ Int64(Clock.nanoseconds(image.startedAt))
        image.onModules = { symbolizer.add(modules: $0, began: began, pid: nil) }
    }

    /// Says why nothing of what comes later is in the recording.
    func stop(_ reason: String) { target.untraceable = reason }

    /// How the traced command is called, if that is its process; nil else.
    func commandName(ofPid pid: pid_t) -> String? {
        guard pid > 0, target.pid == UInt32(pid) else { return nil }
        return target.command.first.map { String($0.lastPathComponent) }
    }

    private func writeUntraced() throws {
        guard untraced.isChanged else { return }
        try writer.write(untraced.recorded)
        untraced.isWritten()
    }

    /// A process image said hello.
    func begin(_ image: TracedImage) throws {
        let number = UInt32(numbers.count + 1)
        numbers[image.id] = number
        let header = image.shared.header
        if hunt != nil { image.startCountingFrees() }
        var process = RecordedProcess(id: number, pid: UInt32(image.pid))
        process.parentPid = header.ppid
        process.parent = numbers[header.parent_image] ?? 0
        process.command = image.shared.command
        process.executable = image.shared.executable
        process.forked = header.forked != 0
        process.startNs = Clock.nanoseconds(image.startedAt)
        processes[image.id] = process
        // As often as snapshots are taken in the end; where they are all that far apart, at each that it is time for.
        let lookPeriod = maximumStep > 1 || image.own != nil ? period : 0
        watches[image.id] = MemoryWatch(allocator: image.shared.allocator, period: lookPeriod)
        if number == 1 {
            target.pid = process.pid
            target.executable = process.executable
            target.allocator = image.shared.allocator
            target.directory = image.shared.workingDirectory
            if target.command.isEmpty { target.command = process.command }
        }
        try transaction {
            try writer.write(process)
            if number == 1 {
                try writer.write(target)
                if let group = ControlGroup(of: image.pid) { try writer.write(memoryLimit: group.limit) }
            }
        }
    }

    /// What a program holds is kept when it gives back more than one part in so many on its way out.
    private static let keptPart: UInt64 = 8

    /// A process image has ended; what it held until then is written.
    func end(_ image: TracedImage, how: ImageEnd, at time: Double) throws {
        guard var process = processes.removeValue(forKey: image.id) else { return }
        process.endNs = Clock.nanoseconds(time)
        switch how {
        case .status(.exited(let status)): process.end = .exited(status: Int(status))
        case .status(.signaled(let signal)): process.end = .killed(signal: Int(signal))
        case .ended: process.end = .unknown
        case .executed: process.end = .execed
        case .stillRunning: process.end = .running
        }
        // What a program gives back on its way out says nothing about how it grew while it ran.
        let tearsDown =
            switch how {
            case .status(.exited), .ended: true
            case .status(.signaled), .executed, .stillRunning: false
            }
        try transaction {
            let (left, peak) = (image.heap.totals.inUseBytes, image.heap.totals.peakInUseBytes)
            let last = lastInUse[image.id] ?? (hunt == nil ? 0 : peak - peak / Self.keptPart)
            // Of a worker that is replaced during a hunt it matters what its last requests left.
            if tearsDown, hunt == nil || last > left {
                if last - last / Self.keptPart > left { try writer.keepCounters(process: process.id) }
                try writeNumbers(image)
            } else {
                try writeState(image, at: time)
            }
            try writer.write(process)
            try writeExamples(image)
            try writeThreads(image)
            try writer.write(image.classRows(process: process.id))
        }
        rises.forget(image: image.id)
        declines[image.id] = nil
        waysOut[image.id] = nil
        watches[image.id] = nil
        lastInUse[image.id] = nil
        hunt?.forget(image.id)
    }

    /// What a process holds that is about to give much of it back.
    func isWorthWriting(_ image: TracedImage, at time: Double) -> Bool {
        time >= writesFrom && !mayBeOnItsWayOut(image, at: time)
    }

    func writeBeforeDecline(_ image: TracedImage, at time: Double) throws {
        try transaction { try writeState(image, at: time) }
    }

    /// Writes what moved since the last snapshot of these images, unless the last one took so long that it is too early.
    func snapshot(_ due: [TracedImage], at time: Double, evenIfEarly: Bool = false) throws {
        var declining: Set<UInt64> = []
        for image in due {
            image.nameThreads()
            let isDeclining =
                image.own == nil
                ? declines[image.id, default: Decline()].goesOn(image.heap) : mayBeOnItsWayOut(image, at: time)
            if isDeclining { declining.insert(image.id) }
        }
        guard evenIfEarly || time >= writesFrom else { return }
        try spaced(at: time) {
            try writeUntraced()
            for image in due {
                if declining.contains(image.id) { try writeTotals(image) } else { try writeState(image, at: time) }
            }
        }
    }

    /// Writes rows, and no more for some time, by what that has cost.
    private func spaced(at time: Double, _ write: () throws -> Void) throws {
        // Looks at memory have a bound of their own.
        let began = Clock.threadCPUNanoseconds &- lookNanoseconds
        try transaction(write)
        let spent = Clock.threadCPUNanoseconds &- lookNanoseconds &- began
        // A snapshot that is due then is written.
        let rest = SnapshotScale.rest(after: Double(spent) / 1e9, share: 25, at: time)
        writesFrom = time + rest - period / Double(maximumStep) / 2
    }

    private func mayBeOnItsWayOut(_ image: TracedImage, at time: Double) -> Bool {
        let totals = image.heap.totals
        return waysOut[image.id, default: WayOut()].goesOn(bytes: totals.inUseBytes, count: totals.inUseCount, at: time)
    }

    /// How the trace stands.
    func progress(of images: [TracedImage], at time: Double) -> TraceProgress {
        var progress = TraceProgress(
            seconds: time,
            liveBytes: 0,
            liveBlocks: 0,
            processes: images.count,
            topGrower: topGrower(images, at: time)
        )
        for image in images {
            progress.liveBytes += image.heap.totals.inUseBytes
            progress.liveBlocks += image.heap.totals.inUseCount
        }
        return progress
    }

    /// Symbolizes every frame and closes the file.
    func close(_ outcome: TraceOutcome, at time: Double) throws {
        switch outcome.exit {
        case .exited(let status)?: target.exitStatus = Int(status)
        case .signaled(let signal)?: target.signal = Int(signal)
        case nil: break
        }
        target.endNs = Clock.nanoseconds(time)
        hunt = nil
        var cost = RecordedCost()
        cost.commandCPUNs = outcome.commandCPUNanoseconds
        cost.commandPeakBytes = outcome.commandPeakBytes
        cost.analyzerCPUNs = Clock.processCPUNanoseconds
        cost.analyzerPeakBytes = ownPeakBytes()
        try transaction {
            try writer.write(cost)
            try writeUntraced()
            if outcome.failure == nil { try writer.addNew(of: stacks) }
            try writeSymbols()
            try writer.write(target)
        }
        try writer.close()
    }

    /// Gives up the recording: what is committed stays.
    func abandon() { writer.abandon() }

    /// Names what an abandoned recording holds, and says how the command ended, as far as there is room.
    ///
    /// It stays one that was not closed.
    func salvage(_ outcome: TraceOutcome, at time: Double) {
        guard let path = writer.path else { return }
        do {
            writer = try RecordingWriter(addingTo: path)
            try close(outcome, at: time)
        } catch {
            writer.abandon()
        }
    }

    /// Names every frame that is known by now, and the threads of what runs.
    func symbolize(_ images: [TracedImage]) throws {
        try transaction {
            try writer.addNew(of: stacks)
            try writeSymbols()
            for image in images { try writeThreads(image) }
        }
    }

    private func writeExamples(_ image: TracedImage) throws {
        guard image.looks.hasNewExamples, let number = numbers[image.id] else { return }
        image.looks.hasNewExamples = false
        let rows = image.looks.examples.map { key, example in
            RecordedExample(
                key.resource,
                process: number,
                stack: key.stack,
                kind: example.kind,
                text: example.text,
                sinceNs: Clock.nanoseconds(example.since)
            )
        }
        try writer.write(rows, process: number)
    }

    private func writeDescriptorLimit(_ image: TracedImage, process: UInt32, at time: Double) throws {
        guard var limit = image.descriptorLimit else { return }
        let before = descriptorLimits[process]
        limit.fullNs = limit.isFull ? before?.fullNs ?? Clock.nanoseconds(time) : nil
        guard limit != before else { return }
        descriptorLimits[process] = limit
        try writer.write(limit, process: process)
    }

    private func writeThreads(_ image: TracedImage) throws {
        guard let number = numbers[image.id] else { return }
        try writer.write(image.threadRows(process: number), process: number)
    }

    /// A snapshot: numbers, and how they came about; `isMark`: a round of a hunt, or its baseline, ends with it.
    func writeState(_ image: TracedImage, at time: Double, isMark: Bool = false) throws {
        guard let number = numbers[image.id] else { return }
        // The interval that is open now began with this snapshot.
        let interval = image.heap.interval - 1
        var snapshot = RecordedSnapshot(of: image.heap, process: number, timeNs: Clock.nanoseconds(time))
        let isOften = maximumStep > 1 || image.own != nil && !isMark
        snapshot.rssBytes = isOften ? image.recentResidentBytes : image.sampleResidentBytes()
        for var row in image.takeOwnRows() where row.snapshot != interval {
            row.process = number
            try writer.write(row)
        }
        try writer.write(snapshot)
        try writeMemory(
            image,
            resident: snapshot.rssBytes ?? 0,
            process: number,
            snapshot: interval,
            isMark: isMark
        )
        try writeDescriptorLimit(image, process: number, at: time)
        try writeExamples(image)
        lastInUse[image.id] = snapshot.inUseBytes
        for (resource, stack) in try writeNumbers(image) {
            if let history = image.heap.history(of: stack, resource) {
                try writer.write(history: history.encoded(), of: resource, process: number, stack: stack)
            }
        }
        for resource in Resource.allCases { try writeGroups(image, resource, process: number, snapshot: interval) }
    }

    private func writeGroups(
        _ image: TracedImage,
        _ resource: Resource,
        process number: UInt32,
        snapshot: UInt32
    ) throws {
        for key in image.takeChangedGroups(of: resource) {
            let live = image.heap.groupLive(of: key, resource)
            let rising = LatestRises.Key(resource: resource, group: key)
            rises.note(resource.isCounted ? live.count : live.bytes, rising, image: image.id, isFirst: snapshot == 0)
            try writer.write(
                RecordedSample(
                    resource,
                    process: number,
                    group: key,
                    snapshot: snapshot,
                    inUseBytes: live.bytes,
                    inUseCount: live.count
                )
            )
            if let history = image.heap.groupHistory(of: key, resource) {
                try writer.write(history: history.encoded(), of: resource, process: number, group: key)
            }
        }
    }

    private var lookNanoseconds: UInt64 { watches.values.reduce(0) { $0 &+ $1.nanoseconds } }

    /// What the memory is for, when it is time to look at that.
    private func writeMemory(
        _ image: TracedImage,
        resident: UInt64,
        process: UInt32,
        snapshot: UInt32,
        isMark: Bool
    ) throws {
        defer { if isMark { watches[image.id]?.mark(resident: resident, live: image.heap.totals.inUseBytes) } }
        let processes = watches.count
        guard resident > 0,
            let look = watches[image.id]?.look(image, resident: resident, processes: processes, isMark: isMark)
        else { return }
        let row = RecordedMemory(process: process, snapshot: snapshot, bytes: look.uses, details: look.details)
        guard let news = watches[image.id]?.add(row) else { return }
        try writer.write(news.rows, process: process, replacing: news.isAll)
        let pins = look.pins.map { RecordedPin(process: process, stack: $0.stack, bytes: $0.bytes) }
        try writer.write(pins, process: process)
    }

    /// Totals, trust, and the counters of the stacks that changed, which are returned.
    @discardableResult
    private func writeNumbers(_ image: TracedImage) throws -> [(Resource, StackID)] {
        guard let number = numbers[image.id] else { return [] }
        try writer.addNew(of: stacks)
        try writeTotals(image)
        var all: [(Resource, StackID)] = []
        for resource in Resource.allCases {
            // In the order of the keys they are stored by.
            let changed = image.takeChangedStacks(of: resource).sorted { $0.rawValue < $1.rawValue }
            if resource == .heap {
                hunt?.changed(changed, of: image.id)
                try writer.write(changed.compactMap { image.movesRow(by: $0, process: number) })
            }
            for stack in changed {
                try writer.write(image.countersRow(of: stack, resource, group: blame.key(stack), process: number))
                all.append((resource, stack))
            }
        }
        return all
    }

    private func topGrower(_ images: [TracedImage], at time: Double) -> TraceProgress.Grower? {
        guard let most = rises.most(at: time) else { return nil }
        if top?.key != most.key || time - (top?.seconds ?? 0) >= Self.nameLasts {
            top = (most.key, suspect(most.key.group, most.key.resource, images), time)
        }
        return top?.name.map { name in
            TraceProgress.Grower(
                function: name,
                resource: most.key.resource,
                rise: UInt64(most.rise),
                seconds: most.seconds
            )
        }
    }

    /// The name of what grows with that key.
    func suspect(_ key: FrameID, _ resource: Resource, _ images: [TracedImage]) -> String? {
        Suspect(stacks: stacks, blame: blame).name(of: key, resource, in: images)
    }

    /// The interpreter that what has that key of `BlameKeys` is in.
    func keeper(of key: FrameID) -> ObjectKeeper? {
        guard stacks.frames.holds(key), stacks[key].module != .none else { return nil }
        return ObjectKeeper(file: stacks[stacks[key].module].path)
    }

    /// What the process holds, and what that rests on.
    private func writeTotals(_ image: TracedImage) throws {
        guard let number = numbers[image.id] else { return }
        try writer.write(image.totalsRow, process: number)
        try writer.write(image.trustRow, process: number)
    }

    /// File by file, so that no more than one file's debug information is in memory.
    private func writeSymbols() throws {
        let byModule = Dictionary(grouping: stacks.frames.indices) { stacks.frames[$0].module }
        for (number, module) in stacks.modules.enumerated() {
            let id = ModuleID(index: number)
            guard let frames = byModule[id] else { continue }
            let lines = blame.needsLines(module: id)
            for index in frames where index < writer.storedFrames {
                try writeSymbols(of: index, in: module, lines: lines)
            }
            if lines, let reason = symbolizer.missingLines(module) {
                try writer.write(missingLines: reason, module: id)
            }
            symbolizer.release(module)
        }
    }

    private func writeSymbols(of index: Int, in module: Module, lines: Bool) throws {
        let frame = stacks.frames[index]
        let (offset, isExact) = (frame.offset, frame.kind == .exact)
        let functions = symbolizer.resolve(module, offset: offset, exact: isExact, lines: lines)
        try writer.write(symbols: functions.filter { !$0.function.isEmpty }, frame: FrameID(index: index))
        guard lines, let called = symbolizer.called(module, offset: offset, kind: frame.kind) else { return }
        try writer.write(called: called, frame: FrameID(index: index))
    }

    func transaction(_ body: () throws -> Void) throws {
        try writer.begin()
        try body()
        try writer.commit()
    }
}

/// Release of the running kernel (uname(2)).
private func kernelRelease() -> String {
    var names = utsname()
    guard uname(&names) == 0 else { return "" }
    return withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
