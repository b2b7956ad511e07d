internal import SiltEvents
internal import SiltHeap
internal import SiltSymbols

/// The function that a running trace suspects: the one that a report would blame, with the one that called it where nearly
/// all that lives was asked for by one, as `place_order → make_record`.
///
/// A report may name either as the place to mend: which, takes all callers and their histories.
struct Suspect {
    /// Share of the live bytes that makes a caller the one.
    private static let nearlyAll = 0.9
    /// Characters of a name: one that was made of templates may have thousands.
    private static let maximumName = 120

    let stacks: StackTable
    let blame: BlameKeys

    /// What has that key of `BlameKeys`; nil: it has no name.
    func name(of key: FrameID, _ resource: Resource, in images: [TracedImage]) -> String? {
        let functions = blame.functions(frame: key)
        guard let blamed = functions.first, !blamed.isEmpty else { return nil }
        let name = abridgedName(blamed, width: Self.maximumName)
        // Where it was inlined into what called it, all of its blocks were asked for by that one.
        let caller = functions.count > 1 ? functions[1] : commonCaller(of: key, resource, in: images)
        guard let caller, !caller.isEmpty, !InterpreterNames.isLoop(caller), !InterpreterNames.isStart(caller) else {
            return name
        }
        return abridgedName(caller, width: Self.maximumName) + " → " + name
    }

    /// The one function that called it for nearly all that lives; nil: there is none.
    private func commonCaller(of key: FrameID, _ resource: Resource, in images: [TracedImage]) -> String? {
        var live: [String: [FrameID: UInt64]] = [:]
        for image in images {
            image.heap.forEachSite(of: resource) { stack, counters in
                guard blame.key(stack) == key, let caller = caller(of: key, in: stack) else { return }
                live[caller.name, default: [:]][caller.frame, default: 0] += counters.liveBytes
            }
        }
        let sums = live.mapValues { $0.values.reduce(0, +) }
        let all = sums.values.reduce(0, +)
        let most = sums.max { ($0.value, $1.key) < ($1.value, $0.key) }
        guard let most, Double(most.value) >= Self.nearlyAll * Double(max(1, all)) else { return nil }
        // Of its lines the one that has most of it: another one may be of a function that was inlined there.
        let frame = live[most.key]?.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key
        return frame.flatMap { blame.functions(frame: $0).first } ?? most.key
    }

    /// What called the blamed frame, by the compiled function; nil: nothing that has a name.
    private func caller(of key: FrameID, in stack: StackID) -> (name: String, frame: FrameID)? {
        var at = stack
        while at != .none, stacks.frame(of: at) != key { at = stacks.parent(of: at) }
        let parent = at == .none ? at : stacks.parent(of: at)
        guard parent != .none else { return nil }
        let frame = stacks.frame(of: parent)
        return blame.functionName(frame: frame).map { ($0, frame) }
    }
}
