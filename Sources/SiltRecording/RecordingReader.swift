internal import CSQLite
internal import SiltEvents

extension Recording {
    /// Reads a recording, also one that is still being written or whose writer was killed.
    ///
    /// Throws for a file that is not a recording, that another version made, or that is damaged: then nothing of it is returned.
    package init(path: String) throws(RecordingError) {
        self = try Self.read(RecordingFile.openToRead(path))
    }

    /// What a writer has written so far, open transaction included; how a temporary recording is read.
    package init(of writer: RecordingWriter) throws(RecordingError) {
        try writer.writePending()
        self = try Self.read(writer.database)
    }

    private static func read(_ database: Database) throws(RecordingError) -> Recording {
        var recording = Recording()
        try recording.readTarget(database)
        try recording.readProcesses(database)
        try recording.readUntraced(database)
        try recording.readStacks(database)
        try recording.readSymbols(database)
        try recording.readCounterChunks(database)
        try recording.readSeries(database)
        try recording.takeApartGoroutines(database)
        try recording.readMemory(database)
        try recording.readPins(database)
        try recording.readMoves(database)
        try recording.readDescriptorLimits(database)
        try recording.readTimeline(database)
        try recording.readExamples(database)
        try recording.readRounds(database)
        try recording.readHuntEnd(database)
        try recording.check(database)
        return recording
    }

    /// False in a file that was written before there was such a table.
    func hasTable(_ name: String, _ database: Database) throws(RecordingError) -> Bool {
        try database.integer("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '\(name)'") > 0
    }

    /// False in a file whose table was made before it had such a column.
    func hasColumn(_ name: String, of table: String, _ database: Database) throws(RecordingError) -> Bool {
        try database.integer("SELECT count(*) FROM pragma_table_info('\(table)') WHERE name = '\(name)'") > 0
    }

    private mutating func readTarget(_ database: Database) throws(RecordingError) {
        let row = try database.prepare(
            """
            SELECT command, directory, executable, pid, allocator, exit_status, signal, silt_version, kernel,
                snapshot_period_ns, start_unix_ns, start_ns, end_ns, untraceable, closed FROM target
            """
        )
        guard try row.step() else { return }
        target.command = ShellWords.words(row.text(0))
        target.directory = row.text(1)
        target.executable = row.text(2)
        target.pid = row.id(3)
        target.allocator = row.text(4)
        target.exitStatus = row.optionalInteger(5)
        target.signal = row.optionalInteger(6)
        target.siltVersion = row.text(7)
        target.kernel = row.text(8)
        target.snapshotPeriodNs = row.time(9)
        target.startUnixNs = row.unsigned(10)
        target.startNs = row.time(11)
        target.endNs = row.optionalTime(12)
        target.untraceable = row.optionalText(13)
        isClosed = row.integer(14) != 0
        if try hasTable("snapshot_steps", database) {
            let steps = try database.prepare("SELECT longest FROM snapshot_steps")
            if try steps.step() { maximumSnapshotStep = max(1, steps.id(0)) }
        }
        if try hasTable("limits", database) {
            let limit = try database.prepare("SELECT memory FROM limits")
            if try limit.step() { memoryLimit = limit.optionalUnsigned(0) }
        }
        let costs = try database.prepare(
            "SELECT command_cpu_ns, command_peak, analyzer_cpu_ns, analyzer_peak FROM costs"
        )
        guard try costs.step() else { return }
        var cost = RecordedCost()
        cost.commandCPUNs = costs.time(0)
        cost.commandPeakBytes = costs.unsigned(1)
        cost.analyzerCPUNs = costs.time(2)
        cost.analyzerPeakBytes = costs.unsigned(3)
        self.cost = cost
    }

    private mutating func readProcesses(_ database: Database) throws(RecordingError) {
        let row = try database.prepare(
            """
            SELECT process, pid, parent_pid, parent, command, executable, forked, start_ns, end_ns, ended, status,
                alloc_space, alloc_objects, free_space, free_objects, inuse_space, inuse_objects, peak_inuse_space,
                mapped_space
            FROM processes LEFT JOIN totals USING (process) ORDER BY process
            """
        )
        while try row.step() {
            var process = RecordedProcess(id: row.id(0), pid: row.id(1))
            process.parentPid = row.id(2)
            process.parent = row.id(3)
            process.command = ShellWords.words(row.text(4))
            process.executable = row.text(5)
            process.forked = row.integer(6) != 0
            process.startNs = row.time(7)
            process.endNs = row.optionalTime(8)
            process.end = RecordedProcess.End(ended: row.text(9), status: row.optionalInteger(10))
            processes.append(process)
            var sum = RecordedTotals()
            sum.read(row, from: 11)
            totals.append(sum)
        }
        if try hasTable("process_kinds", database) {
            let row = try database.prepare("SELECT process, kind FROM process_kinds")
            while try row.step() {
                guard let index = processIndex(of: row.id(0)),
                    [Schema.profileKind, Self.goroutineKind].contains(row.text(1))
                else { throw .damaged(path: database.path, reason: "process kind \(row.text(1))") }
                processes[index].isProfiled = true
                let source = processes[index].executable
                processes[index].samplePeriod = ProfileSource.period(source.isEmpty ? target.allocator : source)
            }
        }
        trust = Array(repeating: TrustCounters(), count: processes.count)
        // Older files have not all of them.
        let columns = try Schema.trustColumns.map { name throws(RecordingError) in
            try hasColumn(name, of: "trust", database) ? name : "0"
        }
        let counters = try database.prepare(
            "SELECT process, \(columns.joined(separator: ", ")) FROM trust ORDER BY process"
        )
        while try counters.step() {
            guard let index = processIndex(of: counters.id(0)) else { continue }
            trust[index].read(counters, from: 1)
        }
        guard try hasTable("stops", database) else { return }
        let stops = try database.prepare("SELECT process, time_ns FROM stops")
        while try stops.step() {
            guard let index = processIndex(of: stops.id(0)) else { continue }
            trust[index].offNs = stops.time(1)
        }
    }

    /// In version 1 a process whose bytes and blocks are goroutines.
    private static let goroutineKind = "goroutine"

    /// What of the file says the resource of a row.
    private static func resourceColumn(_ database: Database) throws(RecordingError) -> String {
        try database.integer("PRAGMA user_version") == 1 ? "\(Resource.heap.rawValue)" : "resource"
    }

    private static func resource(_ row: Statement, _ database: Database) throws(RecordingError) -> Resource {
        guard let resource = UInt8(exactly: row.id(0)).flatMap(Resource.init(rawValue:)) else {
            throw .damaged(path: database.path, reason: "resource \(row.id(0))")
        }
        return resource
    }

    /// Gives the rows of version 1 that are of goroutines their resource.
    private mutating func takeApartGoroutines(_ database: Database) throws(RecordingError) {
        guard try hasTable("process_kinds", database) else { return }
        var goroutines: Set<UInt32> = []
        let row = try database.prepare("SELECT process FROM process_kinds WHERE kind = '\(Self.goroutineKind)'")
        while try row.step() { goroutines.insert(row.id(0)) }
        guard !goroutines.isEmpty else { return }
        for index in counters.indices where goroutines.contains(counters[index].process) {
            counters[index].resource = .goroutine
        }
        for index in histories.indices where goroutines.contains(histories[index].process) {
            histories[index].resource = .goroutine
        }
        counters.sort {
            ($0.resource.rawValue, $0.process, $0.stack) < ($1.resource.rawValue, $1.process, $1.stack)
        }
        histories.sort { ($0.resource.rawValue, $0.process, $0.key) < ($1.resource.rawValue, $1.process, $1.key) }
        // Beside heaps they are not blocks.
        guard goroutines.count < processes.count else { return }
        for index in processes.indices where goroutines.contains(processes[index].id) {
            totals[index] = RecordedTotals()
        }
    }

    /// Index in `processes` of a process number.
    package func processIndex(of id: UInt32) -> Int? {
        let index = processes.partitioningIndex { $0.id >= id }
        return index < processes.count && processes[index].id == id ? index : nil
    }

    /// Rows by id; ids beyond what a recording can hold mean a damaged file.
    private static func table<ID, Row>(
        _ database: Database,
        _ sql: String,
        empty: Row,
        read: (Statement) -> Row
    ) throws(RecordingError) -> Table<ID, Row> {
        var result = Table<ID, Row>()
        let statement = try database.prepare(sql)
        while try statement.step() {
            let id = statement.integer(0)
            guard id > result.count, id <= 1 << 28, id < result.count + 1 << 24 else {
                throw .damaged(path: database.path, reason: "id \(id) after \(result.count)")
            }
            while result.count < id - 1 { result.append(empty) }
            result.append(read(statement))
        }
        return result
    }

    private mutating func readStacks(_ database: Database) throws(RecordingError) {
        modules = try Self.table(
            database,
            "SELECT module, path, build_id, missing_lines FROM modules ORDER BY module",
            empty: RecordedModule(path: "", buildID: [])
        ) {
            RecordedModule(path: $0.text(1), buildID: $0.bytes(2), missingLines: $0.optionalText(3))
        }
        frames = try Self.table(
            database,
            "SELECT frame, module, offset, kind FROM frames ORDER BY frame",
            empty: RecordedFrame()
        ) {
            let kind = Frame.Kind(rawValue: UInt8(clamping: $0.integer(3)))
            return RecordedFrame(module: $0.id(1), offset: $0.unsigned(2), kind: kind ?? .incomplete)
        }
        try readStackChunks(database)
    }

    mutating func readStackRows(_ database: Database) throws(RecordingError) {
        stacks = try Self.table(
            database,
            "SELECT stack, parent, frame FROM stacks ORDER BY stack",
            empty: RecordedStack()
        ) {
            var stack = RecordedStack()
            stack.parent = $0.id(1)
            stack.frame = $0.id(2)
            return stack
        }
    }

    private mutating func readSymbols(_ database: Database) throws(RecordingError) {
        strings = try Self.table(database, "SELECT string, text FROM strings ORDER BY string", empty: "") { $0.text(1) }
        symbolRanges = Table(repeating: 0..<0, count: frames.count)
        let row = try database.prepare(
            """
            SELECT frame, coalesce(function, 0), coalesce(file, 0), coalesce(line, 0), inlined FROM symbol_rows
            ORDER BY frame, depth
            """
        )
        while try row.step() {
            let frame = Int(row.integer(0))
            let symbol = RecordedSymbol(
                function: row.id(1),
                file: row.id(2),
                line: row.id(3),
                inlined: row.integer(4) != 0
            )
            guard frame >= 1, frame <= frames.count, strings.holds(symbol.function), strings.holds(symbol.file)
            else {
                throw .damaged(path: database.path, reason: "symbol of frame \(frame)")
            }
            let range = symbolRanges[frame - 1]
            let next = Int32(symbols.count)
            symbolRanges[frame - 1] = (range.isEmpty ? next : range.lowerBound)..<next + 1
            symbols.append(symbol)
        }
        try readCalls(database)
    }

    /// Older files have none.
    private mutating func readCalls(_ database: Database) throws(RecordingError) {
        guard try hasTable("calls", database) else { return }
        let row = try database.prepare("SELECT frame, function FROM calls")
        while try row.step() {
            let (frame, function) = (row.integer(0), row.id(1) as StringID)
            guard frame >= 1, frame <= frames.count, strings.holds(function) else {
                throw .damaged(path: database.path, reason: "call of frame \(frame)")
            }
            calls[FrameID(index: Int(frame) - 1)] = function
        }
    }

    private mutating func readSeries(_ database: Database) throws(RecordingError) {
        let row = try database.prepare(
            """
            SELECT process, snapshot, width, time_ns, inuse_space, trough_space, inuse_objects, alloc_space,
                alloc_objects, rss, mapped FROM snapshots ORDER BY process, snapshot
            """
        )
        while try row.step() {
            var one = RecordedSnapshot(process: row.id(0), snapshot: row.id(1), timeNs: row.time(3))
            one.width = max(1, row.id(2))
            one.inUseBytes = row.unsigned(4)
            one.troughBytes = row.unsigned(5)
            one.inUseCount = row.unsigned(6)
            one.allocatedBytes = row.unsigned(7)
            one.allocatedCount = row.unsigned(8)
            one.rssBytes = row.optionalUnsigned(9)
            one.mappedBytes = row.optionalUnsigned(10)
            snapshots.append(one)
        }
        groupSamples = try Self.samples(database)
        histories = try readHistories(database, table: "histories", key: "stack")
        groupHistories = try readHistories(database, table: "site_histories", key: "site")
    }

    private static func samples(_ database: Database) throws(RecordingError) -> [RecordedSample] {
        var result: [RecordedSample] = []
        result.reserveCapacity(try database.integer("SELECT count(*) FROM site_samples"))
        let row = try database.prepare(
            """
            SELECT \(try resourceColumn(database)), process, site, snapshot, width, inuse_space, trough_space,
                inuse_objects FROM site_samples ORDER BY 1, process, site, snapshot
            """
        )
        while try row.step() {
            var sample = RecordedSample(
                try resource(row, database),
                process: row.id(1),
                group: row.id(2),
                snapshot: row.id(3),
                inUseBytes: row.unsigned(5),
                inUseCount: row.unsigned(7)
            )
            sample.width = max(1, row.id(4))
            sample.troughBytes = row.unsigned(6)
            result.append(sample)
        }
        return result
    }

    private mutating func readHistories<Key>(
        _ database: Database,
        table: String,
        key: String
    ) throws(RecordingError) -> [RecordedHistory<Key>] {
        var result: [RecordedHistory<Key>] = []
        let column = try Self.resourceColumn(database)
        let row = try database.prepare(
            "SELECT \(column), process, \(key), state FROM \(table) ORDER BY 1, process, \(key)"
        )
        while try row.step() {
            let start = historyBytes.count
            historyBytes += row.bytes(3)
            let resource = try Self.resource(row, database)
            result.append(
                RecordedHistory(
                    resource: resource,
                    process: row.id(1),
                    key: row.id(2),
                    range: start..<historyBytes.count
                )
            )
        }
        return result
    }

    private mutating func readTimeline(_ database: Database) throws(RecordingError) {
        let phase = try database.prepare("SELECT name, start_ns, end_ns, requests FROM phases ORDER BY phase")
        while try phase.step() {
            phases.append(
                RecordedPhase(
                    name: phase.text(0),
                    startNs: phase.time(1),
                    endNs: phase.optionalTime(2),
                    requests: phase.optionalUnsigned(3)
                )
            )
        }
        try readClasses(database)
        let mark = try database.prepare("SELECT name, time_ns FROM marks ORDER BY mark")
        while try mark.step() {
            marks.append(RecordedMark(name: mark.text(0), timeNs: mark.time(1)))
        }
        try readThreads(database)
    }

    /// Rejects ids that lead nowhere and stacks that lead in a circle.
    private func check(_ database: Database) throws(RecordingError) {
        for (index, frame) in frames.enumerated() where !modules.holds(frame.module) {
            throw .damaged(path: database.path, reason: "frame \(index + 1) names module \(frame.module.rawValue)")
        }
        for (index, stack) in stacks.enumerated() where stack.parent.rawValue > index || !frames.holds(stack.frame) {
            throw .damaged(
                path: database.path,
                reason: "stack \(index + 1) names stack \(stack.parent.rawValue), frame \(stack.frame.rawValue)"
            )
        }
        for row in counters where !stacks.holds(row.stack) || !frames.holds(row.group) {
            throw .damaged(
                path: database.path,
                reason: "counters name stack \(row.stack.rawValue), frame \(row.group.rawValue)"
            )
        }
        for sample in groupSamples where !frames.holds(sample.group) {
            throw .damaged(path: database.path, reason: "sample names frame \(sample.group.rawValue)")
        }
    }
}
