import SiltTestNumbers

@testable import SiltPprof

/// Sample types as Go's heap profiles have them.
let heapTypes = [
    PprofValueType(type: "alloc_objects", unit: "count"), PprofValueType(type: "alloc_space", unit: "bytes"),
    PprofValueType(type: "inuse_objects", unit: "count"), PprofValueType(type: "inuse_space", unit: "bytes"),
]

/// A profile with every field in use and three samples: 2 blocks of 96 bytes, 1 of 4,000, 3 of 8 without names.
func smallProfile() -> PprofProfile {
    var header = PprofProfile()
    header.sampleTypes = heapTypes
    header.defaultSampleType = "inuse_space"
    header.periodType = PprofValueType(type: "space", unit: "bytes")
    header.period = 524_288
    header.timeNanos = 1_764_000_000_000_000_000
    header.durationNanos = 2_500_000_000
    header.comments = ["made for a test", "Grüße"]
    header.dropFrames = "malloc|free"
    header.keepFrames = "free_list"
    header.documentationURL = "https://example.org/profile"
    var builder = PprofBuilder(header)
    let program = builder.add(
        PprofMapping(start: 0x40_0000, end: 0x48_0000, offset: 0x1000, file: "/srv/shop", buildID: "c0ffee")
    )
    let library = builder.add(PprofMapping(start: 0x7f00_0000_0000, end: .max, offset: 0, file: "/lib/libc.so.6"))
    var inlined = PprofFrame("shop.Make", file: "shop.go", line: 12, address: 0x40_1234, mapping: program)
    inlined.isInlined = true
    inlined.function.systemName = "_shop_Make"
    inlined.column = 7
    var order = PprofFrame("shop.Order", file: "shop.go", line: 40, address: 0x40_1234, mapping: program)
    order.function.startLine = 38
    let main = PprofFrame("main.main", file: "main.go", line: 9, address: 0x40_0100, mapping: program)
    var folded = PprofFrame(address: 0x7f00_0000_1000, mapping: library)
    folded.isFolded = true
    builder.add(
        stack: [inlined, order, main],
        values: [10, 960, 2, 192],
        labels: [
            PprofLabel(key: "bytes", value: .number(96, unit: "bytes")),
            PprofLabel(key: "route", value: .text("/order")), PprofLabel(key: "route", value: .text("/pay")),
        ]
    )
    builder.add(stack: [order, main], values: [1, 4000, 1, 4000])
    builder.add(stack: [folded, main], values: [-3, .min, 3, 24])
    return builder.profile
}

/// A profile of some stacks out of few functions, with odd numbers and texts among them.
func randomProfile(seed: UInt64) -> PprofProfile {
    var numbers = SeededGenerator(seed: seed)
    let names = ["", "a", "main.main", "std::vector<int>::push_back(int&&)", "größe", "λ\u{0}x", "\"quoted\"\n"]
    let odd: [Int64] = [0, 1, -1, .min, .max, 127, 128, 1536]
    func name() -> String { names[Int.random(in: 0..<names.count, using: &numbers)] }
    func number() -> Int64 { odd[Int.random(in: 0..<odd.count, using: &numbers)] }
    var header = PprofProfile()
    header.sampleTypes = (0...Int.random(in: 0...3, using: &numbers)).map { _ in
        PprofValueType(type: name(), unit: name())
    }
    header.defaultSampleType = name()
    if Bool.random(using: &numbers) { header.periodType = PprofValueType(type: name(), unit: name()) }
    (header.period, header.timeNanos, header.durationNanos) = (number(), number(), number())
    header.comments = (0..<Int.random(in: 0...2, using: &numbers)).map { _ in name() }
    (header.dropFrames, header.keepFrames, header.documentationURL) = (name(), name(), name())
    var builder = PprofBuilder(header)
    let mappings = (0...2).map { _ in
        builder.add(
            PprofMapping(start: UInt64.random(in: 0 ... .max, using: &numbers), end: .max, offset: 4096, file: name())
        )
    }
    for _ in 0..<Int.random(in: 0...30, using: &numbers) {
        let stack = (0..<Int.random(in: 0...12, using: &numbers)).map { _ in
            var frame = PprofFrame(name(), file: name(), line: number(), address: UInt64(bitPattern: number()))
            frame.mapping = Bool.random(using: &numbers) ? mappings.randomElement(using: &numbers) : nil
            (frame.column, frame.function.startLine) = (number(), number())
            frame.function.systemName = name()
            frame.isFolded = Bool.random(using: &numbers)
            return frame
        }
        let labels = (0..<Int.random(in: 0...2, using: &numbers)).map { _ in
            let text = name()
            return PprofLabel(key: name(), value: text.isEmpty ? .number(number(), unit: name()) : .text(text))
        }
        builder.add(stack: stack, values: header.sampleTypes.map { _ in number() }, labels: labels)
    }
    return builder.profile
}

extension Gzip {
    /// The bytes as a gzip file of one member.
    static func deflated(_ bytes: [UInt8]) throws(PprofError) -> [UInt8] {
        final class Output { var bytes: [UInt8] = [] }
        let output = Output()
        let writer = try GzipWriter { output.bytes += $0 }
        writer.add(bytes)
        writer.finish()
        return output.bytes
    }
}
