internal import SiltFindings
internal import SiltGrowth

/// How sure a verdict is, in a word or with what it rests on.
enum ConfidenceText {
    static func word(_ confidence: Confidence) -> String {
        switch confidence {
        case .high: "certain"
        case .medium: "likely"
        case .low: "watch it"
        }
    }

    /// As `certain (6 of 6 rounds)`.
    static func certainty(_ site: ReportSite) -> String {
        guard let (occupied, all) = site.rounds, occupied > 0 else { return word(site.confidence) }
        return "\(word(site.confidence)) (\(occupied) of \(all) rounds)"
    }
}
