internal import SiltEvents
internal import SiltText

extension Resource {
    /// Of what looks have found, though hooks see others of its kind.
    static let unseenCalls =
        "opened where silt sees no call: bare system calls, io_uring, or within the C library; "
        + "strace -f -k tells the lines"

    /// What to look for where looks have found it: no call is known that took it.
    var remedy: String? {
        switch self {
        case .zombie:
            "where it starts them: wait for each that ends (waitpid when SIGCHLD comes), or ignore SIGCHLD, and none stays"
        case .heap, .mapping, .descriptor, .thread, .timer, .goroutine, .unjoined, .semaphore, .locale, .segment,
            .module:
            nil
        }
    }

    /// What views say that show what was in use before programs gave it back on their way out.
    var beforeTheWayOut: String {
        if self == .heap { return "before it was freed at exit" }
        return isCounted ? "before they were given back at exit" : "before it was given back at exit"
    }

    /// What a difference of this says of others; nil: nothing.
    ///
    /// `isChosen`: silt chose it, nobody asked for it.
    func compared(besides others: [Resource], isChosen: Bool) -> String? {
        guard !others.isEmpty else { return nil }
        let list = others.map { "--resource \($0.name): \($0.units)" }.joined(separator: ", ")
        return isChosen
            ? "compared are \(units), since what grows differs in them; \(list)"
            : "what grows differs in more than \(units); \(list)"
    }

    /// So much of it: `1.00 KiB` where its things have sizes, else `2 threads`.
    func amount(_ value: Double) -> String {
        guard isCounted else { return Format.bytes(value) }
        return value >= 0 && value < 1e15 && value == value.rounded()
            ? Format.plural(UInt64(value), unit) : "\(Format.short(value)) \(units)"
    }

    /// As `amount`, of no fraction of a thing.
    func wholeAmount(_ value: Double) -> String {
        amount(isCounted ? max(0, min(value, 1e15 - 1)).rounded() : value)
    }

    /// As `1.00 KiB in 2 blocks`, or `2 threads`.
    func amount(_ bytes: UInt64, in count: UInt64) -> String {
        let counted = Format.plural(count, unit)
        return isCounted ? counted : "\(Format.bytes(bytes)) in \(counted)"
    }
}
