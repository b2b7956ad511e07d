package import Glibc
internal import SiltRecording
internal import SiltSystem
internal import SiltText

/// A trace that may still be on: where its recording is, and how to bring that up to date.
package struct LiveTrace: Sendable {
    package let recording: String
    /// Where its analyzer can be asked; nil: the recording is all there is.
    private let socket: String?

    /// A recording, finished or being written by somebody who cannot be asked.
    package init(recording: String, socket: String? = nil) {
        self.recording = recording
        self.socket = socket
    }

    /// The trace of a running process, by the variables that it was started with.
    ///
    /// A preload that was told SILT_OUT alone has an analyzer that cannot be asked: functions have no names until it ends.
    package init(pid: pid_t) throws(ControlError) {
        guard let variables = Self.variables(of: pid) else {
            let isThere = kill(pid, 0) == 0 || errno == EPERM
            throw ControlError(
                isThere
                    ? "the environment of process \(pid) may not be read: it is another user's" : "no process \(pid)"
            )
        }
        if let socket = variables["SILT_SOCKET"] {
            self.init(recording: try TraceControl(path: socket).ask(.status).recording, socket: socket)
        } else if let file = variables["SILT_OUT"] {
            self.init(recording: file.hasPrefix("/") ? file : "/proc/\(pid)/cwd/" + file)
        } else {
            throw ControlError(
                "process \(pid) is not traced: start it with silt run, or preload the library and name SILT_SOCKET"
            )
        }
    }

    /// Those that were started with a process; nil when they may not be read (proc_pid_environ(5)).
    static func variables(of pid: pid_t) -> [String: String]? {
        FileBytes.read(ifThere: "/proc/\(pid)/environ").map { Environment.variables(of: $0.split(separator: 0)) }
    }

    /// A process of each trace whose analyzer can be asked, by number: the first of those that may be looked at.
    package static func tracedProcesses() -> [(pid: pid_t, name: String)] {
        var sockets: Set<String> = []
        return processNumbers().sorted().compactMap { pid in
            guard let socket = variables(of: pid)?["SILT_SOCKET"], sockets.insert(socket).inserted else { return nil }
            guard !LiveTrace(recording: "", socket: socket).hasEnded else { return nil }
            return (pid, ProcessKin.name(pid) ?? "")
        }
    }

    /// Equal as long as nothing was written: sizes and times of the recording's files.
    package var stamp: [Int64] {
        [recording, recording + "-wal"].flatMap { path in
            var status = stat()
            guard stat(path.system, &status) == 0 else { return [Int64(0), 0, 0] }
            return [Int64(status.st_size), Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec)]
        }
    }

    /// True when its analyzer could be asked, and cannot any more.
    package var hasEnded: Bool {
        guard let socket else { return false }
        do {
            _ = try TraceControl(path: socket)
            return false
        } catch {
            return true
        }
    }

    /// Ends a round of a phase, as `silt mark` does; returns what was done, in words.
    package func mark(_ phase: String) throws(ControlError) -> String {
        guard let socket else { throw ControlError("a recording cannot be marked: name the process instead") }
        return try TraceControl(path: socket).ask(.endRound(RoundMark(named: phase))).done(by: phase)
    }

    /// Has the analyzer write what it knows, names included; false when it has ended, and the recording with it.
    ///
    /// Takes as long as the analyzer needs to name what is new. The traced program goes on meanwhile.
    @discardableResult
    package func refresh() -> Bool {
        guard let socket else { return true }
        do {
            try TraceControl(path: socket).ask(.symbolize)
            return true
        } catch {
            return false
        }
    }
}
