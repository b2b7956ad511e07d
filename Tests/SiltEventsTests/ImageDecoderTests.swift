import CSiltWire
import Testing

@testable import SiltEvents

/// Two addresses far enough apart to count on different shards, and on one.
private let a: UInt64 = 0x7f00_dead_be40
private let b: UInt64 = 0x5500_0000_1000

@Suite struct ImageDecoderTests {
    /// What becomes of the records of one slot, all of which are whole.
    private func decoded(_ records: Records, sourceLocation: SourceLocation = #_sourceLocation) -> World {
        let world = World([records.bytes])
        world.run()
        #expect(world.errors.isEmpty, sourceLocation: sourceLocation)
        return world
    }

    @Test func theWorkedRecordOfTheWireHeaderIsTheFreeItSays() throws {
        var records = Records()
        records.free(a, 9)
        #expect(records.bytes == [0x92, 0, 0x80, 0x7c, 0x5b, 0xbd, 0x01, 0xfe])
        #expect(silt_stamp_shard(a) != silt_stamp_shard(b))
    }

    @Test func fiveRecordsBecomeTheirEvents() {
        var records = Records()
        records.node(1, parent: 0, 0x1000)
        records.node(2, parent: 1, 0x2000)
        records.alloc(a, 0, 100, 2)
        records.free(a, 1)
        records.unfree(a, 2)
        records.free(a, 3)
        records.alloc(a, 4, 200, 1, kind: 5)
        let world = decoded(records)
        let program = ModuleID(rawValue: 1)
        let outer = world.stacks.intern(
            parent: .none,
            frame: world.stacks.intern(frame: Frame(module: program, offset: 0x1000, kind: .returnAddress))
        )
        #expect(
            world.events == [
                HeapEvent(kind: .alloc, address: a, size: 100, stack: StackID(rawValue: 2)),
                HeapEvent(kind: .free, address: a),
                HeapEvent(kind: .unfree, address: a),
                HeapEvent(kind: .free, address: a),
                HeapEvent(kind: .realloc, address: a, size: 200, stack: outer),
            ]
        )
        #expect(world.stacks.parent(of: StackID(rawValue: 2)) == outer)
        #expect(world.decoder.counts.free == 2 && world.decoder.counts.blockEvents == 5)
        #expect(world.consumed(0) == UInt64(records.bytes.count))
    }

    @Test func aRecordMayStandForAnAllocationAndItsFree() {
        var records = Records()
        records.node(1, parent: 0, 0x1000)
        records.alloc(a, 0, 100, 1, kind: 9)
        records.alloc(a, 1, 200, 1, kind: 12)
        let world = decoded(records)
        let stack = StackID(rawValue: 1)
        #expect(
            world.events == [
                HeapEvent(kind: .temporary, address: a, size: 100, stack: stack),
                HeapEvent(kind: .alloc, address: a, size: 200, stack: stack),
            ]
        )
        let counts = world.decoder.counts
        #expect(counts.alloc == 2 && counts.free == 1 && counts.temporary == 1)
    }

    /// What the producer may still change is taken with the instruction that it would change it with.
    @Test(arguments: [false, true])
    func theLastAllocationOfARingIsTaken(isShared: Bool) throws {
        var records = Records()
        records.node(1, parent: 0, 0x1000, module: 0)
        records.alloc(a, 0, 100, 1)
        records.alloc(b, 0, 200, 1)
        let words = records.bytes.count / 8
        let ring = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
        defer { ring.deallocate() }
        records.bytes.withUnsafeBytes {
            UnsafeMutableRawPointer(ring).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
        }
        var decoder = ImageDecoder(stacks: StackTable())
        var batch = HeapEventBatch()
        let bytes = UnsafeRawBufferPointer(start: ring, count: words * 8)
        #expect(try decoder.decode(slot: 0, bytes, isShared: isShared, into: &batch) == bytes.count)
        #expect(batch.count == 2 && decoder.counts.alloc == 2 && decoder.counts.temporary == 0)
        #expect(ring[words - 4] & 15 == 4)
        #expect(ring[words - 2] & 15 == (isShared ? 12 : 4))
    }

    @Test func aFreeMayCarryTheStackThatFrees() {
        var records = Records()
        records.node(1, parent: 0, 0x1000)
        records.node(2, parent: 0, 0x2000, flags: UInt8(SILT_NODE_INCOMPLETE.rawValue))
        records.alloc(a, 0, 100, 1)
        records.freeBy(a, 1, 2)
        records.unfree(a, 2)
        records.freeBy(a, 3, 0)
        records.alloc(a, 4, 200, 1, kind: 5)
        records.extended(10, [0, b + 1, 0, 2])
        let world = decoded(records)
        let stack = StackID(rawValue: 1)
        #expect(
            world.events == [
                HeapEvent(kind: .alloc, address: a, size: 100, stack: stack),
                HeapEvent(kind: .free, address: a, stack: StackID(rawValue: 2)),
                HeapEvent(kind: .unfree, address: a),
                HeapEvent(kind: .free, address: a),
                HeapEvent(kind: .realloc, address: a, size: 200, stack: stack),
                HeapEvent(kind: .free, address: b + 1, stack: StackID(rawValue: 2)),
            ]
        )
        // How stacks end is counted for allocations.
        #expect(world.decoder.counts.free == 3 && world.decoder.counts.blockEvents == 6)
        #expect(world.decoder.counts.incompleteStacks == 0 && world.decoder.counts.noStack == 0)
    }

    @Test func aFreeWithItsStackThatArrivesBeforeItsAllocWaitsForIt() {
        var allocs = Records()
        allocs.node(1, parent: 0, 0x1000)
        allocs.alloc(a, 0, 8, 1)
        var frees = Records()
        frees.node(1, parent: 0, 0x2000)
        frees.freeBy(a, 1, 1)
        let world = World([frees.bytes, allocs.bytes])
        #expect(world.step(0) == 16)
        #expect(world.step(0) == 0 && world.isBlocked(0))
        world.run()
        #expect(world.events.map(\.kind) == [.alloc, .free])
        #expect(world.events.map(\.stack.rawValue) == [2, 1])
    }

    @Test func extendedRecordsBecomeTheirEvents() {
        var records = Records()
        records.node(1, parent: 0, 0x1000)
        records.extended(8, [77, 0x6C6C_6568, 0])
        records.extended(1, [0, a + 1, 1 << 40, 1])
        records.extended(3, [1, a + 1])
        records.extended(4, [2, a + 1])
        records.extended(5, [0, 0x10000, 0x3000, 3, 1])
        records.extended(6, [1, 0x10000, 0x3000])
        records.extended(7, [2, 0x20000, 0x4000, 1])
        records.extended(6, [3, 0x20000, 0x4000])
        records.extended(999, [1, 2, 3])
        records.pad(5)
        records.extended(9, [77])
        let world = decoded(records)
        let stack = StackID(rawValue: 1)
        #expect(
            world.events == [
                HeapEvent(kind: .alloc, address: a + 1, size: 1 << 40, stack: stack),
                HeapEvent(kind: .free, address: a + 1),
                HeapEvent(kind: .unfree, address: a + 1),
                HeapEvent(kind: .map, address: 0x10000, size: 0x3000, stack: stack),
                HeapEvent(kind: .unmap, address: 0x10000, size: 0x3000),
                HeapEvent(kind: .remap, address: 0x20000, size: 0x4000, stack: stack),
                HeapEvent(kind: .unmap, address: 0x20000, size: 0x4000),
            ]
        )
        #expect(world.decoder.threads.keys.sorted() == [0])
        let thread = world.decoder.threads[0]
        #expect(thread?.tid == 77 && thread?.names == ["hell"] && thread?.isRunning == false)
        #expect(world.decoder.counts.unknownTypes == 1)
    }

    @Test func whatHasAHandleIsTakenAndGivenBackOrKeptByItsResource() {
        var records = Records()
        records.node(1, parent: 0, 0x1000)
        records.extended(12, [0, 7, 1, 4, 1])
        records.extended(12, [1, 7, 8192, 3, 1])
        records.extended(13, [2, 7, 0, 4])
        // Of a resource that only a later version knows: its stamp counts.
        records.extended(12, [3, 7, 1, 200, 1])
        records.extended(13, [4, 7, 0, 1 << 40])
        records.extended(13, [5, 7, 0, 3])
        records.extended(13, [6, 7, 1, 3])
        let world = decoded(records)
        let stack = StackID(rawValue: 1)
        #expect(
            world.events == [
                HeapEvent(kind: .take, address: 7, size: 1, stack: stack, resource: .timer),
                HeapEvent(kind: .take, address: 7, size: 8192, stack: stack, resource: .thread),
                HeapEvent(kind: .give, address: 7, resource: .timer),
                HeapEvent(kind: .give, address: 7, resource: .thread),
                HeapEvent(kind: .kept, address: 7, size: 1, resource: .thread),
            ]
        )
        let counts = world.decoder.counts
        #expect(counts.take == 2 && counts.give == 3 && counts.unknownTypes == 2 && counts.eventRecords == 5)
    }

    @Test func whatBecomesOfAThreadIsSaidOfItsHandleAndTid() {
        var records = Records()
        records.node(1, parent: 0, 0x1000)
        records.extended(12, [0, 7, 11 | 1 << 32, 3, 1])
        records.extended(12, [1, 8, 2 << 32, 3, 1])
        for type: UInt16 in 14...16 { records.extended(type, [UInt64(type) - 12, 7, 11, 3]) }
        let world = decoded(records)
        #expect(world.events.map(\.kind) == [.take, .take, .over, .detach, .join])
        #expect(world.events.map(\.tid) == [11, 0, 11, 11, 11])
        #expect(world.events.prefix(2).map(\.isDetached) == [true, false])
        #expect(world.events.prefix(2).map(\.isOver) == [false, true])
        #expect(world.events.allSatisfy { $0.resource == .thread })
        #expect(world.decoder.counts.eventRecords == 5)
    }

    @Test func aGiveWaitsForTheTakeOfAnotherThread() {
        var takes = Records()
        takes.node(1, parent: 0, 0x1000)
        takes.extended(12, [0, 3, 1, 2, 1])
        takes.extended(12, [2, 3, 1, 2, 1])
        var gives = Records()
        gives.extended(13, [1, 3, 0, 2])
        let world = World([gives.bytes, takes.bytes])
        #expect(world.step(0) == 0)
        world.run()
        #expect(world.events.map(\.kind) == [.take, .give, .take])
    }

    @Test func aTakeByAnUnknownStackIsDamage() {
        var records = Records()
        records.extended(12, [0, 7, 1, 4, 9])
        let world = World([records.bytes])
        world.run()
        #expect(world.events.isEmpty && !world.errors.isEmpty)
    }

    /// C hooks name a resource by the number under which recordings keep it.
    @Test func resourcesHaveTheNumbersOfTheWireHeader() {
        let numbers = [
            SILT_HEAP, SILT_MAPPING, SILT_DESCRIPTOR, SILT_THREAD, SILT_TIMER, SILT_GOROUTINE, SILT_UNJOINED,
            SILT_SEMAPHORE, SILT_LOCALE, SILT_SEGMENT,
        ]
        let recorded = Resource.allCases.filter { !$0.isFound }
        #expect(recorded.map { UInt32($0.rawValue) } == numbers.map(\.rawValue))
        #expect(Set(Resource.allCases.map(\.name)).count == Resource.allCases.count)
    }

    @Test func anUnmapWaitsForTheMapOfAnotherThread() {
        var maps = Records()
        maps.node(1, parent: 0, 0x1000)
        maps.extended(5, [0, 0x10000, 0x3000, 3, 1])
        maps.extended(5, [2, 0x10000, 0x1000, 3, 1])
        var unmaps = Records()
        unmaps.extended(6, [1, 0x10000, 0x3000])
        let world = World([unmaps.bytes, maps.bytes])
        #expect(world.step(0) == 0)
        #expect(world.isBlocked(0))
        world.run()
        #expect(world.events.map(\.kind) == [.map, .unmap, .map])
        #expect(world.decoder.counts.map == 2 && world.decoder.counts.unmap == 1)
    }

    @Test func aFreeThatArrivesBeforeItsAllocWaitsForIt() {
        var allocs = Records()
        allocs.node(1, parent: 0, 0x1000)
        allocs.alloc(a, 0, 8, 1)
        var frees = Records()
        frees.free(a, 1)
        let world = World([frees.bytes, allocs.bytes])
        #expect(world.step(0) == 0)
        #expect(world.decoder.blockedSlots == [BlockedSlot(slot: 0, shard: Int(silt_stamp_shard(a)), stamp: 1)])
        #expect(world.isBlocked(0))
        world.run()
        #expect(world.events.map(\.kind) == [.alloc, .free])
        #expect(!world.isBlocked(0) && world.decoder.blockedSlots.isEmpty)
    }

    @Test func theNearestGapIsSkippedAndCounted() {
        var first = Records()
        first.free(a, 5)
        var second = Records()
        second.free(b, 2)
        second.free(a, 4)
        let world = World([first.bytes, second.bytes])
        world.run()
        #expect(world.events.isEmpty)
        #expect(world.skipGaps()?.missing == 2)
        world.run()
        #expect(world.events.map(\.address) == [b])
        #expect(world.skipGaps()?.missing == 4)
        world.run()
        #expect(world.events.map(\.address) == [b, a, a])
        #expect(world.skipGaps() == nil)
        #expect(world.decoder.counts.gaps == 6)
    }

    @Test func stampsGoOnAfterTheyWrapAround() {
        var records = Records()
        for index in 0..<140_000 { records.free(a, UInt16(truncatingIfNeeded: index)) }
        let world = World([records.bytes])
        world.run()
        #expect(world.events.count == 140_000)
    }

    @Test func modulesAreReadAsTheLogGrowsAndNumberFrames() throws {
        let log = moduleEntry(1, bias: 0x4000, path: "/bin/a", buildID: [1, 2, 3]) + moduleEntry(2, bias: 0, path: "b")
        var records = Records()
        records.node(1, parent: 0, 0x4123, module: 1)
        records.node(2, parent: 0, 0, module: 0, flags: UInt8(SILT_NODE_INCOMPLETE.rawValue))
        records.node(3, parent: 2, 0x4200, module: 2, flags: UInt8(SILT_NODE_EXACT.rawValue))
        records.alloc(a, 0, 8, 3)
        let world = World([records.bytes], modules: [])
        for end in 0...log.count { try log[..<end].withUnsafeBytes { try world.decoder.readModules($0) } }
        world.run()
        #expect(world.errors.isEmpty)
        #expect(world.stacks.modules.map(\.path) == ["/bin/a", "b"])
        #expect(world.stacks.modules[0].buildID == [1, 2, 3])
        #expect(
            world.stacks.frames == [
                Frame(module: ModuleID(rawValue: 1), offset: 0x123, kind: .returnAddress),
                Frame(module: .none, offset: 0, kind: .incomplete),
                Frame(module: ModuleID(rawValue: 2), offset: 0x4200, kind: .exact),
            ]
        )
        #expect(world.decoder.counts.incompleteStacks == 1)
    }

    @Test func badModuleLogsAreErrorsWithTheirPlace() {
        var log = moduleEntry(1, bias: 0, path: "/bin/a")
        let second = log.count
        log += moduleEntry(3, bias: 0, path: "/bin/b")
        var decoder = ImageDecoder(stacks: StackTable())
        #expect(throws: WireError.badModule(offset: UInt64(second), reason: .index(3))) {
            try log.withUnsafeBytes { try decoder.readModules($0) }
        }
        log[second] = 8
        #expect(throws: WireError.badModule(offset: UInt64(second), reason: .length(8))) {
            try log.withUnsafeBytes { try decoder.readModules($0) }
        }
        #expect(decoder.moduleCount == 1)
    }

    /// A slot forgets its stacks when a library goes, and announces them anew from the outermost frame on.
    @Test func aStackHasOneNameWhoeverAnnouncesItAndHoweverOften() {
        var first = Records()
        first.node(1, parent: 0, 0x1000)
        first.node(2, parent: 1, 0x2000)
        first.node(3, parent: 2, 0x3000)
        first.node(4, parent: 2, 0x4000)
        first.alloc(a, 0, 8, 3)
        first.node(5, parent: 0, 0x9000)
        first.node(6, parent: 5, 0x2000)
        first.alloc(a, 1, 8, 6)
        var again = first
        again.node(7, parent: 0, 0x1000)
        again.node(8, parent: 7, 0x2000)
        again.node(9, parent: 8, 0x4000)
        again.node(10, parent: 8, 0x3000)
        again.alloc(a, 2, 8, 10)
        let world = World([again.bytes])
        world.run()
        #expect(world.events.map(\.stack.rawValue) == [3, 6, 3])
        #expect(world.stacks.stackCount == 6)

        var second = Records()
        second.node(1, parent: 0, 0x1000)
        second.node(2, parent: 1, 0x5000)
        second.node(3, parent: 1, 0x2000)
        second.node(4, parent: 3, 0x3000)
        second.alloc(a, 2, 8, 4)
        let two = World([first.bytes, second.bytes])
        two.run()
        #expect(two.events.map(\.stack.rawValue) == [3, 6, 3])
        #expect(two.stacks.stackCount == 7)
    }

    /// The same file at two addresses: its frames are the same.
    @Test func aLibraryLoadedTwiceHasTheStacksItHad() throws {
        let log = moduleEntry(1, bias: 0x4000, path: "/bin/a") + moduleEntry(2, bias: 0x8000, path: "/bin/a")
        var records = Records()
        records.node(1, parent: 0, 0x1000)
        records.node(2, parent: 1, 0x4100, module: 1)
        records.node(3, parent: 1, 0x8100, module: 2)
        records.alloc(a, 0, 8, 2)
        records.alloc(b, 0, 8, 3)
        let world = World([records.bytes], modules: [])
        try log.withUnsafeBytes { try world.decoder.readModules($0) }
        world.run()
        #expect(world.events.map(\.stack.rawValue) == [2, 2])
    }

    /// main → code at two addresses, one frame deep and three → the program's function.
    @Test func generatedCodeIsOneFrameWhereverItLiesAndHoweverDeepItIs() {
        let exact = UInt8(SILT_NODE_EXACT.rawValue)
        var records = Records()
        records.node(1, parent: 0, 0x1000)
        records.node(2, parent: 1, 0x7f00_0000_1000, module: 0)
        records.node(3, parent: 2, 0x2000)
        records.alloc(a, 0, 8, 3)
        records.node(4, parent: 1, 0x7f11_0000_1000, module: 0)
        records.node(5, parent: 4, 0x7f11_0000_2000, module: 0, flags: exact)
        records.node(6, parent: 5, 0x7f11_0000_1000, module: 0)
        records.node(7, parent: 6, 0x2000)
        records.node(8, parent: 7, 0x7f11_0000_1000, module: 0)
        records.alloc(b, 0, 8, 7)
        records.alloc(b, 1, 8, 8)
        let world = decoded(records)
        #expect(world.events.map(\.stack.rawValue) == [3, 3, 4])
        let frames = world.stacks.frames(of: StackID(rawValue: 4)).map { world.stacks.frames[Int($0.rawValue) - 1] }
        let program = [0x2000, 0x1000].map { (offset: UInt64) in
            Frame(module: ModuleID(rawValue: 1), offset: offset, kind: .returnAddress)
        }
        #expect(frames == [.generated, program[0], .generated, program[1]])
    }

    static let badRecords: [(Records, WireError)] = {
        var list: [(Records, WireError)] = []
        func add(_ error: WireError, _ make: (inout Records) -> Void) {
            var records = Records()
            make(&records)
            list.append((records, error))
        }
        add(.unknownKind(slot: 0, offset: 0, kind: 0)) { $0.word(0) }
        add(.unknownKind(slot: 0, offset: 0, kind: 15)) { $0.word(~0) }
        add(.badLength(slot: 0, offset: 0, words: 0)) { $0.word(1) }
        add(.badLength(slot: 0, offset: 0, words: 1 << 15 + 1)) { $0.word((1 << 15 + 1) << 4 | 1) }
        add(.badLength(slot: 0, offset: 0, words: 0)) { $0.extended(200, [], words: 0) }
        add(.badLength(slot: 0, offset: 0, words: 4)) { $0.extended(1, [0, a, 8], words: 4) }
        add(.unknownStack(slot: 0, offset: 0, id: 1)) { $0.alloc(a, 0, 8, 1) }
        add(.unknownStack(slot: 0, offset: 0, id: 300)) { $0.extended(5, [0, 8, 8, 0, 300]) }
        add(.unknownStack(slot: 0, offset: 0, id: .max)) { $0.extended(1, [0, a, 8, 1 << 60]) }
        add(.badNode(slot: 0, offset: 0, id: 0)) { $0.node(0, parent: 0, 1) }
        add(.badNode(slot: 0, offset: 0, id: 1 << 26 - 1)) { $0.node(1 << 26 - 1, parent: 0, 1) }
        add(.unknownParent(slot: 0, offset: 0, id: 5, parent: 4)) { $0.node(5, parent: 4, 1) }
        add(.unknownParent(slot: 0, offset: 0, id: 5, parent: 5)) { $0.node(5, parent: 5, 1) }
        add(.unknownModule(slot: 0, offset: 0, module: 9)) { $0.node(1, parent: 0, 1, module: 9) }
        add(.nullAddress(slot: 0, offset: 0)) { $0.free(0, 0) }
        add(.nullAddress(slot: 0, offset: 0)) { $0.extended(3, [0, 0]) }
        add(.nullAddress(slot: 0, offset: 0)) { $0.freeBy(0, 0, 0) }
        add(.nullAddress(slot: 0, offset: 0)) { $0.extended(10, [0, 0, 0, 0]) }
        add(.unknownStack(slot: 0, offset: 0, id: 1)) { $0.freeBy(a, 0, 1) }
        add(.unknownStack(slot: 0, offset: 0, id: .max)) { $0.extended(10, [0, a, 0, 1 << 60]) }
        add(.badLength(slot: 0, offset: 0, words: 4)) { $0.extended(10, [0, a, 0], words: 4) }
        return list
    }()

    @Test(arguments: badRecords.indices)
    func badRecordsAreErrorsThatStayAndLeaveNoTrace(index: Int) {
        let (records, error) = Self.badRecords[index]
        let world = World([records.bytes])
        for _ in 0..<3 { #expect(world.step(0) == 0) }
        #expect(world.errors == [error, error, error])
        #expect(world.events.isEmpty && world.decoder.blockedSlots.isEmpty)
    }

    @Test func whatComesBeforeABadRecordIsDeliveredFirst() {
        var records = Records()
        records.free(a, 0)
        records.word(0)
        let world = World([records.bytes])
        #expect(world.step(0) == 8 && world.errors.isEmpty && world.events.count == 1)
        #expect(world.step(0) == 0 && world.errors == [.unknownKind(slot: 0, offset: 8, kind: 0)])
    }

    /// Two ways of 40 calls to the same 20, where stacks of 30 calls are kept in full.
    @Test func beyondALimitADeepStackKeepsItsInnermostFramesAndIsCounted() {
        var records = Records()
        for way in 0..<2 as Range<UInt32> {
            for level in 1...40 as ClosedRange<UInt32> {
                let id = way * 40 + level
                records.node(id, parent: level == 1 ? 0 : id - 1, address(way, level, level > 20))
            }
            records.alloc(a, UInt16(way), 100, way * 40 + 40)
        }
        records.node(81, parent: 0, 0x9000)
        records.alloc(a, 2, 100, 81)
        let world = World([records.bytes], stacks: StackTable(stacksInFull: 30))
        world.run()
        #expect(world.errors.isEmpty && world.decoder.counts.truncatedStacks == 2)
        let stacks = world.events.map { event in
            world.stacks.frames(of: event.stack).map { world.stacks[$0] }
        }
        let inner = (25...40 as ClosedRange<UInt32>).reversed().map {
            Frame(module: ModuleID(rawValue: 1), offset: address(0, $0, true), kind: .returnAddress)
        }
        #expect(stacks[0] == inner + [.shortened] && stacks[1] == stacks[0])
        #expect(world.events[0].stack == world.events[1].stack)
        #expect(stacks[2] == [Frame(module: ModuleID(rawValue: 1), offset: 0x9000, kind: .returnAddress)])
    }

    private func address(_ way: UInt32, _ level: UInt32, _ isShared: Bool) -> UInt64 {
        UInt64(isShared ? level : 100 * (way + 1) + level) << 4
    }

    @Test func slotsOutsideTheFileAreErrors() {
        var decoder = ImageDecoder(stacks: StackTable())
        var batch = HeapEventBatch(capacity: 4)
        for slot in [-1, Int(SILT_MAX_SLOTS)] {
            #expect(throws: WireError.badSlot(slot: slot)) {
                try [UInt8](repeating: 0, count: 8).withUnsafeBytes {
                    try decoder.decode(slot: slot, $0, into: &batch)
                }
            }
        }
    }

    @Test func aStreamCutAtAnyByteDecodesToAPrefix() {
        var records = Records()
        records.node(1, parent: 0, 0x1000)
        records.alloc(a, 0, 100, 1)
        records.pad(3)
        records.extended(1, [0, b, 5, 1])
        records.free(a, 1)
        records.freeBy(a, 2, 1)
        records.extended(10, [1, b, 0, 1])
        records.extended(7, [0, 2, 3, 1])
        let whole = World([records.bytes])
        whole.run()
        #expect(whole.events.count == 6)
        for end in 0...records.bytes.count {
            let cut = World([records.bytes])
            while cut.step(0, upTo: end) > 0 {}
            #expect(cut.errors.isEmpty)
            #expect(cut.events == Array(whole.events.prefix(cut.events.count)))
            cut.run()
            #expect(cut.events == whole.events)
        }
    }

    @Test func smallBatchesDeliverTheSameEvents() {
        var records = Records()
        for index in 0..<20 { records.extended(7, [UInt64(index), 8, 3, 0]) }
        let world = World([records.bytes])
        while world.step(0, batchSize: 3) > 0 {}
        #expect(world.events.count == 20)
    }
}
