extension TrustCounters {
    /// An `offReason` beside those of `enum silt_off`: the file that kept the events ends there, or is damaged.
    package static let eventFileEnds: UInt32 = 256
}
