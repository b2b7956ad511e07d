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
        case .objects(let resource): "\(Format.short(value)) \(value == 1 ? resource.unit : resource.units)"
        }
    }
}

extension Sequence<Rate> {
    /// Added up unit by unit, in the order in which units come.
    var sums: [(unit: Rate.Unit, value: Double)] {
        var sums: [(unit: Rate.Unit, value: Double)] = []
        for rate in self {
            if let index = sums.firstIndex(where: { $0.unit == rate.unit }) {
                sums[index].value += rate.value
            } else {
                sums.append((rate.unit, rate.value))
            }
        }
        return sums
    }
}
