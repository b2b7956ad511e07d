internal import Glibc

/// Zeroed memory straight from the system, in huge pages where they pay.
enum Pages {
    private static let hugePage = 2 << 20
    /// Entries per stretch that `LiveTable.grow` gives back at a time: 4 MiB.
    static let releaseStride = (4 << 20) / MemoryLayout<PackedBlock>.stride

    /// `count` zeroed entries.
    static func allocate(_ count: Int) -> UnsafeMutablePointer<PackedBlock> {
        let bytes = size(count)
        let address = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let address, address != MAP_FAILED else {
            // As malloc failing inside the Swift runtime would: there is no state left to go on with.
            preconditionFailure("out of memory: \(bytes) bytes for the live table")
        }
        if bytes >= 2 * hugePage { madvise(address, bytes, MADV_HUGEPAGE) }
        return address.bindMemory(to: PackedBlock.self, capacity: count)
    }

    /// Gives the memory of entries back that are not read again; they stay mapped.
    static func release(_ start: UnsafeMutablePointer<PackedBlock>, _ count: Int) {
        madvise(start, count * MemoryLayout<PackedBlock>.stride, MADV_DONTNEED)
    }

    static func free(_ start: UnsafeMutablePointer<PackedBlock>, _ count: Int) {
        munmap(start, size(count))
    }

    private static func size(_ count: Int) -> Int {
        (count * MemoryLayout<PackedBlock>.stride + 4095) & ~4095
    }
}
