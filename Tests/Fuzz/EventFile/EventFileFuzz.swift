import SiltEvents
import SiltFuzzSupport
import SiltHeap
import SiltTestReplay

/// libFuzzer's entry: any bytes become an event file, which is replayed.
///
/// The first byte says how: 0, they are the file itself; 1, they are written as chunks, so that checksums are right
/// and what they protect is odd; 2, such a file is damaged in one place by the bytes behind the first. Bad files must
/// end in a diagnosis: a crash, a hang or events that nobody wrote are findings.
@_cdecl("LLVMFuzzerTestOneInput")
package func replayAnything(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard input.count > 8 else { return 0 }
    do throws(RawStreamError) {
        switch input[0] % 3 {
        case 0: scratch.set(Array(input[1...]))
        case 1: try write(Array(input[1...]))
        default:
            try write(Array(input[5...]))
            var bytes = scratch.bytes()
            let place = (Int(input[1]) | Int(input[2]) << 8) % bytes.count
            bytes[place] ^= input[3] | 1
            if input[4] & 1 != 0 { bytes.removeFirst(min(bytes.count - 1, Int(input[4] >> 1))) }
            scratch.set(bytes)
        }
        let replay = HeapReplay()
        try replay.run(path: scratch.path)
        for image in replay.images {
            let totals = image.heap.totals
            precondition(totals.inUseCount <= totals.allocatedCount + image.decoder.counts.unfree)
        }
        if let diagnosis = replay.diagnosis { precondition(!diagnosis.description.isEmpty) }
    } catch {
        precondition(!error.description.isEmpty)
    }
    return 0
}

private let scratch = FuzzFile("events")

/// Chunks of kind, image, slot and length, 4 bytes, and their payload.
private func write(_ input: [UInt8]) throws(RawStreamError) {
    scratch.set([])
    var writer = try RawStreamWriter(path: scratch.path)
    var rest = input[...]
    var written: [UInt64: UInt64] = [:]
    while rest.count >= 4 {
        let (kind, image, slot) = (
            rest[rest.startIndex], UInt64(rest[rest.startIndex + 1] & 3), rest[rest.startIndex + 2]
        )
        let length = min(Int(rest[rest.startIndex + 3]), rest.count - 4) & ~7
        let payload = Array(rest.dropFirst(4).prefix(length))
        rest = rest.dropFirst(4 + length)
        let key = image << 8 | UInt64(slot)
        let offset = written[key] ?? 0
        payload.withUnsafeBytes { bytes in
            switch kind & 7 {
            case 0: writer.image(image, timeNanoseconds: UInt64(slot), header: bytes)
            case 1: writer.modules(image: image, offset: offset, bytes)
            case 2: writer.snapshot(timeNanoseconds: UInt64(slot), residents: [(image, offset)])
            case 3: writer.end(image: image, timeNanoseconds: UInt64(slot), bytes)
            case 4: writer.gap(image: image, StampGap(shard: UInt32(slot), stamp: UInt16(length), missing: 1))
            default: writer.records(image: image, slot: Int(slot & 7), offset: offset, bytes)
            }
        }
        written[key] = offset + UInt64(length)
    }
    writer.exit(timeNanoseconds: 1, UnsafeRawBufferPointer(start: nil, count: 0))
    writer.flush()
    if let failure = writer.failure { throw failure }
}
