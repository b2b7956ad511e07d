internal import SiltFindings
internal import SiltText

/// `--by temporary`: what was asked for in vain, as blocks freed before the next was allocated and those realloc(3) moved.
enum TemporaryText {
    static func write(_ report: HeapReport, limit: Int, _ page: inout TextPage) {
        let sites = report.sites.filter { $0.resource == .heap && $0.temporaryCount &+ $0.movedCount > 0 }
        page.line("")
        guard !sites.isEmpty else {
            page.line("nothing was freed before the next allocation, nor moved by realloc")
            return
        }
        page.line("freed before the next allocation, or moved by realloc:")
        for (index, site) in sites.prefix(limit).enumerated() {
            page.sites([
                TextPage.SiteLine(rank: index + 1, lead: "", blame: site.blame, size: "")
            ])
            page.paragraph(TemporaryPhrase.line(site), indent: 7, first: 5)
            var onItsWay = site
            onItsWay.stack = site.temporaryStack
            let way = WayText(onItsWay, report)
            if report.options.showsDetails {
                page.chain(way.whole(limit: report.options.depth), indent: 5)
            } else if let line = way.collapsed(width: page.width - 5) {
                page.line("     " + line)
            }
        }
        if sites.count > limit { page.line("     and \(Format.count(UInt64(sites.count - limit))) more") }
    }
}
