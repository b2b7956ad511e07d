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
}

extension HeapReport {
    /// What grows, as far as its phase says anything.
    package var growing: [ReportSite] { sites.filter { $0.isGrowing && $0.isConclusive } }

    /// Growing sites that are findings of their own, and those in libraries that grow because the program's own code leaks
    /// in the same phase.
    package var findings: (own: [ReportSite], inLibraries: [ReportSite]) {
        let leading = sites.filter { $0.isGrowing && $0.follows == nil }
        let leakingPhases = Set(leading.filter { !$0.isLibrary }.map(\.phase))
        func isBecauseOfOthers(_ site: ReportSite) -> Bool {
            site.isLibrary && site.resource == .heap && site.phase != nil && leakingPhases.contains(site.phase)
        }
        return (leading.filter { !isBecauseOfOthers($0) }, leading.filter(isBecauseOfOthers))
    }

    /// What the line of a finding takes of things without a size, beside its bytes.
    package func beside(_ site: ReportSite) -> [ReportSite] {
        guard !site.resource.isCounted else { return [] }
        return sites.filter {
            $0.resource.isCounted && $0.follows?.rank == site.rank && $0.follows?.why == .sameLine
                && $0.fix.isSamePlace(as: site.fix)
        }
    }

    /// Bytes that the target may use; nil: no limit is known.
    package var limitBytes: UInt64? { options.limitBytes ?? recording.memoryLimit }

    /// At the rates of the surer sites; nil without a limit, or when too little is known.
    package var projection: Projection? { phases.isEmpty ? runProjection : huntProjection }

    private var runProjection: Projection? {
        guard let limitBytes, let clock = ProcessClock.all(of: recording).max(by: { $0.periods < $1.periods }),
            clock.periods >= Projection.minimumSnapshots
        else { return nil }
        let sure = growing.compactMap { $0.confidence == .low || $0.rate?.unit != .bytesPerSecond ? nil : $0.rate }
        let rate = sure.reduce(0) { $0 + $1.value }
        let error = sure.reduce(0) { $0 + ($1.high - $1.value) * ($1.high - $1.value) }.squareRoot()
        let last = clock.rows.suffix(Projection.lastSnapshots).map(\.inUseBytes).sorted()
        guard rate > 0, !last.isEmpty else { return nil }
        let left = Double(limitBytes) - Double(last[last.count / 2])
        if left <= 0 { return .reached }
        guard left / rate <= Double(Projection.maximumSpans) * clock.seconds else {
            return .beyond(spans: Projection.maximumSpans)
        }
        let hasRange = rate > 2 * error && error > 0
        return .after(
            seconds: left / rate,
            range: hasRange ? left / (rate + 2 * error)...left / (rate - 2 * error) : nil
        )
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
