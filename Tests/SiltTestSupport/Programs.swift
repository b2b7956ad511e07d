import Foundation
import Synchronization

/// Result of a program that was run to its end.
package struct ProgramResult: Sendable {
    /// Exit status, or 128 + signal.
    package var status: Int32
    package var output: String
    package var errors: String
}

/// What the tests need from outside could not be had.
package struct TestSetupError: Error, CustomStringConvertible {
    package var description: String

    package init(description: String) { self.description = description }
}

/// The root of the package.
package let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The `silt` executable that was built together with the tests.
package let siltExecutable = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "silt")
    .path()

/// A folder of its own for one test, removed with the value, or at exit if that lives so long.
package final class ScratchFolder: Sendable {
    package let path: String

    /// Those of values that static properties hold, besides what is in use.
    private static let remaining = Mutex<Set<String>>([])
    private static let cleansUp: Bool =
        atexit { ScratchFolder.remaining.withLock { $0 }.forEach(ScratchFolder.remove) } == 0

    /// Makes the folder under the system's temporary one.
    package init() throws {
        let path = NSTemporaryDirectory() + "silt-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        self.path = path
        if Self.cleansUp { Self.remaining.withLock { _ = $0.insert(path) } }
    }

    deinit {
        Self.remove(path)
        Self.remaining.withLock { _ = $0.remove(path) }
    }

    private static func remove(_ path: String) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("left behind: \(path): \(error)")
        }
    }

    /// Path of a file in the folder.
    package func file(_ name: String) -> String { path + "/" + name }
}

/// Runs a program to its end; kills it and what it started after `seconds`.
package func runProgram(
    _ command: [String],
    environment: [String: String] = [:],
    input: String? = nil,
    seconds: Double = 120
) throws -> ProgramResult {
    let folder = try ScratchFolder()
    let outputPath = folder.file("output")
    let errorPath = folder.file("errors")
    var inputPath = "/dev/null"
    if let input {
        inputPath = folder.file("input")
        try input.write(toFile: inputPath, atomically: false, encoding: .utf8)
    }
    let program = try StartedProgram(
        command,
        environment: environment,
        input: inputPath,
        output: outputPath,
        errors: errorPath
    )
    let status = try program.wait(seconds: seconds)
    func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
    return ProgramResult(status: status, output: try text(outputPath), errors: try text(errorPath))
}

/// Runs the body with each of the values, all at once: for programs that wait for most of their time.
///
/// Returns the results in the values' order. What it expects must be expected afterwards: a thread is no test.
package func atOnce<Value: Sendable, Result: Sendable>(
    _ values: [Value],
    _ body: @escaping @Sendable (Value) throws -> Result
) throws -> [Result] {
    let results = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
    let group = DispatchGroup()
    for (index, value) in values.enumerated() {
        group.enter()
        Thread {
            let result = Swift.Result { try body(value) }
            results.withLock { $0[index] = result }
            group.leave()
        }
        .start()
    }
    group.wait()
    return try values.indices.map { index in
        guard let result = results.withLock({ $0[index] }) else {
            throw TestSetupError(description: "no result of \(values[index])")
        }
        return try result.get()
    }
}

/// Builds one of the C or C++ programs in Tests/Workloads; returns the executable's path.
package func buildWorkload(_ name: String, into folder: ScratchFolder, flags: [String] = []) throws -> String {
    let sources = packageRoot.appending(path: "Tests/Workloads")
    let isC = FileManager.default.fileExists(atPath: sources.appending(path: "\(name).c").path())
    let source = sources.appending(path: name + (isC ? ".c" : ".cpp")).path()
    let command = [isC ? "gcc" : "g++", "-O1", "-g", "-pthread", source] + flags
    return try build(name, of: command, into: folder) { try runProgram(command + ["-o", $0]) }
}

/// Builds one of the Go programs in Tests/Workloads, without the network; returns the executable's path.
package func buildGoWorkload(
    _ name: String,
    into folder: ScratchFolder,
    environment: [String: String] = [:]
) throws -> String {
    let go = ["GOPROXY": "off", "GOFLAGS": "-mod=mod -buildvcs=false", "GOTOOLCHAIN": "local"]
    let variables = go.merging(environment) { $1 }
    return try build(name, of: ["go"] + variables.map { $0 + "=" + $1 }.sorted(), into: folder) { executable in
        try runProgram(
            [
                "sh", "-c", "cd \"$1\" && go build -o \"$2\" .", "sh",
                packageRoot.appending(path: "Tests/Workloads/\(name)").path(), executable,
            ],
            environment: variables,
            seconds: 300
        )
    }
}

private let builds = Result { try ScratchFolder() }
/// Files in that folder, by name and command.
private let built = Mutex<[[String]: String]>([:])

/// Builds a program, or copies one that the same command has made before; returns its path.
private func build(
    _ name: String,
    of command: [String],
    into folder: ScratchFolder,
    _ make: (String) throws -> ProgramResult
) throws -> String {
    let executable = folder.file(name)
    func check(_ result: ProgramResult) throws {
        guard result.status == 0 else { throw TestSetupError(description: "\(name): \(result.errors)") }
    }
    // Who asks for the same meanwhile waits for it.
    let kept = try built.withLock { known in
        if let kept = known[[name] + command] { return kept }
        let kept = try builds.get().file(UUID().uuidString)
        try check(make(kept))
        known[[name] + command] = kept
        return kept
    }
    try check(runProgram(["cp", kept, executable]))
    return executable
}

/// The line of a program in Tests/Workloads that is marked with `leaks: ROUTE`, and its file's name.
package func leakingLine(of workload: String, _ route: String) throws -> (file: String, line: Int) {
    let folder = packageRoot.appending(path: "Tests/Workloads/\(workload)")
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path()) {
        let lines = try String(contentsOf: folder.appending(path: file), encoding: .utf8).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        if let index = lines.firstIndex(where: { $0.hasSuffix("leaks: \(route)") || $0.hasSuffix("leaks: \(route) */") }
        ) {
            return (file, index + 1)
        }
    }
    throw TestSetupError(description: "no line of \(workload) is marked for \(route)")
}
