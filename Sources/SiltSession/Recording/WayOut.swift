/// Whether a process that began during a hunt may be on its way out: it may end at any time, and what it held before counts.
struct WayOut {
    /// What it held when it last did not hold less.
    private var held: (bytes: UInt64, count: UInt64, seconds: Double)?

    /// It holds less when one part in so many has gone.
    private static let (bytesPart, countPart): (UInt64, UInt64) = (8, 64)
    /// Seconds that it takes at most.
    private static let longest = 1.0

    /// Takes in what it holds; true while that is less than it was, and has not been for long.
    mutating func goesOn(bytes: UInt64, count: UInt64, at time: Double) -> Bool {
        let last = held ?? (0, 0, time)
        let hasFallen =
            bytes < last.bytes - last.bytes / Self.bytesPart || count < last.count - last.count / Self.countPart
        if !hasFallen { held = (bytes, count, time) }
        return hasFallen && time - last.seconds < Self.longest
    }
}
