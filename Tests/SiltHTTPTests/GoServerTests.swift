import Foundation
import SiltPprof
import SiltTestSupport
import Testing

@testable import SiltHTTP

/// Profiles of a real Go service against what the service says that it leaks.
struct GoServerTests {
    private static let leaking = ["slice", "ticker", "context", "conn", "rows", "redis"]
    private static let innocent = ["clean", "cache", "pool"]

    @Test func theHeapProfileShowsWhatTheServiceLeaks() throws {
        let redis = try RedisServer()
        let server = try GoServer(options: ["-redis", "127.0.0.1:\(redis.port)"])
        for route in GoServerTests.leaking + GoServerTests.innocent { try server.request(route, 250) }
        let heap = try server.endpoint.fetch(.heap).inUse()
        let stats = try server.stats()
        #expect(heap.bytesType == PprofValueType(type: "inuse_space", unit: "bytes"))
        #expect(heap.countType == PprofValueType(type: "inuse_objects", unit: "count"))
        for route in GoServerTests.leaking where route != "conn" {
            let truth = try #require(stats[route])
            #expect(truth.count == 250 && truth.failed == 0)
            let (file, line) = try leakingLine(of: "goserver", route)
            let found = heap.total { $0.line == Int64(line) && $0.file.hasSuffix("/" + file) }
            #expect(found.bytes == truth.bytes, "/\(route)")
            #expect(found.count == truth.count, "/\(route)")
        }
        // What the libraries hold for each connection, context and ticker, below the marked lines.
        #expect(heap.total { $0.function == "net/http.(*Transport).dialConn" }.count >= 250)
        #expect(heap.total { $0.function == "time.NewTicker" }.count >= 250)
        #expect(heap.total { $0.function == "context.WithCancel" }.count >= 250)
        for route in GoServerTests.innocent { #expect(stats[route]?.count == 0) }
        #expect(heap.total { $0.function == "main.newScratch" }.count == 0)
        #expect(heap.total { $0.function == "main.newPage" }.bytes == 200 * (2304 + 32))
        #expect(heap.total { $0.function == "main.newBuffer" }.count <= 4)
    }

    @Test func theGoroutineProfileShowsWhoNeverEnds() throws {
        let redis = try RedisServer()
        let server = try GoServer(options: ["-redis", "127.0.0.1:\(redis.port)"])
        for (route, count) in [("ticker", 70), ("conn", 50), ("redis", 30), ("slice", 20)] {
            try server.request(route, count)
        }
        let goroutines = try server.endpoint.fetch(.goroutine).inUse()
        #expect(goroutines.bytesType == nil)
        #expect(goroutines.countType == PprofValueType(type: "goroutine", unit: "count"))
        #expect(goroutines.total { $0.function == "main.pollPrices" }.count == 70)
        #expect(goroutines.total { $0.function == "net/http.(*persistConn).readLoop" }.count == 50)
        #expect(goroutines.total { $0.function == "net/http.(*persistConn).writeLoop" }.count == 50)
        #expect(goroutines.total { $0.function == "main.(*redisClient).readReplies" }.count == 30)
        let stats = try server.stats()
        #expect(["ticker", "conn", "redis", "slice"].map { stats[$0]?.goroutines } == [70, 100, 30, 0])
    }

    @Test func repairedTheServiceLeaksNothing() throws {
        let redis = try RedisServer()
        let server = try GoServer(options: ["-fixed", "-redis", "127.0.0.1:\(redis.port)"])
        for route in GoServerTests.leaking { try server.request(route, 150) }
        try waitUntil("what served the requests has ended") {
            try server.endpoint.fetch(.goroutine).inUse().total { _ in true }.count < 20
        }
        let heap = try server.endpoint.fetch(.heap).inUse()
        for route in GoServerTests.leaking where route != "conn" {
            let (file, line) = try leakingLine(of: "goserver", route)
            let found = heap.total { $0.line == Int64(line) && $0.file.hasSuffix("/" + file) }
            #expect(found.count <= (route == "slice" ? 100 : 3), "/\(route)")
            #expect(try server.stats()[route]?.count == 0)
        }
    }

    @Test(arguments: ["heap", "goroutine", "allocs", "threadcreate", "block", "mutex", "profile?seconds=1"])
    func everyProfileOfGoIsReadAndWrittenAgain(kind: String) throws {
        let server = try GoServer(options: [])
        try server.request("slice", 50)
        try server.request("ticker", 10)
        let profile = try server.endpoint.fetch(.named(kind))
        #expect(try PprofProfile(reading: profile.gzipped()) == profile)
        switch kind {
        case "heap", "allocs", "goroutine", "threadcreate":
            #expect(try !profile.inUse().stacks.isEmpty)
        default:
            #expect(throws: PprofError.nothingInUse(found: profile.sampleTypes)) { try profile.inUse() }
        }
    }

    @Test func aRealFileCutAnywhereIsTruncated() throws {
        let server = try GoServer()
        let file = try server.endpoint.fetchBytes(.goroutine)
        #expect(file.count > 500)
        for length in 2..<file.count {
            #expect(throws: PprofError.truncated(bytes: length)) { try PprofProfile(reading: Array(file[..<length])) }
        }
    }
}

extension GoServer {
    var endpoint: PprofEndpoint {
        get throws { PprofEndpoint(try PprofAddress("http://\(address)/debug/pprof")) }
    }
}
