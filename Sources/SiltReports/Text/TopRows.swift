internal import SiltEvents
internal import SiltFindings
internal import SiltText

/// The call sites of `silt top` in columns: rate, what is held, its course, and the place, whose line is cut last.
struct TopRows {
    let heading: String
    let lines: [String]

    /// Columns of the course of time, and those that numbers and course leave to the place.
    private static let (course, minimumSite) = (16, 28)

    init(order: TopView.Order, sites: [ReportSite], width: Int) {
        let rates = sites.map(Self.rate)
        let sizes = sites.map { Self.size($0, order) }
        let counts = sites.map { $0.resource.isCounted ? "" : Self.count($0, order) }
        var lead = (rate: Self.width(rates, "rate"), size: Self.width(sizes, Self.word(order)))
        lead.rate = min(lead.rate, 24)
        let numbers = lead.rate + 2 + lead.size + 2
        let blocks = Self.width(counts, "blocks")
        // The number of blocks goes first, then the course of time is drawn in fewer columns.
        let hasBlocks = width - numbers - blocks - 2 - Self.course - 2 >= Self.minimumSite
        let left = width - numbers - (hasBlocks ? blocks + 2 : 0)
        let course = max(0, min(Self.course, left - 2 - Self.minimumSite))
        func row(_ rate: String, _ size: String, _ count: String, _ line: String) -> String {
            var text = rate.leftPadded(to: lead.rate) + "  " + size.leftPadded(to: lead.size) + "  "
            if hasBlocks { text += count.leftPadded(to: blocks) + "  " }
            return course > 0 ? text + line.padded(to: course) + "  " : text
        }
        let over = course >= 9 ? "over time" : ""
        heading = row("rate", Self.word(order), "blocks", over) + "call site (by \(order.rawValue))"
        lines = sites.indices.map { index in
            let site = sites[index]
            let series = site.phaseSeries.isEmpty ? site.series : site.phaseSeries.flatMap(\.values)
            let line = course > 0 ? Sparkline.text(Self.sampled(series, course)) : ""
            let lead = row(rates[index], sizes[index], counts[index], line)
            return lead + Self.place(site, width: max(8, width - lead.count))
        }
    }

    /// As `orders.c:88 order_create on orders`.
    private static func place(_ site: ReportSite, width: Int) -> String {
        let phase = site.phase.map { " on \($0.printable)" } ?? ""
        let place = site.fix.place.printable
        guard !place.isEmpty else { return site.fix.name(width: max(8, width - phase.count)) + phase }
        let room = width - place.count - phase.count - 1
        guard room >= 8 else { return place.cutInFront(to: width) }
        return place + " " + site.fix.name(width: room) + phase
    }

    private static func width(_ cells: [String], _ heading: String) -> Int {
        cells.reduce(heading.count) { max($0, $1.count) }
    }

    private static func word(_ order: TopView.Order) -> String {
        switch order {
        case .growth, .inUse: "held"
        case .allocated: "allocated"
        case .peak: "at peak"
        }
    }

    private static func rate(_ site: ReportSite) -> String {
        site.isGrowing
            ? site.rate.map { $0.unit.gain($0.value) } ?? "growing" : site.isAcquitted ? site.verdict.words : ""
    }

    private static func size(_ site: ReportSite, _ order: TopView.Order) -> String {
        guard !site.resource.isCounted else { return count(site, order) }
        return switch order {
        case .growth, .inUse: Format.bytes(site.heldBytes)
        case .allocated: Format.bytes(site.allocatedBytes)
        case .peak: Format.bytes(site.peakBytes)
        }
    }

    /// Nothing where it is not known: of what was given back at exit.
    private static func count(_ site: ReportSite, _ order: TopView.Order) -> String {
        switch order {
        case .growth, .inUse:
            if site.resource.isCounted { return Format.count(site.heldBytes) }
            return site.wasGivenBack ? "" : Format.count(site.inUseCount)
        case .allocated: return Format.count(site.allocatedCount)
        case .peak: return Format.count(site.peakCount)
        }
    }

    /// At most so many values, evenly taken, the last among them.
    private static func sampled(_ values: [UInt64], _ count: Int) -> [UInt64] {
        guard values.count > count else { return values }
        return (0..<count).map { values[($0 + 1) * values.count / count - 1] }
    }
}
