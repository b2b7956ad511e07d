internal import Glibc

/// Zeroed memory straight from the system, in huge pages where they pay.
package enum Pages {
    private static let hugePage = 2 << 20
    /// Words per stretch that a growing table gives back at a time: 4 MiB.
    package static let releaseStride = (4 << 20) / 8

    package static func words(_ count: Int) -> UnsafeMutablePointer<UInt64> {
        map(count * 8).bindMemory(to: UInt64.self, capacity: count)
    }

    package static func counts(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        map(count).bindMemory(to: UInt8.self, capacity: count)
    }

    /// Gives the memory of words back that are not read again; they stay mapped.
    package static func release(_ start: UnsafeMutablePointer<UInt64>, _ count: Int) {
        madvise(start, count * 8, MADV_DONTNEED)
    }

    package static func free(_ start: UnsafeMutablePointer<UInt64>, _ count: Int) { munmap(start, count * 8) }

    package static func free(_ start: UnsafeMutablePointer<UInt8>, _ count: Int) { munmap(start, count) }

    /// Bytes, aligned to a page.
    package static func bytes(_ count: Int) -> UnsafeMutableRawPointer { map(count) }

    package static func free(_ start: UnsafeMutableRawPointer, bytes: Int) { munmap(start, bytes) }

    /// Huge pages are aligned, so a mapping that is to have them is cut out of a bigger one.
    private static func map(_ bytes: Int) -> UnsafeMutableRawPointer {
        let isBig = bytes >= 2 * hugePage
        let wanted = isBig ? bytes + hugePage : bytes
        var flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        // A table that grows is written all over at once: one call instead of a fault for each small page.
        if !isBig { flags |= MAP_POPULATE }
        let address = mmap(nil, wanted, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let address, address != MAP_FAILED else {
            // As malloc failing inside the Swift runtime would: there is no state left to go on with.
            preconditionFailure("out of memory: \(bytes) bytes for a table")
        }
        guard isBig else { return address }
        let before = -Int(bitPattern: address) & (hugePage - 1)
        let page = 4096
        let used = (bytes + page - 1) & ~(page - 1)
        if before > 0 { munmap(address, before) }
        munmap(address + before + used, wanted - before - used)
        madvise(address + before, used, MADV_HUGEPAGE)
        return address + before
    }
}
