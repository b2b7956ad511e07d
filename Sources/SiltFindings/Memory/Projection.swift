internal import SiltRecording

/// When the target reaches its memory limit if it goes on growing as it did.
package enum Projection: Equatable, Sendable {
    case reached
    /// Seconds from the end of the recording, and the range that the error leaves.
    case after(seconds: Double, range: ClosedRange<Double>?)
    /// Not within so many times what was observed.
    case beyond(spans: Int)
    /// Requests of the one route that leaks, or in the mix that the hunt sent.
    case afterRequests(Double, isMix: Bool)

    /// A run that went freely is projected from so many snapshots on, and no further ahead than so many times its length.
    fileprivate static let minimumSnapshots = 12
    fileprivate static let maximumSpans = 10
    /// What is in use is the median of the last so many snapshots.
    fileprivate static let lastSnapshots = 5

    /// Of what is left of a limit at those rates together; nil: nothing grows.
    fileprivate init?(left: Double, at rates: [Rate], seenFor seconds: Double) {
        let rate = rates.reduce(0) { $0 + $1.value }
        let error = rates.reduce(0) { $0 + ($1.high - $1.value) * ($1.high - $1.value) }.squareRoot()
        guard rate > 0 else { return nil }
        if left <= 0 {
            self = .reached
        } else if left / rate > Double(Self.maximumSpans) * seconds {
            self = .beyond(spans: Self.maximumSpans)
        } else {
            let hasRange = rate > 2 * error && error > 0
            let range = hasRange ? left / (rate + 2 * error)...left / (rate - 2 * error) : nil
            self = .after(seconds: left / rate, range: range)
        }
    }
}

extension HeapReport {
    /// What grows, as far as its phase says anything.
    package var growing: [ReportSite] { sites.those { $0.isGrowing && $0.isConclusive } }

    /// Growing sites that are findings of their own, and those in libraries that grow because the program's own code leaks
    /// in the same phase.
    package var findings: (own: [ReportSite], inLibraries: [ReportSite]) {
        let leading = sites.those { $0.isGrowing && $0.follows == nil }
        let leakingPhases = Set(leading.filter { !$0.isLibrary }.map(\.phase))
        func isBecauseOfOthers(_ site: ReportSite) -> Bool {
            site.isLibrary && site.resource == .heap && site.phase != nil && leakingPhases.contains(site.phase)
        }
        return (leading.filter { !isBecauseOfOthers($0) }, leading.filter(isBecauseOfOthers))
    }

    /// What the line of a finding takes of things without a size, beside its bytes.
    package func beside(_ site: ReportSite) -> [ReportSite] {
        guard !site.resource.isCounted else { return [] }
        return sites.those {
            $0.resource.isCounted && $0.follows?.rank == site.rank && $0.follows?.why == .sameLine
                && $0.fix.isSamePlace(as: site.fix)
        }
    }

    /// Bytes that the target may use; nil: no limit is known.
    package var limitBytes: UInt64? { options.limitBytes ?? recording.memoryLimit }

    /// At the rates of the surer sites; nil without a limit, or when too little is known.
    package var projection: Projection? { phases.isEmpty ? runProjection : huntProjection }

    /// The limit of open files that is reached, or will be by what leaks; nil: none that is known, or in several processes.
    package var descriptorProjection: (limit: UInt64, projection: Projection)? {
        if let full = recording.fullDescriptors { return (full.limit, .reached) }
        let leaks = growing.filter { $0.resource == .descriptor }
        func share(_ limit: DescriptorLimit) -> Double { Double(limit.open) / Double(max(1, limit.limit)) }
        guard phases.isEmpty, leaks.allSatisfy({ $0.evidence.processes <= 1 }),
            let nearest = recording.descriptorLimits.values.max(by: { share($0) < share($1) }),
            let clock = ProcessClock.all(of: recording).max(by: { $0.periods < $1.periods })
        else { return nil }
        let rates = leaks.compactMap { $0.confidence == .low || $0.rate?.unit.per != .second ? nil : $0.rate }
        return Projection(left: Double(nearest.limit) - Double(nearest.open), at: rates, seenFor: clock.seconds)
            .map { (nearest.limit, $0) }
    }

    private var runProjection: Projection? {
        guard let limitBytes, let clock = ProcessClock.all(of: recording).max(by: { $0.periods < $1.periods }),
            clock.periods >= Projection.minimumSnapshots
        else { return nil }
        let sure = growing.compactMap { $0.confidence == .low || $0.rate?.unit != .bytesPerSecond ? nil : $0.rate }
        let last = clock.rows.suffix(Projection.lastSnapshots).map(\.inUseBytes).sorted()
        guard !last.isEmpty else { return nil }
        let left = Double(limitBytes) - Double(last[last.count / 2])
        return Projection(left: left, at: sure, seenFor: clock.seconds)
    }

    private var huntProjection: Projection? {
        guard let limit = memoryLimit else { return nil }
        func requests(_ phases: some Sequence<HuntPhases.Phase>) -> Double {
            phases.reduce(0) { $0 + Double($1.requests ?? 0) }
        }
        var bytes = 0.0
        var leaking = Set<String>()
        for site in growing where site.confidence != .low {
            guard let rate = site.rate, rate.unit == .bytesPerRequest,
                let phase = phases.first(where: { $0.name == site.phase }), let requests = phase.requests
            else { continue }
            bytes += rate.value * Double(requests)
            leaking.insert(phase.name)
        }
        // With one leaking route the number is of its requests.
        let isMix = leaking.count != 1
        let perRequest = bytes / max(1, requests(isMix ? phases : phases.filter { leaking.contains($0.name) }))
        guard perRequest > 0 else { return nil }
        return limit.left <= 0
            ? .reached : .afterRequests(Double(limit.left) / (perRequest * limit.overhead), isMix: isMix)
    }
}
