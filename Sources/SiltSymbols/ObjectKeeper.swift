/// An interpreter that keeps objects of its own accord, for a while or for good: its blocks grow as evenly as a leak.
package enum ObjectKeeper: Hashable, Sendable {
    /// CPython keeps up to 4,096 names of attributes, and 2,000 free tuples of each length.
    case python
    /// What was used for a while waits for a collection of old objects, which comes when there are twice as many of them, or
    /// 16 MiB more.
    case ruby
    /// Memory of buffers waits for a collection, which comes when there are 64 MiB of it.
    case v8

    /// By the file of a module; nil for what is none of these.
    package init?(file: String) {
        switch Interpreter(file: file) {
        case .python: self = .python
        case .ruby: self = .ruby
        case .node: self = .v8
        case .java, .php, .perl, nil: return nil
        }
    }

    /// Whether so much, of so many processes, may be what it keeps.
    package func mayKeep(blocks: Double, bytes: Double, processes: Int) -> Bool {
        blocks < self.blocks * Double(processes) && bytes < self.bytes * Double(processes)
    }

    /// Blocks of a process that it may keep.
    package var blocks: Double {
        switch self {
        case .python: 4096
        case .ruby: 32_768
        case .v8: .infinity
        }
    }

    /// And their bytes.
    private var bytes: Double {
        switch self {
        case .python: .infinity
        case .ruby: 16 * 1_048_576
        case .v8: 64 * 1_048_576
        }
    }

    /// Their mean size at most: CPython's names have up to a hundred characters, tuples up to twenty places, and its own
    /// allocator calls an object of no more than that small.
    package var blockBytes: Double {
        switch self {
        case .python: 512
        case .ruby, .v8: .infinity
        }
    }
}
