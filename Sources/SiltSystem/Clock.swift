internal import Glibc

/// The clocks of clock_gettime(2).
package enum Clock {
    /// Seconds of CLOCK_MONOTONIC.
    package static var monotonicSeconds: Double {
        let time = now(CLOCK_MONOTONIC)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Nanoseconds of CLOCK_MONOTONIC.
    package static var monotonicNanoseconds: Int64 { nanoseconds(now(CLOCK_MONOTONIC)) }

    /// Nanoseconds since the epoch.
    package static var unixNanoseconds: Int64 { nanoseconds(now(CLOCK_REALTIME)) }

    /// Nanoseconds of CPU that this process has used.
    package static var processCPUNanoseconds: UInt64 { UInt64(nanoseconds(now(CLOCK_PROCESS_CPUTIME_ID))) }

    /// The same of the thread that asks.
    package static var threadCPUNanoseconds: UInt64 { UInt64(nanoseconds(now(CLOCK_THREAD_CPUTIME_ID))) }

    /// A time that is kept in seconds.
    package static func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(max(0, seconds) * 1e9) }

    private static func now(_ clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
