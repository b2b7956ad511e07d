import Foundation

/// Result of a program that was run to its end.
package struct ProgramResult {
    /// Exit status, or 128 + signal.
    package var status: Int32
    package var output: String
    package var errors: String
}

/// What the tests need from outside could not be had.
package struct TestSetupError: Error, CustomStringConvertible {
    package var description: String
}

/// The root of the package.
package let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The `silt` executable that was built together with the tests.
package let siltExecutable = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "silt")
    .path()

/// A folder of its own for one test, removed with the value.
package final class ScratchFolder: Sendable {
    package let path: String

    /// Makes the folder under the system's temporary one.
    package init() throws {
        path = NSTemporaryDirectory() + "silt-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
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
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // timeout(1) makes a process group of its own and ends all of it.
    process.arguments = ["timeout", "--kill-after=5", "\(Int(seconds))"] + command
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let folder = try ScratchFolder()
    let outputPath = folder.file("output")
    let errorPath = folder.file("errors")
    for path in [outputPath, errorPath] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    process.standardOutput = FileHandle(forWritingAtPath: outputPath)
    process.standardError = FileHandle(forWritingAtPath: errorPath)
    if let input {
        let inputPath = folder.file("input")
        try input.write(toFile: inputPath, atomically: false, encoding: .utf8)
        process.standardInput = FileHandle(forReadingAtPath: inputPath)
    } else {
        process.standardInput = FileHandle.nullDevice
    }
    try process.run()
    let deadline = Date(timeIntervalSinceNow: seconds + 10)
    while process.isRunning {
        if Date() > deadline {
            kill(process.processIdentifier, SIGKILL)
            throw TestSetupError(description: "\(command.joined(separator: " ")) did not end within \(seconds) s")
        }
        usleep(5000)
    }
    process.waitUntilExit()
    if process.terminationStatus == 124 {
        throw TestSetupError(description: "\(command.joined(separator: " ")) did not end within \(seconds) s")
    }
    let status =
        process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
    func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
    return ProgramResult(status: status, output: try text(outputPath), errors: try text(errorPath))
}

/// Builds one of the C or C++ programs in Tests/Workloads; returns the executable's path.
package func buildWorkload(_ name: String, into folder: ScratchFolder, flags: [String] = []) throws -> String {
    var source = packageRoot.appending(path: "Tests/Workloads/\(name).c").path()
    var compiler = "gcc"
    if !FileManager.default.fileExists(atPath: source) {
        source += "pp"
        compiler = "g++"
    }
    let executable = folder.file(name)
    let result = try runProgram([compiler, "-O1", "-g", "-pthread", "-o", executable, source] + flags)
    guard result.status == 0 else { throw TestSetupError(description: "\(source): \(result.errors)") }
    return executable
}
