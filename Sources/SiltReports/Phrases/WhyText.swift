internal import SiltFindings
internal import SiltText

/// Why the blocks of a growing site stay, as far as it is known.
enum WhyText {
    /// Nil: nothing is known of it.
    ///
    /// `isWhole`: with the places of both functions; `others`: what grows besides.
    static func line(_ site: ReportSite, isWhole: Bool = false, others: [ReportSite] = []) -> String? {
        let words = [whereabouts(site), isWhole ? distinction(site) : only(site, others)].compactMap { $0 }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }

    /// For a function with innocent callers besides.
    private static func only(_ site: ReportSite, _ others: [ReportSite]) -> String? {
        guard site.caller != nil, site.fix != site.blame,
            !others.contains(where: { $0.blame == site.blame && $0.fix != site.fix && $0.phase == site.phase })
        else { return nil }
        return "only here: other callers of \(site.blame.name(width: 40)) do not grow"
    }

    /// Less is 0 % in print.
    private static let minimumFraction = 0.005

    /// As `97 % of what /orders allocated here is still in use; order_free orders.c:131 freed 3 %`.
    static func whereabouts(_ site: ReportSite) -> String? {
        guard let phase = site.phase, let fraction = site.leakFraction, fraction >= minimumFraction else { return nil }
        var line = "\(Format.share(100 * fraction)) of what \(phase.printable) allocated here is still in use"
        if let freedBy = site.freedBy, freedBy.share >= 0.0005 {
            line += "; \(freedBy.frame.label) freed \(Format.share(100 * freedBy.share))"
        }
        return line
    }

    /// What tells it from the other allocations of the blamed function; nil when nothing does.
    static func distinction(_ site: ReportSite) -> String? {
        if let caller = site.caller { return "\(site.blame.label), only when called by \(caller.label)" }
        return site.origin.map { "\(site.blame.label), called from \($0.label)" }
    }
}
