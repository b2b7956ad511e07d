/// What was traced, when, and by which silt.
struct TraceOrigin {
    var command: [String] = []
    var siltVersion = ""
    var kernel = ""
    var snapshotPeriodNs: UInt64 = 0
    /// Ticks of that period (`SnapshotScale`).
    var maximumStep: UInt32 = 1
    /// CLOCK_REALTIME at the start.
    var startUnixNs: UInt64 = 0
}
