extension TrustCounters {
    /// Why recording stopped before its program ended.
    package enum StopReason: UInt64, Sendable {
        // `enum silt_off` of the wire header.
        case analyzerGone = 1
        case noMemory = 2
        case internalError = 3
        case analyzerStoodStill = 4
        case sandbox = 5
        /// The file that kept the events ends there, or is damaged.
        case eventFileEnds = 256
    }

    /// nil when it did not stop; a number that is not known counts as an internal error.
    package var stopReason: StopReason? {
        offReason == 0 ? nil : StopReason(rawValue: offReason) ?? .internalError
    }
}
