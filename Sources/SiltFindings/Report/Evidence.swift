package import SiltGrowth

/// What a verdict on a site rests on; `EvidenceText` puts it into words.
package struct Evidence: Equatable, Sendable {
    package enum Basis: Equatable, Sendable {
        case tooFewSnapshots(Int)
        /// Nothing of it is in use.
        case allFreed
        /// None of its blocks has seen two snapshots.
        case onlyYoungBlocks
        /// Mappings that the program hardly touched, or pages of files.
        case hardlyTouched
        /// Go's runtime keeps it for its own next use (`GoName.isKeptByRuntime`).
        case keptByRuntime
        /// So many stacks each left what they left in a short time (`CallersInTurn`); of a hunt, in that phase.
        case inTurn(stacks: Int, Phase?)
        /// It came while code was loaded (`LoaderNames`), or is that code; of a free run.
        case loading
        /// So many blocks, with those of what grew beside it, are no more than an interpreter may keep of its own accord; of a
        /// hunt, in that phase.
        case inCaches(blocks: Double, Phase?)
        /// Nothing of it was alive after a round of the hunt.
        case nothingAfterARound
        case processEnded
        /// Its history cannot be read.
        case damaged
        /// `period`: seconds between snapshots, 0 when they are unknown.
        case run(GrowthVerdict, period: Double)
        /// The same of workers that replace each other, judged as one by their age: how many there were, and how many came
        /// one after the other.
        case workers(GrowthVerdict, period: Double, count: Int, generations: Int)
        case phase(GrowthVerdict, Phase)
    }

    /// The phase of a hunt that was judged.
    package struct Phase: Equatable, Sendable {
        package var name: String
        package var isIdle: Bool
        /// Of its requests; set where the site grows and too many failed.
        package var failedShare: Double?
        /// How many of them replaced each other and were judged as one, and how many came one after the other; nil: the phase
        /// was judged by its rounds.
        package var workers: Workers?

        package init(name: String, isIdle: Bool, failedShare: Double? = nil) {
            self.name = name
            self.isIdle = isIdle
            self.failedShare = failedShare
        }

        package struct Workers: Equatable, Sendable {
            package var count: Int
            package var generations: Int
        }
    }

    package var basis: Basis
    /// Processes in which it grows, where that is said.
    package var processes = 1
    /// Of a growing site, where several processes were traced: the one that it grows in, or grows most in.
    package var process: Process?

    /// A process as a reader finds it again.
    package struct Process: Equatable, Sendable {
        package var pid: UInt32
        /// Of its program, where the traced processes are of several; nil: they are all of one.
        package var name: String?

        package init(pid: UInt32, name: String? = nil) {
            self.pid = pid
            self.name = name
        }
    }

    package init(_ basis: Basis) { self.basis = basis }

    /// Whether it says itself how many processes it is of.
    package var isOfHuntWorkers: Bool { phase?.workers != nil }

    /// Whether it is of one process though several grow.
    package var isOfOneProcess: Bool {
        if case .run = basis { true } else { false }
    }
}

extension Evidence {
    /// Why a site is charged or acquitted, or why nothing is said of it.
    package enum Reason: Hashable, Sendable {
        /// What the judge saw in its survivors.
        case pattern(SiltGrowth.Reason)
        case tooFewSnapshots
        case keptByRuntime
        case inTurn
        case loading
        case inCaches
        case processEnded
        case damaged

        /// As files have it.
        package var rawValue: String {
            switch self {
            case .pattern(let reason): reason.rawValue
            case .tooFewSnapshots: "snapshots"
            case .keptByRuntime: "runtime"
            case .inTurn: "in-turn"
            case .loading: "loading"
            case .inCaches: "in-caches"
            case .processEnded: "ended"
            case .damaged: "damaged"
            }
        }
    }

    /// The judge's; nil where it was not asked.
    var verdict: GrowthVerdict? {
        switch basis {
        case .run(let verdict, _), .workers(let verdict, _, _, _), .phase(let verdict, _): verdict
        case .tooFewSnapshots, .allFreed, .onlyYoungBlocks, .hardlyTouched, .keptByRuntime, .inTurn, .loading,
            .inCaches, .nothingAfterARound, .processEnded, .damaged:
            nil
        }
    }

    /// Of a hunt.
    var phase: Phase? {
        switch basis {
        case .phase(_, let phase): phase
        case .inTurn(_, let phase), .inCaches(_, let phase): phase
        default: nil
        }
    }

    /// A plateau that was reached while the program started.
    var isOfStart: Bool {
        guard case .run(let verdict, _) = basis else { return false }
        return verdict.verdict == .plateauing && verdict.facts.hasSettledAtStart
    }

    package var reason: Reason {
        switch basis {
        case .run(let verdict, _), .workers(let verdict, _, _, _), .phase(let verdict, _): .pattern(verdict.reason)
        case .allFreed, .onlyYoungBlocks, .nothingAfterARound, .hardlyTouched: .pattern(.none)
        case .tooFewSnapshots: .tooFewSnapshots
        case .keptByRuntime: .keptByRuntime
        case .inTurn: .inTurn
        case .loading: .loading
        case .inCaches: .inCaches
        case .processEnded: .processEnded
        case .damaged: .damaged
        }
    }
}
