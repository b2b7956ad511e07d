internal import SiltRecording

/// Which caller the growing blocks of a site have in common, when the blamed function has innocent callers as well.
///
/// Goes outward from the blame frame while one caller carries at least 80 % of the survivors and the rest would be
/// acquitted alone. The outermost caller at which something innocent was left behind distinguishes; where nothing ever
/// was, the blame frame says it all.
enum DistinguishingCaller {
    private static let share = 0.8
    /// Frames followed outward.
    private static let limit = 64

    /// The caller's frame, and the stack through it with most survivors.
    static func find(
        _ part: CallSites.Part,
        _ recording: Recording,
        _ blameFrames: [UInt32],
        _ judge: SiteJudge,
        snapshots: Int
    ) -> (frame: UInt32, stack: UInt32)? {
        struct Path {
            var stack: UInt32
            /// The node of the trie it has been followed to.
            var node: UInt32
            var weight: Double
            var history: Range<Int>?
        }
        let histories = Dictionary(part.stacks.map { ($0.stack, $0.history) }) { first, _ in first }
        var paths = part.allStacks.map { stack in
            var node = stack
            while node != 0, recording.stacks[Int(node) - 1].frame != blameFrames[Int(stack) - 1] {
                node = recording.stacks[Int(node) - 1].parent
            }
            let history = histories[stack]
            return Path(
                stack: stack,
                node: node,
                weight: history.map { judge.survivors($0, snapshots: snapshots) } ?? 0,
                history: history
            )
        }
        var found: UInt32?
        for _ in 0..<limit where paths.count > 1 {
            for index in paths.indices where paths[index].node != 0 {
                paths[index].node = recording.stacks[Int(paths[index].node) - 1].parent
            }
            func frame(_ path: Path) -> UInt32 {
                path.node == 0 ? 0 : recording.stacks[Int(path.node) - 1].frame
            }
            var weights: [UInt32: Double] = [:]
            for path in paths { weights[frame(path), default: 0] += path.weight }
            guard let best = weights.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), best.key != 0,
                best.value > 0,
                best.value >= share * weights.values.reduce(0, +)
            else { break }
            let rest = paths.filter { frame($0) != best.key }
            if !rest.isEmpty {
                if judge.isGrowing(rest.compactMap(\.history), snapshots: snapshots) { break }
                found = best.key
                paths = paths.filter { frame($0) == best.key }
            }
        }
        guard let found, let stack = paths.max(by: { $0.weight < $1.weight })?.stack else { return nil }
        return (found, stack)
    }
}

extension FrameNames {
    /// The function that makes the call at a frame: the innermost inlined one that is no wrapper.
    func callerFrame(_ frame: UInt32, in recording: Recording) -> ReportFrame {
        self.frame(ofRow: Int(blameRows[Int(frame) - 1]), frame: frame, in: recording)
    }
}
