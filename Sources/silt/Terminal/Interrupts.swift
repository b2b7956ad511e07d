internal import CSiltSystem
internal import Glibc

/// Ctrl-C and SIGTERM as a count that others look at; what else a service is sent goes to it (`Service`).
enum Interrupts {
    private nonisolated(unsafe) static var seen: sig_atomic_t = 0

    static var count: Int { Int(seen) }

    static func listen() {
        silt_signals_pass_on()
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number) { _ in Interrupts.seen += 1 } }
    }
}
