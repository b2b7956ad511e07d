internal import CSiltSystem
internal import Glibc
package import SiltPlan
internal import SiltText

/// A phase's load, as one round runs it: `/bin/sh -c SCRIPT` in a process group of its own.
///
/// It gets silt's environment with `SILT_PHASE` and `SILT_ROUND`, without what makes a program be traced, no standard
/// input, and one pipe for both outputs.
package struct LoadScript: Sendable, Equatable {
    package var script: String
    /// Set or replaced in the script's environment.
    package var environment: [String: String] = [:]
    /// Nil: where silt runs.
    package var workingDirectory: String?
    package var timeoutSeconds = 300.0
    package var phase: String
    /// From 1; 0 is the warm-up.
    package var round: Int

    /// Starts the script; the thread that does must outlive it.
    package func start() throws(HuntError) -> RunningLoad { try RunningLoad(self) }

    /// Runs the script to its end, and ends it when `isInterrupted` (asked every 50 ms) says so.
    ///
    /// Throws `.loadFailed` for a status other than 0, `.loadTimedOut`, and `.interrupted`.
    package func run(isInterrupted: () -> Bool = { false }) throws(HuntError) -> LoadResult {
        let load = try start()
        while true {
            if let result = try load.advance() { return result }
            if isInterrupted() {
                load.end()
                throw .interrupted
            }
            load.waitForOutput(milliseconds: 50)
        }
    }

    /// What the script's environment has other than silt's; "": not at all.
    var variables: [String: String] {
        let own = Environment.variables
        let kept = LoadScript.untraced(own)
        var changes = own.filter { kept[$0.key] != $0.value }.mapValues { _ in "" }
        for (name, value) in kept where own[name] != value { changes[name] = value }
        changes.merge(environment) { $1 }
        changes["SILT_PHASE"] = phase
        changes["SILT_ROUND"] = "\(round)"
        return changes
    }

    /// An environment without `SILT_…` and without silt's library in LD_PRELOAD.
    package static func untraced(_ variables: [String: String]) -> [String: String] {
        var kept = variables.filter { !$0.key.hasPrefix("SILT_") }
        if let preload = kept["LD_PRELOAD"] {
            let theirs = preload.split(whereSeparator: { $0 == ":" || $0 == " " }).filter { path in
                !(path.split(separator: "/").last ?? "").hasPrefix("libsilt")
            }
            kept["LD_PRELOAD"] = theirs.isEmpty ? nil : theirs.joined(separator: ":")
        }
        return kept
    }
}

extension LoadScript {
    /// The load of a round of a phase in the plan.
    package init(_ phase: HuntPhase, of plan: HuntPlan, round: Int) {
        self.init(
            script: phase.script,
            environment: plan.environment,
            workingDirectory: plan.workingDirectory,
            timeoutSeconds: phase.timeoutSeconds,
            phase: phase.name,
            round: round
        )
    }
}
