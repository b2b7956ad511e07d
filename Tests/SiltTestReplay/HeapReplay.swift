package import SiltEvents
package import SiltHeap

/// Applies a recorded event file to heaps, as the session did when it was recorded.
package final class HeapReplay {
    package final class Image {
        package let id: UInt64
        package var decoder: ImageDecoder
        package var heap: ProcessHeap
        /// The first bad record of each slot; the rest of that slot is not read.
        package fileprivate(set) var errors: [Int: WireError] = [:]
        package fileprivate(set) var moduleError: WireError?
        fileprivate var moduleLog: [UInt8] = []
        /// Bytes of a slot that are recorded but could not be decoded yet.
        fileprivate var pending: [Int: [UInt8]] = [:]

        fileprivate init(
            id: UInt64,
            stacks: StackTable,
            countingFrees: Bool,
            groupOf: @escaping (StackID) -> FrameID
        ) {
            self.id = id
            decoder = ImageDecoder(stacks: stacks)
            heap = ProcessHeap(inheritsHeap: false, groupOf: groupOf)
            if countingFrees { heap.startCountingFrees(bornSince: 0) }
        }
    }

    package let stacks = StackTable()
    /// In order of appearance.
    package private(set) var images: [Image] = []
    /// What cut the replay short; nil if the file was read to its end.
    package private(set) var diagnosis: RawStreamError?
    private let countingFrees: Bool
    private let groupOf: (StackID) -> FrameID

    /// `countingFrees`: the heaps count frees by stack from their first event on.
    package init(
        countingFrees: Bool = false,
        groupOf: @escaping (StackID) -> FrameID = { FrameID(rawValue: $0.rawValue) }
    ) {
        self.countingFrees = countingFrees
        self.groupOf = groupOf
    }

    package func image(_ id: UInt64) -> Image {
        if let known = images.first(where: { $0.id == id }) { return known }
        let image = Image(id: id, stacks: stacks, countingFrees: countingFrees, groupOf: groupOf)
        images.append(image)
        return image
    }

    /// Throws if the file cannot be opened or is no event file; what is wrong later on becomes `diagnosis`.
    package func run(path: String) throws(RawStreamError) {
        var reader = try RawStreamReader(path: path)
        var batch = HeapEventBatch()
        do throws(RawStreamError) {
            while let item = try reader.next() {
                if case .damage(let damage) = item {
                    diagnosis = .badChunk(path: path, offset: damage.offset)
                    return
                }
                apply(item, reader.payload, &batch)
            }
        } catch {
            diagnosis = error
        }
    }

    private func apply(_ item: RawStreamItem, _ payload: [UInt8], _ batch: inout HeapEventBatch) {
        switch item {
        case .trace, .exit, .damage: break
        case .image(let id, _): _ = image(id)
        case .modules(let id, _):
            let image = image(id)
            image.moduleLog += payload
            let result = image.moduleLog.withUnsafeBytes { bytes in
                Result { () throws(WireError) in try image.decoder.readModules(bytes) }
            }
            if case .failure(let error) = result, image.moduleError == nil { image.moduleError = error }
        case .records(let id, let slot, _):
            let image = image(id)
            image.pending[slot, default: []] += payload
            drain(image, slot, &batch)
        case .gap(let id, let gap):
            let image = image(id)
            image.decoder.skip(gap)
            for slot in image.pending.keys.sorted() { drain(image, slot, &batch) }
        case .threads(let id):
            let handles = stride(from: 0, to: payload.count - 7, by: 8).map { at in
                payload.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: UInt64.self) }
            }
            image(id).heap.endThreads(handles)
        case .snapshot:
            for image in images { image.heap.closeInterval() }
        case .descriptors(let id, _):
            payload.withUnsafeBytes { bytes in
                for place in stride(from: 0, to: bytes.count - 7, by: 8) {
                    image(id).heap.lose(bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self), of: .descriptor)
                }
            }
        // What no event tells of is no affair of the decoder's.
        case .end, .found, .example: break
        }
    }

    /// Decodes what can be decoded of a slot.
    ///
    /// Recorded in the order of decoding, nothing usually stays behind.
    private func drain(_ image: Image, _ slot: Int, _ batch: inout HeapEventBatch) {
        guard image.errors[slot] == nil, var bytes = image.pending[slot] else { return }
        var used = 0
        scan: while used < bytes.count {
            let result = bytes.withUnsafeBytes { all in
                let rest = UnsafeRawBufferPointer(rebasing: all[used...])
                return Result { () throws(WireError) in try image.decoder.decode(slot: slot, rest, into: &batch) }
            }
            switch result {
            case .success(let step):
                batch.withUnsafeBufferPointer { image.heap.apply($0) }
                batch.removeAll()
                if step == 0 { break scan }
                used += step
            case .failure(let error):
                image.errors[slot] = error
                break scan
            }
        }
        bytes.removeFirst(used)
        image.pending[slot] = bytes
    }
}
