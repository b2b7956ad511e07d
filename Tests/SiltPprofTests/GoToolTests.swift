import Foundation
import SiltTestSupport
import Testing

@testable import SiltPprof

/// What `go tool pprof` reads in our files against what we read in its.
struct GoToolTests {
    @Test func goToolSeesTheSameInAFileWrittenByUs() throws {
        let server = try GoServer()
        for route in ["slice", "context", "rows", "cache"] { try server.request(route, 40) }
        for kind in ["heap?gc=1", "goroutine", "allocs"] {
            let bytes = try server.profile(kind)
            let original = server.folder.file("original")
            let ours = server.folder.file("ours")
            try Data(bytes).write(to: URL(filePath: original))
            try Data(PprofProfile(reading: bytes).gzipped()).write(to: URL(filePath: ours))
            let raw = try goTool(["-raw", ours])
            #expect(try raw == goTool(["-raw", original]))
            #expect(raw.contains("Samples:") && raw.contains("Mappings"))
        }
    }

    @Test func sumsByFunctionEqualThoseOfGoTool() throws {
        let server = try GoServer()
        for route in ["slice", "context", "rows", "cache"] { try server.request(route, 40) }
        let file = server.folder.file("heap.pb.gz")
        try Data(server.profile("heap?gc=1")).write(to: URL(filePath: file))
        let inUse = try PprofProfile(path: file).inUse()
        let objects = try top(file, "inuse_objects")
        let space = try top(file, "inuse_space")
        #expect(space.count > 20)
        #expect(space["main.newOrder"]?.flat == Int64(40 * 1536))
        var flat: [String: (bytes: Int64, count: Int64)] = [:]
        var cumulative: [String: Int64] = [:]
        for stack in inUse.stacks {
            let names = inUse.names(of: stack).map(\.function)
            flat[try #require(names.first), default: (0, 0)].bytes += stack.bytes
            flat[try #require(names.first), default: (0, 0)].count += stack.count
            for name in Set(names) { cumulative[name, default: 0] += stack.bytes }
        }
        for (name, sums) in space { #expect(sums == (flat[name]?.bytes ?? 0, cumulative[name] ?? 0), "\(name)") }
        for (name, sums) in objects { #expect(sums.flat == flat[name]?.count ?? 0, "\(name)") }
        #expect(Set(space.keys) == Set(cumulative.filter { $0.value != 0 }.keys))
    }

    @Test func goToolReadsAProfileMadeByUs() throws {
        let folder = try ScratchFolder()
        try Data(smallProfile().gzipped()).write(to: URL(filePath: folder.file("small")))
        let space = try top(folder.file("small"), "inuse_space")
        #expect(space["shop.Make (inline)"] ?? space["shop.Make"] ?? (0, 0) == (192, 192))
        #expect(space["shop.Order"] ?? (0, 0) == (4000, 4192))
        let raw = try goTool(["-raw", "-symbolize=none", folder.file("small")])
        for line in [
            "PeriodType: space bytes", "Period: 524288", "route:[/order /pay]", "bytes:[96 bytes]", "[FN][FL][LN][IN]",
        ] {
            #expect(raw.contains(line), "\(line)")
        }
    }

    /// The dumps of gperftools are text without names; `go tool pprof -proto` makes addresses and mappings of them.
    @Test func profilesOfAddressesAndMappingsAreReadByFileAndOffset() throws {
        let folder = try ScratchFolder()
        let program = try buildWorkload("counts", into: folder)
        let run = try runProgram(
            [program],
            environment: ["LD_PRELOAD": "libtcmalloc.so.4", "HEAPPROFILE": folder.file("dump")]
        )
        #expect(run.status == 7, "\(run.errors)")
        let dump = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".heap") }.max()
        )
        let file = folder.file("counts.pb.gz")
        _ = try goTool(["-proto", "-symbolize=none", "-output=\(file)", folder.file(dump)])
        let profile = try PprofProfile(path: file)
        let inUse = try profile.inUse()
        #expect(profile.functions.isEmpty && !profile.mappings.isEmpty)
        #expect(inUse.bytesType == PprofValueType(type: "inuse_space", unit: "bytes"))
        #expect(inUse.countType == PprofValueType(type: "inuse_objects", unit: "count"))
        let left = inUse.total { $0.module == program && $0.offset > 0 && $0.function.isEmpty }
        #expect(left == (345_678 * 40, 345_678))
        let error = #expect(throws: PprofError.self) { try PprofProfile(path: folder.file(dump)) }
        #expect(error?.description.contains("convert it with `go tool pprof -proto`") == true)
    }

    /// jemalloc's dumps are a text of their own, which go tool pprof does not read either.
    @Test func aDumpOfJemallocIsNamedAsSuch() throws {
        let folder = try ScratchFolder()
        let run = try runProgram(
            [try buildWorkload("counts", into: folder)],
            environment: [
                "LD_PRELOAD": "libjemalloc.so.2",
                "MALLOC_CONF": "prof:true,prof_final:true,prof_prefix:\(folder.path)/dump",
            ]
        )
        #expect(run.status == 7, "\(run.errors)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let dump = try #require(files.first { $0.hasPrefix("dump") && $0.hasSuffix(".heap") })
        let error = #expect(throws: PprofError.self) { try PprofProfile(path: folder.file(dump)) }
        #expect(error?.description.contains("it is a jemalloc dump") == true)
        #expect(error?.description.contains("look at it with jeprof") == true)
        #expect(throws: TestSetupError.self) { try goTool(["-proto", folder.file(dump)]) }
    }

    /// pypprof names its values by the kind of profile, and counts samples beside them.
    @Test func profilesOfPypprofAreReadLikeGoTool() throws {
        let folder = try ScratchFolder()
        let script = """
            import sys, threading, time, mprofile
            from pypprof import builder, thread_profiler
            mprofile.start(sample_rate=1)
            def wait(): time.sleep(60)
            def keep(): return [bytearray(1500) for _ in range(100)]
            for _ in range(5): threading.Thread(target=wait, daemon=True).start()
            kept = keep()
            open(sys.argv[1], "wb").write(thread_profiler.take_snapshot())
            samples = {}
            for one in mprofile.take_snapshot().statistics("traceback"):
                stack = tuple((f.name, f.filename, f.firstlineno, f.lineno) for f in reversed(one.traceback))
                count, size = samples.get(stack, (0, 0))
                samples[stack] = (count + one.count, size + one.size)
            profile = builder.Builder()
            profile.populate_profile(samples, "HEAP", "bytes", 1, 1)
            open(sys.argv[2], "wb").write(profile.emit())
            """
        try script.write(toFile: folder.file("keep.py"), atomically: false, encoding: .utf8)
        let (threads, heap) = (folder.file("threads.pb.gz"), folder.file("heap.pb.gz"))
        let run = try runProgram(
            ["python3", folder.file("keep.py"), threads, heap],
            environment: try pythonEnvironment()
        )
        #expect(run.status == 0, "\(run.errors)")
        let running = try PprofProfile(path: threads).inUse()
        #expect(running.bytesType == nil && running.countType == PprofValueType(type: "THREADS", unit: "count"))
        // It counts stacks, not the threads that have them.
        #expect(running.total { $0.function == "wait" }.count == 1)
        #expect(try running.total { _ in true }.count == top(threads, "THREADS").values.reduce(0) { $0 + $1.flat })
        let inUse = try PprofProfile(path: heap).inUse()
        #expect(inUse.bytesType == PprofValueType(type: "HEAP", unit: "bytes"))
        #expect(inUse.countType == PprofValueType(type: "sample", unit: "count"))
        var flat: [String: Int64] = [:]
        for stack in inUse.stacks { flat[inUse.names(of: stack)[0].function, default: 0] += stack.bytes }
        #expect(flat["<listcomp>", default: 0] >= 100 * 1500, "\(flat)")
        for (name, sums) in try top(heap, "HEAP") { #expect(sums.flat == flat[name] ?? 0, "\(name)") }
    }

    private func goTool(_ arguments: [String]) throws -> String {
        let result = try runProgram(["go", "tool", "pprof"] + arguments)
        guard result.status == 0 else { throw TestSetupError(description: result.errors) }
        return result.output
    }

    /// The table of `go tool pprof -top` in plain numbers, by function.
    private func top(_ file: String, _ type: String) throws -> [String: (flat: Int64, cumulative: Int64)] {
        let table = try goTool([
            "-top", "-symbolize=none", "-unit=B", "-nodecount=1000000", "-nodefraction=0", "-edgefraction=0",
            "-sample_index=\(type)", file,
        ])
        var sums: [String: (flat: Int64, cumulative: Int64)] = [:]
        let lines = table.split(separator: "\n").drop { !$0.contains("flat%") }.dropFirst()
        for line in lines {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 5 else { throw TestSetupError(description: "unexpected line \(line)") }
            func number(_ word: Substring) throws -> Int64 {
                try #require(Int64(word.hasSuffix("B") ? word.dropLast() : word), "\(line)")
            }
            var name = words[5...].joined(separator: " ")
            for suffix in [" (inline)", " (partial-inline)"] where name.hasSuffix(suffix) {
                name = String(name.dropLast(suffix.count))
            }
            let known = sums[name] ?? (0, 0)
            sums[name] = (known.flat + (try number(words[0])), known.cumulative + (try number(words[3])))
        }
        return sums
    }
}
