import Foundation
import SiltRecording

/// `Tests/Workloads/steady.c`, built and under way: what is killed, and what soaks.
struct Steady {
    /// What it says in the file that it shares.
    struct Counts {
        var pid: pid_t = 0
        var isReady = false
        var allocationsBegun: UInt64 = 0
        var allocationsDone: UInt64 = 0
        var freesBegun: UInt64 = 0
        var freesDone: UInt64 = 0
    }

    let folder: String
    private var program: String { folder + "/steady" }
    private var shared: String { folder + "/shared" }
    private var output: String { folder + "/output" }
    private var errors: String { folder + "/errors" }

    /// Compiles it into the folder.
    init(folder: String) throws {
        self.folder = folder
        guard let compiler = find("gcc") else {
            throw ConformanceError("gcc is missing: apt-get install gcc libc6-dev")
        }
        let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Workloads/steady.c").path()
        let built = try StartedCommand(
            [compiler, "-O1", "-g", "-pthread", "-o", folder + "/steady", source],
            environment: ["PATH": searchPath]
        ).wait(seconds: 60)
        guard built.status == 0 else { throw ConformanceError("steady.c could not be built") }
    }

    /// Starts it anew behind these words, which may be none.
    func start(
        behind words: [String],
        environment: [String: String] = [:],
        threads: Int,
        operations: Int,
        seed: UInt64,
        churn: Bool = false
    ) throws -> StartedCommand {
        for file in [shared, output, errors] { unlink(file) }
        let arguments = [shared, "\(threads)", "\(operations)", "\(seed)", churn ? "1" : "0"]
        return try StartedCommand(
            words + [program] + arguments,
            environment: ["PATH": searchPath, "HOME": folder, "LC_ALL": "C.UTF-8"].merging(environment) { $1 },
            output: output,
            errors: errors
        )
    }

    var counts: Counts {
        var counts = Counts()
        guard let bytes = FileManager.default.contents(atPath: shared), bytes.count >= 64 else { return counts }
        bytes.withUnsafeBytes { bytes in
            func word(_ index: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self) }
            counts.pid = pid_t(truncatingIfNeeded: word(0))
            counts.isReady = word(1) == 1
            for thread in stride(from: 8, to: bytes.count / 8 - 7, by: 8) {
                counts.allocationsBegun += word(thread)
                counts.allocationsDone += word(thread + 1)
                counts.freesBegun += word(thread + 2)
                counts.freesDone += word(thread + 3)
            }
        }
        return counts
    }

    /// What it printed.
    var printed: String { text(of: output) }

    /// What it and silt wrote to standard error.
    var complaints: String { text(of: errors) }

    /// Waits until all its threads have begun.
    func waitUntilReady() throws -> Counts {
        for _ in 0..<3000 {
            let counts = counts
            if counts.isReady { return counts }
            usleep(10_000)
        }
        throw ConformanceError("steady did not begin: \(complaints)")
    }
}

/// Resident bytes of a process; nil when it is gone.
func residentBytes(_ pid: pid_t) -> Int? {
    let fields = text(of: "/proc/\(pid)/statm").split(separator: " ")
    return fields.count > 1 ? Int(fields[1]).map { $0 * 4096 } : nil
}

/// A recording that is finished, within a minute.
func finishedRecording(_ path: String) throws -> Recording {
    for _ in 0..<600 {
        if let recording = try? Recording(path: path), recording.isClosed { return recording }
        usleep(100_000)
    }
    throw ConformanceError("the recording was not finished within a minute")
}

/// Numbers from a seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
