internal import CSiltSystem
internal import CSiltWire
internal import Glibc

/// The producer's side of a memory file, for a stream that is replayed.
///
/// Bytes come from a file that anyone may have written: each says whether it was what comes next.
extension SharedImage {
    /// What the file says of the image itself: its header, and its texts.
    var headerAndTexts: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: head, count: Int(SILT_CWD_OFFSET + SILT_TEXT_BYTES))
    }

    func appendModules(_ bytes: [UInt8], at offset: UInt64) -> Bool {
        let header = head.assumingMemoryBound(to: silt_header.self)
        guard offset == header.pointee.modules_bytes, offset + UInt64(bytes.count) <= UInt64(SILT_MODULES_BYTES)
        else { return false }
        bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: head + Int(SILT_MODULES_OFFSET) + Int(offset), count: $0.count)
                .copyMemory(from: $0)
        }
        silt_store_release_u64(&header.pointee.modules_bytes, offset + UInt64(bytes.count))
        return true
    }

    mutating func appendRecords(_ bytes: [UInt8], slot: Int, at offset: UInt64) -> Bool {
        guard slot >= 0, slot < Int(SILT_MAX_SLOTS), makeSlots(upTo: slot) else { return false }
        let ringBytes = Int(SILT_RING_BYTES)
        let committed = committed(slot: slot)
        guard offset == committed,
            committed - slots[slot].consumed + UInt64(bytes.count) <= UInt64(ringBytes)
        else { return false }
        let ring = UnsafeMutableRawBufferPointer(start: slots[slot].ring, count: ringBytes)
        let start = Int(offset % UInt64(ringBytes))
        bytes.withUnsafeBytes { all in
            let first = min(all.count, ringBytes - start)
            UnsafeMutableRawBufferPointer(rebasing: ring[start...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: all[..<first])
            )
            ring.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[first...]))
        }
        silt_store_release_u64(
            &slots[slot].state.pointee.published,
            silt_published(offset + UInt64(bytes.count), slots[slot].events)
        )
        return true
    }

    private mutating func makeSlots(upTo slot: Int) -> Bool {
        if slot < slots.count { return true }
        let header = head.assumingMemoryBound(to: silt_header.self)
        let blocks = UInt32(slot) / SILT_BLOCK_SLOTS + 1
        guard ftruncate(file, Int(silt_block_offset(blocks))) == 0 else { return false }
        silt_store_release_u32(&header.pointee.slot_count, UInt32(slot + 1))
        return mapNewSlots() > slot
    }

    /// Takes over the shim's own counters as they stood in the end, and how many events it says it sent.
    mutating func replaceCounters(_ last: silt_header, sentEvents: UInt64) {
        let header = head.assumingMemoryBound(to: silt_header.self)
        var merged = last
        merged.slot_count = header.pointee.slot_count
        merged.modules_bytes = header.pointee.modules_bytes
        header.pointee = merged
        for slot in slots.indices { setEvents(slot == 0 ? sentEvents : 0, slot: slot) }
    }
}
