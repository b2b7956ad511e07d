/// What a program can take and forget to give back: an axis beside process and stack.
package enum Resource: UInt8, Sendable, CaseIterable {
    /// Blocks of the allocator.
    case heap = 0
    /// Address ranges that the program mapped itself.
    case mapping = 1
    // Numbers for what has no events yet.
    case descriptor = 2
    case thread = 3
    case timer = 4
    case goroutine = 5
}
