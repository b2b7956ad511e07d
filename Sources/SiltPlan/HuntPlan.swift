package import SiltEvents

/// What `silt hunt` is to do: which service to start, how it is loaded, and what may grow.
///
/// The hunt starts the command, waits until it is ready, watches it idle, then goes through the phases in their order:
/// a warm-up round that does not count, rounds of load, settle and snapshot, and last it watches the service idle again.
package struct HuntPlan: Sendable, Equatable {
    /// The service and its arguments; empty when the plan leaves it to the command line.
    package var command: [String] = []
    /// Added to silt's own variables, for the service and for the load scripts.
    package var environment: [String: String] = [:]
    /// Where the service and the load scripts run; nil: where silt does.
    package var workingDirectory: String?
    package var ready = Readiness.quiet
    /// The service must be ready within this time.
    package var readyTimeoutSeconds = 60.0
    /// How long the service is watched without load before the first phase.
    package var idleSeconds = 10.0
    /// The same after the last phase: as long as the longest time after which the service drops what it keeps.
    package var finalIdleSeconds = 10.0
    /// The longest wait after a round's load until the service is quiet.
    package var settleSeconds = 10.0
    /// How long a phase that grows is left alone before it is loaded once more, 0 not at all.
    ///
    /// What is freed then was a cache.
    package var confirmSeconds = 0.0
    /// Rounds of a phase that count, at least 3 (`HuntPlan.minimumRounds`); the warm-up round comes on top.
    package var rounds = 6
    /// As many rounds a phase may have when the planned ones leave a doubt; never fewer than `rounds`.
    package var maxRounds = 24
    /// At least one.
    package var phases: [HuntPhase] = []
    package var limits = HuntLimits()
    /// The service's pprof endpoint, of which profiles are pulled beside the trace, as http://127.0.0.1:6060/debug/pprof.
    package var pprof: String?
    /// Does not preload a service of which profiles are pulled: they are of the heap that malloc serves as well.
    package var profilesOnly = false
    /// What the service may use before it is restarted or killed: reports say when growth reaches it.
    package var memoryLimitBytes: UInt64?

    /// Fewer rounds give no verdict.
    package static let minimumRounds = 3

    package init() {}
}

/// One kind of load, most often one route of the service.
package struct HuntPhase: Sendable, Equatable {
    /// Unique in the plan.
    package var name: String
    /// For `/bin/sh -c`; run once a round.
    package var script: String
    /// How many requests the script makes each time; nil: read from what the script prints (`RequestCount`).
    package var requestsPerRun: Int?
    /// The phase's share of the service's real traffic, against the weights of the others; reports rank by it.
    package var weight = 1.0
    /// Instead of the plan's `rounds`; `maxRounds` is raised to it where it is less.
    package var rounds: Int?
    /// The script is ended after this time, and the hunt with it.
    package var timeoutSeconds = 300.0

    package init(name: String, script: String) {
        self.name = name
        self.script = script
    }
}

/// What may grow without `silt check` failing: without a limit nothing that is charged, with one of them what it lets pass.
package struct HuntLimits: Sendable, Equatable {
    /// Bytes per request that a phase may lose over all its call sites.
    package var maxBytesPerRequest: Double?
    /// The same for each call site.
    package var maxSiteBytesPerRequest: Double?
    /// Things per request, of resources without sizes, that a phase may leave over all its call sites.
    package var maxObjectsPerRequest: [Resource: Double] = [:]
    /// Call sites that are allowed to grow: lines of a LeakSanitizer suppression file, as `leak:pattern`.
    package var allow: [String] = []
    /// A file of such lines; an absolute path, or one relative to where silt runs.
    package var allowFile: String?

    package init() {}
}
