internal import SiltText

/// What silt says on standard error beside its reports: every sentence of its own, or one that says itself what it is.
struct Notice {
    let text: String

    private init(_ text: String) { self.text = text }

    static func error(_ error: any Error) -> Notice { Notice("\(error)") }

    /// A sentence of another module.
    static func note(_ sentence: String) -> Notice { Notice(sentence) }

    // MARK: Files

    static func recording(_ path: String, isLast: Bool) -> Notice {
        Notice("recording: \(path)" + (isLast ? " (silt report shows the last one again)" : ""))
    }

    static func lastRecording(_ path: String) -> Notice { Notice("the last recording: \(path)") }

    static func nothingKept(_ path: String, _ reason: String) -> Notice {
        Notice("no recording is kept: \(path): \(reason)")
    }

    static func events(_ path: String) -> Notice { Notice("events: \(path)") }

    static func noChecksum(_ path: String) -> Notice {
        Notice("\(path) is not compressed and so has no checksum: damage in it may not be seen")
    }

    static func wrotePlan(_ path: String) -> Notice { Notice("wrote \(path): edit it, then silt hunt \(path)") }

    static func wroteBaseline(_ path: String, sites: Int) -> Notice {
        Notice("wrote \(path): \(Format.plural(UInt64(sites), "call site grows", "call sites grow"))")
    }

    static func baselineNotWritten(_ path: String) -> Notice {
        Notice("\(path) is not written: a baseline needs every phase measured")
    }

    static func checkOfRecording(_ path: String) -> Notice {
        Notice("\(path) is a recording, judged as it is: leave out phases, a command, --out and --attach-socket")
    }

    // MARK: A traced command

    static func notTraced(_ reason: String) -> Notice { Notice("the command is not traced: \(reason)") }

    static func tooFewFiles(needed: Int32, free: Int32) -> Notice {
        notTraced("silt opens up to \(needed) files itself, and the limit leaves \(free) (ulimit -n)")
    }

    static func recordedUntil(seconds: Double, _ reason: String) -> Notice {
        Notice("recorded for the first \(seconds) s only, what came later is missing: \(reason)")
    }

    static let neverLoaded = Notice(
        "the command never loaded the preload library, so nothing was measured: see silt doctor"
    )

    static func stillRunning(_ count: Int) -> Notice {
        let processes = Format.plural(UInt64(count), "traced process still runs", "traced processes still run")
        return Notice("\(processes), now untraced; --follow waits for \(count == 1 ? "it" : "them")")
    }

    // MARK: Traces to look at

    static func serving(_ target: String, at address: String) -> Notice { Notice("serving \(target) at \(address)") }

    static func servingReport(at address: String) -> Notice { serving("the report", at: address) }

    static func listening(_ socket: String) -> Notice {
        Notice(
            """
            listening; start programs with
              LD_PRELOAD=LIBRARY SILT_SOCKET=\(Format.commandLine([socket])) ./server
              (silt shim LIBRARY writes the library); Ctrl-C ends with the report
            """
        )
    }

    static func tracing(_ name: String, _ process: Int32) -> Notice { Notice("tracing \(name) (process \(process))") }

    static func marked(_ done: String, bytes: UInt64, blocks: UInt64) -> Notice {
        Notice("\(done); \(Format.bytes(bytes)) in \(Format.plural(blocks, "block")) live")
    }

    static let topNeedsTerminal = Notice("top needs a terminal; --once prints one screen")
    static let nothingTraced = Notice(
        "nothing is traced now: start it with silt run -- ./server, or name a recording"
    )

    static func severalTraced(_ programs: [(pid: Int32, name: String)], _ command: String) -> Notice {
        let commands = programs.map { "silt \(command) \($0.pid) (\($0.name))" }.joined(separator: ", ")
        return Notice("\(programs.count) programs are traced, name one: \(commands)")
    }

    static let traceEnded = Notice("the trace has ended: these are its last numbers (q quits)")

    // MARK: Hunts

    static let huntEndedEarly = Notice("the hunt ended early: the report is of what was measured until then")

    // MARK: The demo

    static func demo(seconds: Double) -> Notice {
        Notice(
            """
            A small HTTP server starts on loopback under silt and gets \(Int(seconds)) s of
            requests for /orders, /users and /search. It leaks in two places: 1,000 bytes
            per order, and 64 bytes ten times a second even when idle; the lists that hold
            them grow with them. Its cache, its start-up table and its searches are
            innocent.


            """
        )
    }

    static func noPortFile(_ path: String, _ error: any Error) -> Notice { Notice("cannot write \(path): \(error)") }

    static func noDemoPort(_ port: UInt16, _ error: String) -> Notice {
        Notice("cannot listen on port \(port) of 127.0.0.1: \(error); --port takes another one")
    }

    static let demoFailed = Notice("the demo server or its load failed; what was seen until then:")
}
