/// How a trace ended.
package struct TraceOutcome: Sendable {
    /// Status of the command; nil when silt ended first, or only listened.
    package var exit: ExitStatus?
    /// CPU time of the command and of what it waited for, and the largest resident size of them.
    package var commandCPUNanoseconds: UInt64 = 0
    package var commandPeakBytes: UInt64 = 0
    package var interrupted = false
    /// What ended the recording before the command; nil: nothing did.
    package var failure: TraceFailure?
    /// Processes that said hello.
    package var traced = 0
    /// Processes that are known not to be followed.
    package var untraced = 0
    /// Traced processes that were still running when silt ended.
    package var stillRunning = 0
    /// Things the user should know; a sentence each.
    package var notes: [String] = []
}

/// What ended a recording while its command went on.
package struct TraceFailure: Sendable {
    /// A sentence.
    package var reason: String
    /// After so many seconds of the trace.
    package var seconds: Double
}
