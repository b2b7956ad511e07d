// silt-analyzer-bench: events/s of decoding and applying, at several live heap sizes, in CPU time.
//
//     swift run -c release silt-analyzer-bench                      1 k, 1 M and 20 M live blocks
//     swift run -c release silt-analyzer-bench LIVE [EVENTS]        one size
//     swift run -c release silt-analyzer-bench --replay FILE        a recorded event file

import CSiltWire
import Glibc
import SiltEvents
import SiltHeap
import SiltTestReplay

/// Seconds of CPU this process has used.
func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// A value of /proc/self/status in KiB.
func statusKiB(_ name: String) -> Int {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if text.hasPrefix(name + ":") { return Int(text.split(whereSeparator: { !$0.isNumber }).first ?? "0") ?? 0 }
    }
    return 0
}

func fixed(_ value: Double, _ digits: Int = 1) -> String {
    let scale = pow(10.0, Double(digits))
    let scaled = Int((value * scale).rounded())
    return digits == 0 ? "\(scaled)" : "\(scaled / Int(scale)).\(scaled % Int(scale))"
}

/// A producer: allocates up to a number of live blocks, then replaces random ones; sizes and addresses spread like a
/// real heap's.
struct Producer {
    var live: [UInt64] = []
    var stamps = [UInt16](repeating: 0, count: Int(SILT_STAMP_SHARDS))
    var random: UInt64 = 88_172_645_463_325_252
    var nextAddress: UInt64 = 0x7f00_0000_0000
    var bytes: [UInt64] = []
    var freed: [UInt64] = []
    var reused = 0
    let stackCount: UInt32

    mutating func roll() -> UInt64 {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return random
    }

    mutating func stamp(_ address: UInt64) -> UInt64 {
        let shard = Int(silt_stamp_shard(address))
        let stamp = stamps[shard]
        stamps[shard] = stamp &+ 1
        return UInt64(stamp) << 4
    }

    mutating func alloc(_ address: UInt64) {
        bytes.append((address >> 3) << 20 | stamp(address) | 4)
        bytes.append((16 + roll() % 500) << 26 | 1 + roll() % UInt64(stackCount))
    }

    mutating func free(_ address: UInt64) { bytes.append((address >> 3) << 20 | stamp(address) | 2) }

    mutating func grow(_ count: Int) {
        for _ in 0..<count {
            nextAddress += 32 + (roll() % 4) * 16
            live.append(nextAddress)
            alloc(nextAddress)
        }
    }

    /// `pairs` frees of random blocks, each followed by an allocation at the address that was freed `delay` pairs ago.
    ///
    /// 0: at the same one, as a free list hands it out again; 64: what a look at the table finds has left the caches.
    mutating func churn(_ pairs: Int, delay: Int) {
        for _ in 0..<pairs {
            let victim = Int(roll() % UInt64(live.count))
            free(live[victim])
            freed.append(live[victim])
            live[victim] = live[live.count - 1]
            live.removeLast()
            while freed.count - reused > delay {
                live.append(freed[reused])
                alloc(freed[reused])
                reused += 1
            }
        }
        freed.removeFirst(reused)
        reused = 0
    }

    /// `pairs` blocks that are freed at once, all at one place.
    mutating func temporary(_ pairs: Int) {
        for _ in 0..<pairs {
            alloc(0x7e00_0000_0000)
            free(0x7e00_0000_0000)
        }
    }

    mutating func nodes() {
        for id in 1...UInt64(stackCount) {
            let parent = id < 20 ? id - 1 : (id * 7 / 8) % 1000
            bytes.append(id << 38 | min(parent, id - 1) << 12 | 6)
            bytes.append(1 << 48 | (0x10000 + id * 16))
        }
    }
}

final class Consumer {
    var decoder = ImageDecoder(stacks: StackTable())
    var heap = ProcessHeap(inheritsHeap: false, groupOf: { FrameID(rawValue: $0.rawValue & 1023) })
    var batch = HeapEventBatch()

    /// Its one module.
    init() {
        let module = silt_module(bytes: 40, index: 1, start: 0, end: 1 << 30, bias: 0, build_id_bytes: 0, path_bytes: 0)
        withUnsafeBytes(of: module) { log in
            do throws(WireError) {
                try decoder.readModules(log)
            } catch {
                print("\(error)")
                exit(1)
            }
        }
    }

    /// Feeds the producer's bytes in ring-sized pieces; returns the CPU seconds.
    func consume(_ producer: inout Producer) -> Double {
        var seconds = 0.0
        producer.bytes.withUnsafeBytes { bytes in
            let start = cpuSeconds()
            var position = 0
            while position < bytes.count {
                let end = min(position + Int(SILT_RING_BYTES), bytes.count)
                do {
                    let used = try decoder.decode(
                        slot: 0,
                        UnsafeRawBufferPointer(rebasing: bytes[position..<end]),
                        into: &batch
                    )
                    batch.withUnsafeBufferPointer { heap.apply($0) }
                    batch.removeAll()
                    if used == 0 {
                        print("stopped at byte \(position)")
                        exit(1)
                    }
                    position += used
                } catch {
                    print("\(error)")
                    exit(1)
                }
            }
            seconds = cpuSeconds() - start
        }
        producer.bytes.removeAll(keepingCapacity: true)
        return seconds
    }
}

func measure(live: Int, events: Int) {
    let base = statusKiB("VmRSS")
    var producer = Producer(stackCount: 20_000)
    let consumer = Consumer()
    producer.nodes()
    _ = consumer.consume(&producer)
    var growing = 0.0
    var left = live
    while left > 0 {
        producer.grow(min(left, 1 << 18))
        growing += consumer.consume(&producer)
        left -= min(left, 1 << 18)
    }
    consumer.heap.closeInterval()
    /// Rounds of 2^18 events; their median, in millions a second, which a moment's load on the machine does not move.
    func rate(_ produce: (inout Producer) -> Void) -> String {
        var rates: [Double] = []
        while rates.count << 18 < events {
            produce(&producer)
            rates.append(Double(1 << 18) / consumer.consume(&producer) / 1e6)
        }
        rates.sort()
        return fixed(rates[rates.count / 2])
    }
    let churn = rate { $0.churn(1 << 17, delay: 64) }
    let reuse = rate { $0.churn(1 << 17, delay: 0) }
    let temporary = rate { $0.temporary(1 << 17) }
    let blocks = consumer.heap.totals.inUseCount
    let table = consumer.heap.liveTableBytes
    let closing = cpuSeconds()
    consumer.heap.closeInterval()
    let closed = cpuSeconds() - closing
    print(
        "\(blocks) live: churn \(churn) M events/s, reuse at once \(reuse), temporary \(temporary),",
        "growing \(fixed(Double(live) / growing / 1e6)) M/s,",
        "\(fixed(Double(table) / Double(blocks))) B of table a block (\(table >> 20) MiB),",
        "close \(fixed(closed * 1e3)) ms,",
        "producer's own \(producer.live.capacity * 8 >> 20) MiB, RSS before \(base >> 10) now \(statusKiB("VmRSS") >> 10)",
        "peak \(statusKiB("VmHWM") >> 10) MiB"
    )
}

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "--replay", let path = arguments.dropFirst().first {
    let replay = HeapReplay()
    let start = cpuSeconds()
    do {
        try replay.run(path: path)
    } catch {
        print("\(error)")
        exit(1)
    }
    let seconds = cpuSeconds() - start
    var events: UInt64 = 0
    for image in replay.images { events += image.decoder.counts.blockEvents }
    print(
        "\(events) events, \(replay.images.count) images, \(fixed(Double(events) / seconds / 1e6)) M events/s of CPU time"
    )
    if let diagnosis = replay.diagnosis { print("\(diagnosis)") }
} else if let live = arguments.first.flatMap({ Int($0) }) {
    measure(live: live, events: arguments.dropFirst().first.flatMap { Int($0) } ?? 20_000_000)
} else {
    for live in [1000, 1_000_000, 20_000_000] { measure(live: live, events: 20_000_000) }
}
