internal import SiltGrowth
internal import SiltRecording

/// Whether mappings take memory: address space that is only reserved, or is of files, is not growth.
struct TouchedMappings {
    /// What the mappings of all processes gained in memory at most; nil: nobody looked.
    private let gained: Double?

    /// Mappings that grow have at least this share of their growth in memory.
    private static let minimumShare = 0.25
    /// So many that stay take addresses, and room in the kernel's list, for each thing that is done: touched or not.
    private static let many = 50.0
    /// Looks are made when resident memory has moved by so much, in bytes and as a share: what came since is not known.
    private static let step = (bytes: 1_048_576.0, share: 0.02)

    init(_ recording: Recording) {
        var sum: Double?
        for rows in Dictionary(grouping: recording.memory, by: \.process).values {
            guard let first = rows.first, let last = rows.last else { continue }
            let step = max(Self.step.bytes, Self.step.share * Double(last.bytes.sum))
            // Shared memory that no file on a disk is behind is memory as well.
            func taken(_ look: RecordedMemory) -> Double {
                Double(look.bytes[.mapped]) + Double(look.details[.sharedMemory])
            }
            sum = (sum ?? 0) + taken(last) - taken(first) + step
        }
        gained = sum
    }

    /// The opinion on a site of mappings, which is charged only where its memory is seen.
    func checked(_ opinion: SiteOpinion) -> SiteOpinion {
        guard opinion.isGrowing, let gained else { return opinion }
        let facts: GrowthFacts
        switch opinion.evidence.basis {
        case .run(let verdict, _), .phase(let verdict, _), .workers(let verdict, _, _, _): facts = verdict.facts
        default: return opinion
        }
        let claimed = max(facts.live - facts.baseline, facts.survivorBytes)
        guard gained < Self.minimumShare * claimed, facts.survivors < Self.many else { return opinion }
        return SiteOpinion(verdict: .stable, confidence: .medium, evidence: Evidence(.hardlyTouched))
    }
}
