/// What may grow in a check, and by whom it is allowed.
package struct CheckSettings: Sendable {
    /// Bytes per request that a phase may lose over all its call sites.
    package var bytesPerRequest: Double?
    /// The same for each call site.
    ///
    /// With neither limit nothing may grow; with one of them, only that one is held against what grows.
    package var siteBytesPerRequest: Double?
    package var suppressions = Suppressions()
    package var baseline: GrowthBaseline?
    /// How much faster than in the baseline a call site may grow, as a share.
    package var tolerance = 0.2
    /// Low confidence fails as well.
    package var isStrict = false
    /// How what is checked is called: the plan's path, or the recording's.
    package var title = ""
    /// The phases of the plan, so that those which were not reached are known.
    package var phases: [String] = []

    package init() {}
}
