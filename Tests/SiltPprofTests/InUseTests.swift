import Foundation
import SiltTestSupport
import Testing

@testable import SiltPprof

struct InUseTests {
    @Test func stacksAreSummedByNames() throws {
        let inUse = try smallProfile().inUse()
        #expect(inUse.stacks.map(\.bytes) == [192, 4000, 24])
        #expect(inUse.stacks.map(\.count) == [2, 1, 3])
        #expect(inUse.names(of: inUse.stacks[0]).map(\.function) == ["shop.Make", "shop.Order", "main.main"])
        let bare = try #require(inUse.names(of: inUse.stacks[2]).first)
        #expect(bare.function == "" && bare.module == "/lib/libc.so.6" && bare.offset == 0x1000)
    }

    @Test func whatWasAllocatedIsKnownWhereAProfileSaysIt() throws {
        var profile = smallProfile()
        let allocated = try #require(try profile.allocated())
        #expect(allocated.stacks.first?.bytes == 960)
        #expect(allocated.stacks.first?.count == 10)
        #expect(allocated.bytesType == PprofValueType(type: "alloc_space", unit: "bytes"))
        profile.sampleTypes[1].type = "space"
        #expect(try profile.allocated() == nil)
    }

    @Test func addressesAndLabelsOfNamedFunctionsMakeNoDifference() throws {
        var builder = PprofBuilder(smallProfile())
        for (address, size) in [(16, 8), (16, 64), (32, 8)] {
            builder.add(
                stack: [PprofFrame("leaf", line: 3, address: UInt64(address)), PprofFrame("main", line: 9)],
                values: [0, 0, 2, 2 * Int64(size)],
                labels: [PprofLabel(key: "bytes", value: .number(Int64(size), unit: "bytes"))]
            )
        }
        builder.add(stack: [PprofFrame("leaf", line: 4), PprofFrame("main", line: 9)], values: [0, 0, 1, 1])
        builder.add(stack: [PprofFrame("gone"), PprofFrame("main", line: 9)], values: [9, 9, 0, 0])
        let inUse = try builder.profile.inUse()
        #expect(inUse.stacks.map(\.count) == [6, 1])
        #expect(inUse.stacks.map(\.bytes) == [160, 1])
    }

    @Test func theSameCodeLoadedElsewhereIsTheSame() throws {
        func loaded(at base: UInt64) throws -> PprofInUse {
            var builder = PprofBuilder(smallProfile())
            let mapping = builder.add(PprofMapping(start: base, end: base + 0x9000, offset: 0x2000, file: "/srv/shop"))
            builder.add(stack: [PprofFrame(address: base + 0x10, mapping: mapping)], values: [0, 0, 1, 8])
            return try builder.profile.inUse()
        }
        #expect(try loaded(at: 0x5500_0000_0000) == loaded(at: 0x5600_0000_0000))
        #expect(try loaded(at: 0x5500_0000_0000).symbols.map(\.offset) == [0x2010])
    }

    @Test func sumsStopAtTheLargestNumber() throws {
        var builder = PprofBuilder(smallProfile())
        for _ in 0..<2 { builder.add(stack: [], values: [0, 0, .max, .min]) }
        let inUse = try builder.profile.inUse()
        #expect(inUse.stacks == [PprofInUse.Stack(symbols: [], bytes: .min, count: .max)])
    }

    /// Sample types of writers that are in use, and which of their numbers count.
    @Test(
        arguments: [
            (["alloc_objects/count", "alloc_space/bytes", "inuse_objects/count", "inuse_space/bytes"], 3, 2),
            (["inuse_objects/count", "inuse_space/bytes"], 1, 0),
            (["objects/count", "space/bytes"], 1, 0),
            (["inuse_space/bytes"], 0, nil),
            (["goroutine/count"], nil, 0),
            (["open_connections/count"], nil, 0),
        ] as [([String], Int?, Int?)]
    )
    func valuesInUseAreFoundByName(types: [String], bytes: Int?, count: Int?) {
        let columns = InUseColumns(of: header(types))
        #expect(columns.bytes == bytes)
        #expect(columns.count == count)
    }

    @Test(arguments: [
        ["samples/count", "cpu/nanoseconds"], ["contentions/count", "delay/nanoseconds"],
        ["alloc_objects/count", "alloc_space/bytes"], ["inuse_space/pages"], ["samples/count"],
    ])
    func aProfileOfSomethingElseSaysSo(types: [String]) {
        var profile = header(types)
        profile.period = 100
        #expect(throws: PprofError.nothingInUse(found: profile.sampleTypes)) { try profile.inUse() }
    }

    /// Files of other writers as protoc encodes them: ids without order, texts in another order, fields of later versions.
    @Test func filesOfOtherWritersAreRead() throws {
        let node = try encoded(
            """
            sample_type { type: 1 unit: 2 } sample_type { type: 3 unit: 4 }
            sample { location_id: 18446744073709551615 location_id: 40 value: 5 value: 560
                     label { key: 9 num: 112 num_unit: 4 } label { key: 10 str: 11 } }
            sample { location_id: 40 value: 1 value: 112 }
            location { id: 40 line { function_id: 900 line: 12 } }
            location { id: 18446744073709551615 line { function_id: 7 line: -1 } }
            function { id: 900 name: 5 system_name: 5 filename: 6 } function { id: 7 name: 7 filename: 8 }
            period_type { type: 3 unit: 4 } period: 524288 time_nanos: 1764000000000000000
            string_table: "" string_table: "objects" string_table: "count" string_table: "space" string_table: "bytes"
            string_table: "handle" string_table: "file:///srv/app.js" string_table: "(anonymous:L#1:C#1)"
            string_table: "node:events" string_table: "allocation" string_table: "route" string_table: "/orders"
            """
        )
        let inUse = try node.inUse()
        #expect(inUse.stacks.map(\.bytes) == [560, 112])
        #expect(inUse.names(of: inUse.stacks[0]).map(\.function) == ["(anonymous:L#1:C#1)", "handle"])
        #expect(inUse.names(of: inUse.stacks[0]).map(\.line) == [-1, 12])
        #expect(
            node.samples[0].labels == [
                PprofLabel(key: "allocation", value: .number(112, unit: "bytes")),
                PprofLabel(key: "route", value: .text("/orders")),
            ]
        )
        #expect(try PprofProfile(reading: node.gzipped()).inUse() == inUse)
    }

    private func header(_ types: [String]) -> PprofProfile {
        var profile = PprofProfile()
        profile.sampleTypes = types.map { text in
            let words = text.split(separator: "/").map(String.init)
            return PprofValueType(type: words[0], unit: words[1])
        }
        profile.periodType = profile.sampleTypes.first
        profile.period = 1
        return profile
    }

    private func encoded(_ text: String) throws -> PprofProfile {
        let folder = try ScratchFolder()
        let result = try runProgram(
            [
                "sh", "-c", "protoc -I \"$1\" --encode perftools.profiles.Profile profile.proto > \"$2\"", "sh",
                packageRoot.appending(path: "Sources/SiltPprof").path(), folder.file("encoded.pb"),
            ],
            input: text
        )
        guard result.status == 0 else { throw TestSetupError(description: result.errors) }
        return try PprofProfile(path: folder.file("encoded.pb"))
    }
}
