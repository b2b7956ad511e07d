import Foundation
import SiltTestSupport

/// What cannot be done, in words.
struct ConformanceError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// How a program was run, and what came of it.
struct Outcome {
    var output = ""
    var errors = ""
    /// Exit status, or 128 + signal; nil: it did not end in time and was killed.
    var status: Int32?
    /// User and system CPU seconds of it and of what it waited for.
    var cpuSeconds = 0.0
    var elapsedSeconds = 0.0
}

/// A child (`spawn`); its output goes where ours does, or to files.
struct StartedCommand {
    let pid: pid_t
    private let start = ContinuousClock.now

    init(
        _ words: [String],
        environment: [String: String],
        output: String? = nil,
        errors: String? = nil
    ) throws {
        pid = try spawn(words[0], words, environment: environment, output: output, errors: errors)
    }

    /// Waits for its end; kills its process group after that many seconds from now.
    func wait(seconds: Double) -> Outcome {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var outcome = Outcome()
        var raw: Int32 = 0
        var usage = rusage()
        var ended = false
        while !ended, ContinuousClock.now < deadline {
            ended = wait4(pid, &raw, WNOHANG, &usage) == pid
            if !ended { usleep(5000) }
        }
        if ended {
            outcome.status = raw & 0x7f == 0 ? raw >> 8 & 0xff : 128 + raw & 0x7f
        } else {
            kill(-pid, SIGKILL)
            wait4(pid, &raw, 0, &usage)
        }
        outcome.elapsedSeconds = (ContinuousClock.now - start) / .seconds(1)
        for time in [usage.ru_utime, usage.ru_stime] {
            outcome.cpuSeconds += Double(time.tv_sec) + Double(time.tv_usec) * 1e-6
        }
        return outcome
    }
}

/// Where the programs of the matrix are looked for: those of the system first.
let searchPath: String = {
    let own = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    let database = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
    let inherited = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let folders = database.sorted().suffix(1).map { "/usr/lib/postgresql/\($0)/bin" } + own
    return (folders + inherited.filter { !folders.contains($0) }).joined(separator: ":")
}()

/// Path of a program; nil when it is not installed.
func find(_ program: String) -> String? {
    searchPath.split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
}

/// The text of a file, whatever its bytes are; empty when there is none.
func text(of path: String) -> String {
    guard let bytes = FileManager.default.contents(atPath: path) else { return "" }
    return String(decoding: bytes, as: UTF8.self)
}
