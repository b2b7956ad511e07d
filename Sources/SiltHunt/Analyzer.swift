internal import CSiltSystem
internal import Glibc
internal import SiltPlan
package import SiltSession
internal import SiltText

/// The process that collects the service's events into the recording while this one runs the hunt: another `silt`.
package final class Analyzer {
    /// Where traced programs announce themselves.
    package let socket: String
    package let control: TraceControl
    private let directory: String
    private let pid: pid_t
    private var isOver = false

    /// Seconds it may take to start, and to close its recording.
    private static let patience = 20.0

    /// `executable` is silt itself.
    package init(executable: String, recording: String, hide: [String]) throws {
        directory = try makePrivateDirectory()
        socket = directory + "/hunt.sock"
        let options = hide.flatMap { ["--hide", $0] }
        var start = ProgramStart([executable, "listen", "--serves-hunt", "--out", recording] + options + [socket])
        start.ownGroup = true
        pid = try start.start()
        control = try Analyzer.connect(socket, pid)
    }

    private static func connect(_ socket: String, _ pid: pid_t) throws -> TraceControl {
        let deadline = ContinuousClock.now + .seconds(patience)
        while true {
            do {
                let control = try TraceControl(path: socket)
                try control.ask(.status)
                return control
            } catch {
                var status: Int32 = 0
                guard silt_has_ended(pid, &status) == 0, ContinuousClock.now < deadline else {
                    throw HuntError.system(call: "starting the analyzer", reason: "it ended with status \(status)")
                }
                usleep(5000)
            }
        }
    }

    /// Waits until it has ended: its recording is closed then.
    package func wait() {
        guard !isOver else { return }
        isOver = true
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        rmdir(directory.system)
    }

    deinit {
        guard !isOver else { return }
        // It closes its recording when this connection ends; what was asked of it is over.
        kill(pid, SIGKILL)
        wait()
        unlink(socket.system)
        rmdir(directory.system)
    }
}
