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
    func name(of key: StackID, _ resource: Resource, in images: [TracedImage]) -> String? {
        guard let blamed = blame.functionName(frame: key.rawValue) else { return nil }
        var live: [String: UInt64] = [:]
        for image in images {
            image.heap.forEachSite(of: resource) { stack, counters in
                guard blame.key(stack) == key, let caller = caller(of: key, in: stack) else { return }
                live[caller, default: 0] += counters.liveBytes
            }
        }
        let all = live.values.reduce(0, +)
        let most = live.max { ($0.value, $1.key) < ($1.value, $0.key) }
        let name = abridgedName(blamed, width: Self.maximumName)
        guard let most, Double(most.value) >= Self.nearlyAll * Double(max(1, all)), !InterpreterNames.isLoop(most.key),
            !InterpreterNames.isStart(most.key)
        else { return name }
        return abridgedName(most.key, width: Self.maximumName) + " → " + name
    }

    /// The function that called the blamed frame; nil: none that has a name.
    private func caller(of key: StackID, in stack: StackID) -> String? {
        var at = stack
        while at.rawValue != 0, stacks.frame(of: at).rawValue != key.rawValue { at = stacks.parent(of: at) }
        let parent = at.rawValue == 0 ? at : stacks.parent(of: at)
        return parent.rawValue == 0 ? nil : blame.functionName(frame: stacks.frame(of: parent).rawValue)
    }
}
