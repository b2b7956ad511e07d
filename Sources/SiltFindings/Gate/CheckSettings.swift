package import SiltEvents

/// What may grow in a check, and by whom it is allowed.
package struct CheckSettings: Sendable {
    /// Bytes per request that a phase may lose over all its call sites.
    package var bytesPerRequest: Double?
    /// The same for each call site.
    ///
    /// Without a limit nothing may grow; where there are some in a site's unit, only those are held against it.
    package var siteBytesPerRequest: Double?
    /// Things per request, of resources without sizes, that a phase may leave over all its call sites.
    package var objectsPerRequest: [Resource: Double] = [:]
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

    /// What a phase may lose over all its call sites, by unit.
    var phaseLimits: [(unit: Rate.Unit, limit: Double)] {
        let objects = Resource.counted.map { (Rate.Unit(.objects($0), per: .request), objectsPerRequest[$0]) }
        let all = [(Rate.Unit.bytesPerRequest, bytesPerRequest)] + objects
        return all.compactMap { unit, limit in limit.map { (unit, $0) } }
    }

    /// The units in which there is a limit.
    package var limitedUnits: [Rate.Unit] {
        let units = phaseLimits.map(\.unit)
        return siteBytesPerRequest != nil && bytesPerRequest == nil ? [.bytesPerRequest] + units : units
    }
}
