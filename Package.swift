// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
// The per-event loops: unoptimized, a debug build would hold its targets back.
let hot: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]
// What collects while the program runs, and what is found in it: debug builds, which the tests are, check exclusive access
// at run time.
let collecting: [SwiftSetting] = [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

let package = Package(
    name: "silt",
    products: [.executable(name: "silt", targets: ["silt"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // The other traits bring streams, and with them all of Foundation.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: [
        // What C and Swift share, and the libraries of the system.
        .systemLibrary(name: "CSiltWire", path: "CShim/wire"),
        .target(name: "CSiltSystem"),
        .systemLibrary(name: "Clibdw", pkgConfig: nil, providers: [.apt(["libdw-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: nil, providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: nil, providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: nil, providers: [.apt(["libzstd-dev"])]),
        // Only the archive has the demangler that hands over its text piece by piece.
        .target(name: "CDemangle", linkerSettings: [.linkedLibrary("stdc++"), .linkedLibrary(":libstdc++.a")]),
        // Flags, since a library that SiltSymbols names too would be linked at one place only, perhaps before libdw.a.
        .target(name: "CZlib", linkerSettings: [.unsafeFlags(["-l:libz.a", "-l:libzstd.a"])]),

        // The shim: built by the plugin, carried as bytes.
        .plugin(name: "BuildShim", capability: .buildTool(), path: "CShim/plugin"),
        // The HTML report's files, carried as text.
        .plugin(name: "EmbedPage", capability: .buildTool(), path: "Sources/EmbedPage", exclude: ["embed.sh"]),
        .target(
            name: "SiltShim",
            dependencies: ["SiltSystem", "SiltText"],
            swiftSettings: strict,
            plugins: ["BuildShim"]
        ),

        // Text: names that are bytes, numbers with units both ways, regular expressions.
        .target(name: "SiltText", dependencies: ["CSiltSystem"], swiftSettings: strict),

        // Clocks and files.
        .target(name: "SiltSystem", dependencies: ["CSiltSystem", "SiltText"], swiftSettings: strict),

        // JSON both ways, without Foundation.
        .target(name: "SiltJSON", swiftSettings: strict),

        // The pipeline, in its order.
        .target(
            name: "SiltEvents",
            dependencies: ["CSiltWire", "CSiltSystem", "SiltText"],
            swiftSettings: hot + collecting
        ),
        .target(name: "SiltHeap", dependencies: ["SiltEvents", "CSiltSystem"], swiftSettings: hot + collecting),
        .target(name: "SiltGrowth", dependencies: ["SiltHeap"], exclude: ["docs"], swiftSettings: strict + collecting),
        .target(
            name: "SiltSymbols",
            dependencies: ["CDemangle", "Clibdw", "CSiltSystem", "SiltEvents", "SiltSystem", "SiltText"],
            swiftSettings: strict + collecting,
            linkerSettings: [":libdw.a", ":libelf.a", ":liblzma.a", ":libbz2.a", ":libzstd.a", ":libz.a", "stdc++"]
                .map { .linkedLibrary($0) } + [.unsafeFlags(["-Xlinker", "--wrap=open"])]
        ),
        .target(
            name: "SiltRecording",
            dependencies: ["CSQLite", "CSiltSystem", "SiltEvents", "SiltSystem", "SiltText"],
            exclude: ["docs"],
            swiftSettings: strict + collecting,
            linkerSettings: [.linkedLibrary(":libsqlite3.a"), .linkedLibrary("m")]
        ),
        .target(
            name: "SiltFindings",
            dependencies: [
                "SiltEvents", "SiltGrowth", "SiltHeap", "SiltJSON", "SiltRecording", "SiltSymbols", "SiltSystem",
                "SiltText",
            ],
            exclude: ["docs"],
            swiftSettings: strict + collecting
        ),
        .target(
            name: "SiltReports",
            dependencies: [
                "SiltEvents", "SiltFindings", "SiltGrowth", "SiltHeap", "SiltJSON", "SiltPprof", "SiltRecording",
                "SiltSymbols", "SiltSystem", "SiltText",
            ],
            exclude: ["docs", "Page"],
            swiftSettings: strict,
            plugins: ["EmbedPage"]
        ),
        .target(
            name: "SiltPprof",
            dependencies: [
                "CZlib", "CZstd", "SiltSystem", "SiltText",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["otlp_profiles.proto", "profile.proto"],
            swiftSettings: strict
        ),
        .target(
            name: "SiltHTTP",
            dependencies: [
                "SiltPprof",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "SiltSession",
            dependencies: [
                "Clibdw", "CSiltWire", "CSiltSystem", "SiltEvents", "SiltHeap", "SiltGrowth", "SiltSymbols",
                "SiltRecording", "SiltShim", "SiltSystem", "SiltText",
            ],
            swiftSettings: strict + collecting
        ),
        .target(
            name: "SiltProfiles",
            dependencies: ["SiltEvents", "SiltHeap", "SiltPprof", "SiltRecording", "SiltSession"],
            swiftSettings: strict
        ),
        .target(
            name: "SiltPlan",
            dependencies: ["CYAML", "SiltEvents", "SiltJSON", "SiltPprof", "SiltSystem", "SiltText"],
            swiftSettings: strict,
            linkerSettings: [.linkedLibrary(":libyaml.a")]
        ),
        .target(
            name: "SiltHunt",
            dependencies: [
                "CSiltSystem", "SiltGrowth", "SiltHTTP", "SiltHeap", "SiltPlan", "SiltPprof", "SiltProfiles",
                "SiltRecording", "SiltSession", "SiltSymbols", "SiltSystem", "SiltText",
            ],
            swiftSettings: strict
        ),
        .target(
            name: "SiltServer",
            dependencies: [
                "SiltEvents", "SiltFindings", "SiltHTTP", "SiltPprof", "SiltRecording", "SiltReports", "SiltSystem",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "silt",
            dependencies: [
                "CSiltSystem", "SiltEvents", "SiltFindings", "SiltHunt", "SiltJSON", "SiltPlan",
                "SiltPprof",
                "SiltProfiles", "SiltRecording", "SiltReports", "SiltServer", "SiltSession", "SiltShim", "SiltSymbols",
                "SiltSystem", "SiltText",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["docs"],
            swiftSettings: strict
        ),

        .executableTarget(
            name: "silt-analyzer-bench",
            dependencies: ["CSiltWire", "SiltEvents", "SiltHeap", "SiltTestReplay"],
            path: "Tests/Benchmarks/Analyzer",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "silt-benchmark",
            dependencies: ["SiltRecording", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/Benchmarks/Tracing",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "silt-conformance",
            dependencies: [
                "silt", "SiltRecording", "SiltTestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Conformance",
            exclude: ["packages", "python"],
            swiftSettings: strict
        ),
        .testTarget(name: "SiltConformanceTests", dependencies: ["silt-conformance", "SiltTestSupport"]),
        .target(name: "SiltTestSupport", dependencies: ["silt", "SiltPprof"], path: "Tests/SiltTestSupport"),
        .target(name: "SiltTestNumbers", path: "Tests/SiltTestNumbers"),
        .target(
            name: "SiltTestRecordings",
            dependencies: ["SiltEvents", "SiltRecording"],
            path: "Tests/SiltTestRecordings"
        ),
        .target(
            name: "SiltTestReplay",
            dependencies: ["SiltEvents", "SiltHeap"],
            path: "Tests/SiltTestReplay",
            swiftSettings: hot
        ),
        .testTarget(name: "SiltTextTests", dependencies: ["SiltText", "SiltTestNumbers"]),
        .testTarget(name: "SiltEventsTests", dependencies: ["SiltEvents", "CSiltWire", "SiltTestNumbers"]),
        .testTarget(name: "SiltHeapTests", dependencies: ["SiltHeap", "SiltEvents", "SiltTestNumbers"]),
        .testTarget(
            name: "SiltGrowthTests",
            dependencies: ["SiltGrowth", "SiltHeap", "SiltTestNumbers"],
            exclude: ["Cases"]
        ),
        .testTarget(
            name: "SiltSymbolsTests",
            dependencies: ["SiltEvents", "SiltSymbols", "SiltText", "SiltTestSupport", "SiltTestNumbers"]
        ),
        .executableTarget(
            name: "RecordingWriterProcess",
            dependencies: ["SiltEvents", "SiltRecording", "SiltTestRecordings"],
            path: "Tests/Workloads/RecordingWriterProcess",
            swiftSettings: strict
        ),
        .testTarget(
            name: "SiltRecordingTests",
            dependencies: [
                "SiltEvents", "SiltRecording", "SiltTestNumbers", "SiltTestRecordings", "SiltTestSupport",
                "RecordingWriterProcess",
            ]
        ),
        .testTarget(name: "SiltSessionTests", dependencies: ["SiltEvents", "SiltHeap", "SiltSession", "SiltSystem"]),
        .testTarget(name: "SiltPprofTests", dependencies: ["SiltPprof", "SiltTestSupport", "SiltTestNumbers"]),
        .testTarget(name: "SiltHTTPTests", dependencies: ["SiltHTTP", "SiltPprof", "SiltTestSupport"]),
        .testTarget(
            name: "SiltReportsTests",
            dependencies: [
                "SiltEvents", "SiltFindings", "SiltGrowth", "SiltHeap", "SiltPprof", "SiltRecording", "SiltReports",
                "SiltSymbols", "SiltTestRecordings", "SiltTestSupport",
            ],
            exclude: ["Golden"]
        ),
        .testTarget(name: "SiltServerTests", dependencies: ["SiltReports", "SiltServer"]),
        .testTarget(
            name: "SiltHuntTests",
            dependencies: [
                "SiltHunt", "SiltHTTP", "SiltPlan", "SiltPprof", "SiltRecording", "SiltText", "CSiltSystem",
                "SiltTestSupport",
                "SiltTestNumbers",
            ]
        ),
        .testTarget(
            name: "SiltCommandTests",
            dependencies: [
                "silt", "SiltEvents", "SiltFindings", "SiltHTTP", "SiltHunt", "SiltPlan", "SiltPprof", "SiltRecording",
                "SiltReports", "SiltServer", "SiltSession", "SiltShim", "SiltSymbols", "SiltSystem", "SiltText",
                "SiltTestSupport",
            ],
            exclude: ["Golden"]
        ),
        .testTarget(
            name: "SiltEndToEndTests",
            dependencies: [
                "silt-conformance", "SiltTestNumbers", "SiltTestRecordings", "SiltTestReplay", "SiltTestSupport",
                "SiltEvents", "SiltHeap", "SiltFindings", "SiltRecording", "SiltReports", "SiltSymbols",
            ]
        ),
    ]
)

// libFuzzer brings the main function: these targets link only under `swift build --sanitize=fuzzer` (.ci/fuzz does that).
if Context.environment["SILT_FUZZ"] != nil {
    let fuzzers: [(name: String, folder: String, dependencies: [Target.Dependency])] = [
        ("silt-decoder-fuzz", "Decoder", ["SiltEvents", "SiltHeap"]),
        ("silt-event-file-fuzz", "EventFile", ["SiltEvents", "SiltHeap", "SiltTestReplay"]),
        (
            "silt-recording-fuzz", "Recording",
            ["SiltEvents", "SiltFindings", "SiltRecording", "SiltReports", "SiltTestRecordings"]
        ),
        ("silt-symbols-fuzz", "Symbols", ["SiltEvents", "SiltSymbols"]),
        ("silt-pprof-fuzz", "Pprof", ["SiltPprof", "SiltProfiles"]),
        ("silt-plan-fuzz", "Plan", ["SiltPlan"]),
        ("silt-document-fuzz", "Document", ["SiltFindings", "SiltJSON", "SiltText"]),
    ]
    package.targets.append(.target(name: "SiltFuzzSupport", path: "Tests/Fuzz/Support"))
    package.targets += fuzzers.map { name, folder, dependencies in
        .executableTarget(
            name: name,
            dependencies: dependencies + ["SiltFuzzSupport"],
            path: "Tests/Fuzz/\(folder)",
            swiftSettings: [.unsafeFlags(["-parse-as-library"])]
        )
    }
}

// The pure modules and their tests alone, for sanitizers (.ci/run does that): the rest takes minutes to build.
if Context.environment["SILT_PURE"] != nil {
    let pure = [
        "CSiltWire", "CSiltSystem", "SiltText", "SiltEvents", "SiltHeap", "SiltGrowth", "SiltTestNumbers",
        "SiltTestReplay", "SiltTextTests", "SiltEventsTests", "SiltHeapTests", "SiltGrowthTests",
    ]
    package.products = []
    package.dependencies = []
    package.targets.removeAll { !pure.contains($0.name) }
}
