import Foundation
import SiltRecording

/// How a workload is run.
enum Way: String, CaseIterable, Codable {
    case native
    /// Under a preload library that only forwards.
    case forward
    case silt
    case heaptrack
}

/// One run of a workload.
struct Sample: Codable {
    /// User and system CPU seconds of the traced program.
    var target: Double
    /// Those of the analyzer or interpreter while the program ran; 0 where there is none.
    var analyzer = 0.0
    /// Those of the analyzer after it: names, the recording's end, the report.
    var closing = 0.0
    var elapsed: Double
    /// Largest resident size, in bytes.
    var targetPeak: Int
    var analyzerPeak = 0
    /// Allocations, frees and reallocations; 0 when not counted.
    var events: UInt64 = 0
    /// What the program says of its own speed, where it does.
    var throughput: Double?
    /// Share of the machine's CPUs that other processes used meanwhile.
    var others = 0.0

    var total: Double { target + analyzer + closing }
}

/// The tools that are compared, and where they keep their files.
struct Tools {
    var silt: String
    var forward: String
    /// Nil: not installed.
    var heaptrack: Heaptrack?
    var folder: String

    struct Heaptrack {
        var preload: String
        var interpreter: String

        init?() {
            guard let script = find("heaptrack") else { return nil }
            let root = URL(filePath: script).resolvingSymlinksInPath().deletingLastPathComponent()
                .deletingLastPathComponent().path()
            preload = root + "/lib/heaptrack/libheaptrack_preload.so"
            interpreter = root + "/lib/heaptrack/libexec/heaptrack_interpret"
            guard access(preload, R_OK) == 0, access(interpreter, X_OK) == 0 else { return nil }
        }
    }

    /// The ways that can be measured here.
    var ways: [Way] { Way.allCases.filter { $0 != .heaptrack || heaptrack != nil } }

    /// Runs a workload once.
    func sample(_ workload: Workload, _ way: Way) throws -> Sample {
        var command = workload.command
        command.output = folder + "/output"
        let busy = machineSeconds()
        let start = monotonicSeconds()
        var sample: Sample
        switch way {
        case .native:
            sample = Sample(try command.run())
        case .forward:
            command.environment["LD_PRELOAD"] = forward
            sample = Sample(try command.run())
        case .silt:
            sample = try underSilt(command)
        case .heaptrack:
            guard let heaptrack else { throw BenchmarkError("heaptrack is not installed") }
            sample = try under(heaptrack, command)
        }
        let ours = sample.total
        let capacity = (monotonicSeconds() - start) * Double(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        sample.others = max(0, machineSeconds() - busy - ours) / capacity
        let output = try Data(contentsOf: URL(filePath: command.output))
        if workload.printsThroughput {
            sample.throughput = String(decoding: output, as: UTF8.self).split(separator: " ").first
                .flatMap { Double($0) }
        } else {
            try check(output, of: workload, way)
        }
        return sample
    }

    /// `silt run` as a user would, its recording kept until the numbers of events are read.
    private func underSilt(_ command: Command) throws -> Sample {
        let recording = folder + "/run.silt"
        var traced = command
        traced.words = [silt, "run", "--out", recording, "--"] + command.words
        traced.errors = folder + "/report"
        let usage = try traced.run()
        let read = try Recording(path: recording)
        guard let cost = read.cost else { throw BenchmarkError("the recording does not say what the run cost") }
        var sample = Sample(usage)
        // silt waits for the command, so all of it is in what wait4 said; its own time is told apart by the kernel.
        sample.target = usage.cpuSeconds - usage.ownSeconds
        sample.analyzer = Double(cost.analyzerCPUNs) / 1e9
        sample.closing = usage.ownSeconds - sample.analyzer
        sample.targetPeak = Int(cost.commandPeakBytes)
        // The largest of all may be the analyzer's own, while it made the report.
        let largest = usage.peakBytes > Int(cost.commandPeakBytes) ? usage.peakBytes : 0
        sample.analyzerPeak = max(Int(cost.analyzerPeakBytes), largest)
        for trust in read.trust { sample.events += trust.allocations + trust.frees + trust.reallocations }
        for suffix in ["", "-wal", "-shm"] { unlink(recording + suffix) }
        return sample
    }

    /// What the script `heaptrack` does, without its compressor: the program writes to a FIFO, the interpreter reads it.
    private func under(_ heaptrack: Heaptrack, _ command: Command) throws -> Sample {
        let fifo = folder + "/fifo"
        unlink(fifo)
        guard mkfifo(fifo, 0o600) == 0 else { throw BenchmarkError("cannot make \(fifo)") }
        // So that the interpreter can open it at once; without a second reader, a program whose interpreter has died
        // does not wait for it for ever.
        let both = open(fifo, O_RDWR | O_CLOEXEC)
        let interpreter = try RunningProgram(
            Command(
                words: [heaptrack.interpreter],
                input: fifo,
                output: folder + "/heaptrack.out",
                errors: folder + "/heaptrack.err"
            )
        )
        // Until the program has opened it; when all have closed it, the interpreter sees the end.
        let held = open(fifo, O_WRONLY | O_CLOEXEC)
        close(both)
        var traced = command
        traced.environment["LD_PRELOAD"] = heaptrack.preload
        traced.environment["DUMP_HEAPTRACK_OUTPUT"] = fifo
        let result = Result { try traced.run() }
        close(held)
        let usage = try interpreter.wait()
        unlink(fifo)
        guard usage.status == 0 else {
            throw BenchmarkError("heaptrack's interpreter ended with status \(usage.status)")
        }
        var sample = Sample(try result.get())
        sample.analyzer = usage.cpuSeconds
        sample.analyzerPeak = usage.peakBytes
        return sample
    }

    /// A traced program must print what it prints untraced.
    private func check(_ output: Data, of workload: Workload, _ way: Way) throws {
        let expected = folder + "/" + workload.name + ".expected"
        if way == .native {
            try output.write(to: URL(filePath: expected))
        } else if FileManager.default.fileExists(atPath: expected),
            try Data(contentsOf: URL(filePath: expected)) != output
        {
            throw BenchmarkError("\(workload.name) prints something else under \(way.rawValue)")
        }
    }
}

extension Sample {
    init(_ usage: Usage) {
        self.init(target: usage.cpuSeconds, elapsed: usage.elapsedSeconds, targetPeak: usage.peakBytes)
    }
}
