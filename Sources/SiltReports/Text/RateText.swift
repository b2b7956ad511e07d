internal import SiltFindings
internal import SiltText

extension Rate {
    /// As `1.00 KiB per request`.
    var sentence: String { unit.sentence(value) }

    /// As `+1.00 KiB/request`.
    var lead: String { "+" + unit.short(value) }
}

extension Rate.Unit {
    /// As `1.00 KiB per request`.
    func sentence(_ value: Double) -> String { "\(amount(value)) per \(per.rawValue)" }

    /// As `1.00 KiB/request`.
    func short(_ value: Double) -> String { "\(amount(value))/\(per.rawValue)" }

    /// As `+1.00 KiB/s` or `+1.00 KiB/request`: in text reports, where a site's line is full.
    func gain(_ value: Double) -> String { "+" + (per == .second ? "\(amount(value))/s" : short(value)) }

    /// A number of the things it counts: `1.00 KiB`, `2.00 goroutines`.
    func amount(_ value: Double) -> String {
        switch quantity {
        case .bytes: Format.bytes(value)
        case .objects: "\(Format.short(value)) goroutine\(value == 1 ? "" : "s")"
        }
    }
}
