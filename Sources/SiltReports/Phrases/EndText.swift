internal import Glibc
internal import SiltRecording
internal import SiltText

/// How the target ended, where that is not what it was meant to do, and what is said of processes that have ended.
enum EndText {
    /// Signals that a program's own fault sends it, or a system that is short of something.
    static let faults: [Int32: String] = [
        SIGSEGV: "SIGSEGV (invalid memory access)", SIGABRT: "SIGABRT (abort)", SIGBUS: "SIGBUS (bus error)",
        SIGFPE: "SIGFPE (arithmetic error)", SIGILL: "SIGILL (illegal instruction)", SIGSYS: "SIGSYS (forbidden call)",
        SIGTRAP: "SIGTRAP (trap)", SIGXCPU: "SIGXCPU (limit of CPU time)", SIGXFSZ: "SIGXFSZ (limit of file size)",
        SIGKILL: "SIGKILL (by kill, or by the kernel for want of memory)",
    ]

    /// As `ended by SIGSEGV (invalid memory access)`; nil: it ended by itself, or was asked to.
    static func line(_ target: RecordedTarget) -> String? {
        target.signal.flatMap { Int32(exactly: $0) }.flatMap { faults[$0] }.map { "ended by \($0)" }
    }

    /// Of a moment at which they are no longer there: `with what 1 process held before it ended`.
    static func heldBefore(processes count: Int) -> String {
        "with what \(Format.plural(UInt64(count), "process", "processes")) held before \(count == 1 ? "it" : "they") ended"
    }
}
