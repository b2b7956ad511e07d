internal import CSiltWire
internal import SiltText

/// Turns the bytes of one process image's slots into heap events, in an order in which they can be applied.
///
/// Only the order at one address matters. Each event carries the next 16-bit stamp of a counter chosen by its address
/// (`silt_stamp_shard`); the first event on a counter has stamp 0. `decode` delivers an event only when all earlier
/// stamps of its counter have been delivered, and otherwise leaves the slot blocked until another slot brings them.
package struct ImageDecoder: ~Copyable {
    package private(set) var counts = EventCounts()
    /// By slot.
    package private(set) var threads: [Int: SlotThreads] = [:]

    let stacks: StackTable
    /// `SILT_ALL_SHARDS` entries, all initialized: the stamp that comes next.
    private let expected: UnsafeMutablePointer<UInt16>
    /// Index = slot.
    private var slots: [SlotBox] = []
    /// Index = the image's own module index - 1.
    private var imageModules: [ImageModule] = []
    private var imageModuleIDs: Set<ModuleID> = []
    private var moduleBytesRead = 0
    /// This image's number in the stack table.
    private let source: UInt64

    private struct ImageModule {
        var id: ModuleID
        var bias: UInt64
    }

    private final class SlotBox {
        var state = SlotState()
    }

    package init(stacks: StackTable) {
        self.stacks = stacks
        source = stacks.addImage()
        expected = .allocate(capacity: Int(SILT_ALL_SHARDS))
        expected.initialize(repeating: 0, count: Int(SILT_ALL_SHARDS))
    }

    deinit { expected.deallocate() }

    // MARK: Modules

    /// Modules of the log read so far.
    package var moduleCount: Int { imageModules.count }

    /// Reads what the log has grown by.
    ///
    /// `bytes` is its whole valid prefix, from the first byte on.
    ///
    /// Read the log after `committed` of the slots and before decoding them: a record may name a module that was
    /// written just before it.
    package mutating func readModules(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        let fixed = MemoryLayout<silt_module>.size
        while moduleBytesRead + fixed <= bytes.count {
            let offset = moduleBytesRead
            let entry = bytes.loadUnaligned(fromByteOffset: offset, as: silt_module.self)
            let length = Int(entry.bytes)
            guard length >= fixed, length % 8 == 0 else {
                throw .badModule(offset: UInt64(offset), reason: .length(entry.bytes))
            }
            guard offset + length <= bytes.count else { return }
            guard Int(entry.build_id_bytes) + Int(entry.path_bytes) <= length - fixed else {
                let reason = WireError.BadModule.text(buildIDBytes: entry.build_id_bytes, pathBytes: entry.path_bytes)
                throw .badModule(offset: UInt64(offset), reason: reason)
            }
            guard Int(entry.index) == imageModules.count + 1, entry.index <= UInt16.max else {
                throw .badModule(offset: UInt64(offset), reason: .index(entry.index))
            }
            guard entry.start <= entry.end else { throw .badModule(offset: UInt64(offset), reason: .range) }
            let pathStart = offset + fixed + Int(entry.build_id_bytes)
            let module = Module(
                path: String(system: bytes[pathStart..<pathStart + Int(entry.path_bytes)]),
                buildID: Array(bytes[offset + fixed..<pathStart])
            )
            let id = stacks.intern(module: module)
            // One frame at two addresses.
            if !imageModuleIDs.insert(id).inserted { stacks.expectRepetition() }
            imageModules.append(ImageModule(id: id, bias: entry.bias))
            moduleBytesRead += length
        }
    }

    /// What it has logged behind the first `count` ones.
    package func modules(from count: Int) -> [Module] {
        imageModules[count...].map { stacks[$0.id] }
    }

    // MARK: Order

    /// The slots whose next event waits for an earlier stamp, in slot order.
    package var blockedSlots: [BlockedSlot] {
        slots.compactMap { $0.state.blocked }
    }

    /// Whether `decode` would stop at once at the slot's next event.
    package func isBlocked(slot: Int) -> Bool {
        guard slots.indices.contains(slot), let blocked = slots[slot].state.blocked else { return false }
        return expected[blocked.shard] != blocked.stamp
    }

    /// Gives up the missing stamps in front of one blocked event: the one with the fewest missing.
    ///
    /// For when no slot has anything left to deliver, as after the process was killed between a stamp and its record.
    /// Then decode all slots again, and call this again if some are still blocked. Nil: nothing is blocked.
    package mutating func skipGaps() -> StampGap? {
        var best: StampGap?
        for blocked in blockedSlots {
            let missing = blocked.stamp &- expected[blocked.shard]
            if missing < best?.missing ?? .max || best == nil {
                best = StampGap(shard: UInt32(blocked.shard), stamp: blocked.stamp, missing: missing)
            }
        }
        if let best { skip(best) }
        return best
    }

    /// Repeats what an earlier `skipGaps` decided, when a recorded stream is replayed.
    package mutating func skip(_ gap: StampGap) {
        guard gap.shard < SILT_ALL_SHARDS else { return }
        expected[Int(gap.shard)] = gap.stamp
        counts.gaps += UInt64(gap.missing)
    }

    /// Bytes of the slot consumed so far.
    package func consumed(slot: Int) -> UInt64 {
        slots.indices.contains(slot) ? slots[slot].state.offset : 0
    }

    // MARK: Records

    /// Decodes from the first unread byte of a slot and returns the bytes consumed.
    ///
    /// Stops at the end of `bytes`, in front of a record that they hold only the beginning of, when the batch is full,
    /// or in front of an event that must wait (`isBlocked`). Throws only if the first record of `bytes` is bad: what
    /// comes before a bad record is delivered first, and a further call with the same bytes throws the same error.
    /// `isShared`: the bytes lie in a ring, aligned and writable, and end where its producer had got to.
    package mutating func decode(
        slot: Int,
        _ bytes: UnsafeRawBufferPointer,
        isShared: Bool = false,
        into batch: inout HeapEventBatch
    ) throws(WireError) -> Int {
        guard slot >= 0, slot < Int(SILT_MAX_SLOTS) else { throw .badSlot(slot: slot) }
        while slots.count <= slot { slots.append(SlotBox()) }
        let box = slots[slot]
        box.state.blocked = nil
        guard let base = bytes.baseAddress, bytes.count >= 8 else { return 0 }
        var run = RecordRun(
            base: base,
            count: bytes.count,
            isShared: isShared,
            space: batch.freeEnd(),
            expected: expected,
            slot: UInt16(slot),
            counts: counts
        )
        run.decode(slot: &box.state, modules: self)
        counts = run.counts
        batch.didAppend(run.events)
        box.state.offset += UInt64(run.position)
        for thread in run.threads {
            threads[slot, default: SlotThreads()].take(thread)
        }
        if let error = run.error, run.position == 0 { throw error }
        return run.position
    }

    /// The session's stack for a NODE record; nil if the module is not in the log.
    func stack(slot: UInt16, parent: UInt32, flags: UInt8, module: Int, address: UInt64) -> StackID? {
        let parent = StackID(rawValue: parent)
        var frame = Frame.generated
        if module != 0 {
            guard module <= imageModules.count else { return nil }
            frame.module = imageModules[module - 1].id
            frame.offset = address &- imageModules[module - 1].bias
        } else if UInt32(flags) & ~SILT_NODE_EXACT.rawValue == 0 {
            return generatedStack(parent)
        }
        if UInt32(flags) & SILT_NODE_EXACT.rawValue != 0 { frame.kind = .exact }
        if UInt32(flags) & SILT_NODE_INCOMPLETE.rawValue != 0 { frame.kind = .incomplete }
        if UInt32(flags) & SILT_NODE_TRUNCATED.rawValue != 0 { frame.kind = .truncated }
        let id = stacks.intern(frame: frame)
        return stacks.announce(parent: parent, frame: id, from: source | UInt64(slot))
    }

    /// One frame for however many of generated code follow each other: nothing names them.
    private func generatedStack(_ parent: StackID) -> StackID {
        stacks.expectRepetition()
        let id = stacks.intern(frame: .generated)
        if parent != .none, stacks.frame(of: parent) == id { return parent }
        return stacks.intern(parent: parent, frame: id)
    }

    /// The stacks that threads of a slot have announced, in no order; outer frames are among them as stacks of their own.
    package func announcedStacks(slot: Int) -> Set<StackID> {
        slots.indices.contains(slot) ? slots[slot].state.announced : []
    }

    /// The slot's thread is called otherwise by now.
    package mutating func renameThread(ofSlot slot: Int, _ name: String) { threads[slot]?.rename(name) }
}
