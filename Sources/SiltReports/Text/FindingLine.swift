internal import SiltFindings
internal import SiltText

/// The one line that names a finding: what would be missed first is the last to be cut.
///
/// In this order of worth: rate, line and file of the repair, function, how sure it is, what it holds.
struct FindingLine {
    var number: Int
    var rate: String
    /// Other rates of the same line, shown where place, function and confidence stay beside them.
    var also = ""
    var site: ReportSite
    var confidence: String
    /// What it holds: at length and in short.
    var held: (long: String, short: String)

    /// The end of a file's name and a line.
    private static let minimumPlace = 12
    /// What is left of a function's name before others go.
    private static let (usualName, minimumName) = (32, 18)

    /// The line, and whether `also` is in it.
    func text(width: Int) -> (line: String, saysAll: Bool) {
        let place = site.fix.place.printable
        func whole(_ lead: String, _ forms: some Sequence<[String]>) -> String? {
            forms.lazy.map { form in
                let rest = form.map { "  " + $0 }.joined()
                return lead + place + (place.isEmpty ? String(rest.dropFirst(2)) : rest)
            }
            .first { $0.count <= width }
        }
        let rank = "\(number)".leftPadded(to: 2) + "  "
        if !rate.isEmpty, let text = whole(rank + rate + also + "  ", also.isEmpty ? forms : forms.dropLast()) {
            return (text, true)
        }
        let lead = rank + (rate.isEmpty ? "" : rate + "  ")
        if let text = whole(lead, forms) { return (text, also.isEmpty) }
        let name = "  " + site.fix.name(width: Self.minimumName)
        let room = max(Self.minimumPlace, width - lead.count - name.count)
        let short = lead + place.cutInFront(to: room) + name
        let shortest = lead + place.cutInFront(to: max(Self.minimumPlace, width - lead.count))
        return (short.count <= width ? short : shortest, also.isEmpty)
    }

    /// What may stand behind the place, the fullest first.
    private var forms: [[String]] {
        let whole = site.fix.name.printable
        let through = site.fix == site.blame ? "" : " (through \(site.blame.name(width: Self.usualName)))"
        let usual = site.fix.name(width: Self.usualName)
        let short = site.fix.name(width: Self.minimumName)
        var forms = through.isEmpty ? [] : [[whole + through, confidence, held.long]]
        forms += [[whole, confidence, held.long], [usual, confidence, held.long], [usual, confidence, held.short]]
        if !short.contains("…") { forms.append([short, confidence, held.short]) }
        forms += [[usual, confidence], [short, confidence], [short]]
        return forms
    }
}
