internal import SiltEvents
internal import SiltHeap
internal import SiltRecording

/// What became of the blocks that were born in a phase, its first round left out: live, or freed by whom.
struct HuntFlow {
    private let recording: Recording
    private let names: FrameNames
    private let hunt: HuntPhases
    /// By phase, then process and stack: blocks that were born.
    private var born: [[UInt64: UInt64]]
    /// The same: rows of `Recording.phaseFrees`.
    private var freed: [[UInt64: [Int]]]

    init(_ recording: Recording, _ names: FrameNames, _ hunt: HuntPhases) {
        self.recording = recording
        self.names = names
        self.hunt = hunt
        var phaseOf: [Int: Int] = [:]
        for (index, phase) in hunt.phases.enumerated() {
            for number in phase.numbers { phaseOf[number] = index }
        }
        born = Array(repeating: [:], count: hunt.phases.count)
        freed = Array(repeating: [:], count: hunt.phases.count)
        for row in recording.phaseAllocations {
            guard let phase = phaseOf[row.phase] else { continue }
            born[phase][row.stack.key(inProcess: row.process), default: 0] += row.count
        }
        for (index, row) in recording.phaseFrees.enumerated() {
            guard let phase = phaseOf[row.phase] else { continue }
            freed[phase][row.stack.key(inProcess: row.process), default: []].append(index)
        }
    }

    /// nil for shares of no phase, or when it is not known what was born.
    func outcome(of shares: [SiteShare]) -> (liveShare: Double, freedBy: FreedBy?)? {
        var all = 0.0
        var live = 0.0
        var partners: [UInt64: (frame: ReportFrame, count: UInt64)] = [:]
        for share in shares {
            // Of blocks alone it is known who freed them.
            guard let phase = share.phase, share.resource == .heap, share.workers == nil else { continue }
            if let history = share.history {
                let series = hunt.series(history)
                live += hunt.steadyPositions(of: hunt.phases[phase]).reduce(0) { $0 + series.counts[$1] }
            }
            for row in share.rows {
                let key = recording.counters[row].stack.key(inProcess: recording.counters[row].process)
                all += Double(born[phase][key] ?? 0)
                for index in freed[phase][key] ?? [] {
                    let row = recording.phaseFrees[index]
                    // A realloc has moved it: the block that it became was born too.
                    if row.freeStack == .none { all -= Double(row.count) } else { add(row, to: &partners) }
                }
            }
        }
        guard all > 0 else { return nil }
        let top = partners.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }?.value
        return (
            min(1, live / all), top.map { FreedBy(frame: $0.frame, share: min(1, Double($0.count) / all)) }
        )
    }

    private func add(_ row: PhaseFrees, to partners: inout [UInt64: (frame: ReportFrame, count: UInt64)]) {
        let (node, name) = names.blame(ofStack: row.freeStack)
        let frame = recording.frame(ofStack: node)
        guard frame != .none else { return }
        let key = names.functionKey(ofRow: name, frame: frame, in: recording)
        partners[key, default: (names.frame(ofRow: name, frame: frame, in: recording), 0)].count += row.count
    }
}
