internal import SiltEvents

/// The ledgers of one process for what is not its heap, each from its first event on.
///
/// Such events are few, so a ledger may be found in a dictionary.
struct ResourceLedgers {
    private final class Entry {
        var ledger: SiteLedger

        init(_ ledger: consuming SiteLedger) { self.ledger = ledger }
    }

    private var entries: [Resource: Entry] = [:]
    private let groupOf: (StackID) -> FrameID

    init(groupOf: @escaping (StackID) -> FrameID) { self.groupOf = groupOf }

    /// nil for a resource that the process has never had.
    func read<Result>(_ resource: Resource, _ body: (borrowing SiteLedger) -> Result) -> Result? {
        entries[resource].map { body($0.ledger) }
    }

    /// A ledger, if there is none, with the clock of the heap's.
    mutating func make(_ resource: Resource, as heap: borrowing SiteLedger) {
        guard entries[resource] == nil else { return }
        entries[resource] = Entry(
            SiteLedger(
                groupOf: groupOf,
                interval: heap.interval,
                huntBaseline: heap.huntBaseline,
                scale: heap.scale
            )
        )
    }

    /// Does nothing for a resource that the process has never had.
    mutating func change(_ resource: Resource, _ body: (inout SiteLedger) -> Void) {
        if let entry = entries[resource] { body(&entry.ledger) }
    }

    mutating func changeAll(_ body: (inout SiteLedger) -> Void) {
        for entry in entries.values { body(&entry.ledger) }
    }
}
