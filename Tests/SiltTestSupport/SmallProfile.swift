package import SiltPprof

/// Sample types as Go's heap profiles have them.
package let heapTypes = [
    PprofValueType(type: "alloc_objects", unit: "count"), PprofValueType(type: "alloc_space", unit: "bytes"),
    PprofValueType(type: "inuse_objects", unit: "count"), PprofValueType(type: "inuse_space", unit: "bytes"),
]

/// A profile with every field in use and three samples: 2 blocks of 96 bytes, 1 of 4,000, 3 of 8 without names.
package func smallProfile() -> PprofProfile {
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

extension PprofInUse {
    /// What the stacks hold that have such a frame.
    package func total(_ condition: (PprofSymbol) -> Bool) -> (bytes: Int64, count: Int64) {
        let found = stacks.filter { names(of: $0).contains(where: condition) }
        return (found.reduce(0) { $0 + $1.bytes }, found.reduce(0) { $0 + $1.count })
    }
}
