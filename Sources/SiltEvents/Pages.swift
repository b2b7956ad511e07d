internal import CSiltSystem
internal import Glibc

/// Zeroed memory straight from the system, in huge pages where they pay.
package enum Pages {
    private static let hugePage = 2 << 20

    package static func words(_ count: Int) -> UnsafeMutablePointer<UInt64> {
        map(count * 8).bindMemory(to: UInt64.self, capacity: count)
    }

    package static func counts(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        map(count).bindMemory(to: UInt8.self, capacity: count)
    }

    /// More words behind those that are there, which may move; nil, and nothing done, where that would cost huge pages.
    package static func extend(
        _ start: UnsafeMutablePointer<UInt64>,
        from count: Int,
        to grown: Int
    ) -> UnsafeMutablePointer<UInt64>? {
        let old = count * 8
        guard old >= 2 * hugePage, old % hugePage == 0 else { return nil }
        let place = map(grown * 8)
        let used = roundedUp(grown * 8)
        // Both are aligned, so the kernel moves whole huge pages.
        guard silt_move_pages(start, old, used, place) == place else {
            munmap(place, used)
            return nil
        }
        madvise(place, used, MADV_HUGEPAGE)
        return place.bindMemory(to: UInt64.self, capacity: grown)
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
        let used = roundedUp(bytes)
        if before > 0 { munmap(address, before) }
        munmap(address + before + used, wanted - before - used)
        madvise(address + before, used, MADV_HUGEPAGE)
        return address + before
    }

    /// To whole pages.
    private static func roundedUp(_ bytes: Int) -> Int { (bytes + 4095) & ~4095 }
}
