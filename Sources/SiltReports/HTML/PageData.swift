internal import SiltEvents
package import SiltFindings
internal import SiltJSON
internal import SiltRecording
internal import SiltSymbols
internal import SiltText

/// What the HTML page shows, as JSON: format "silt-page", version 1, for the scripts in Page and for nobody else.
///
/// `tree` has a number for each node in each of its arrays; parents come before their children, 0 is the root.
package enum PageData {
    /// Bars of a sparkline, acquitted sites and others listed.
    static let maximumSites = 200
    private static let wayLimit = 40
    /// Characters of a function's name in a card, and in a box that has not room for all of it.
    private static let (shortSiteName, shortBoxName) = (60, 40)

    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        let course = StackCourse(report)
        let tree = PageTree(report, course)
        let timeline = HeapTimeline(report.recording, of: report.countedResource, columns: 400)
        var json = JSONWriter(into: output)
        json.object { json in
            json.value("format", "silt-page")
            json.value("version", 1)
            json.value("unit", report.countedResource.isCounted ? "count" : "bytes")
            json.value("is_hunt", !report.phases.isEmpty)
            json.value("command", Format.commandLine(report.recording.target.command).printable)
            json.value("verdict", report.verdict.rawValue)
            json.value("headline", report.verdictLine.printable)
            // As `which request leaks: silt hunt …`, below what grows.
            json.list("next", of: NextStep.more(report)) { $1.value(nil, $0.printable) }
            let whole = WholeProcess(report)
            json.value("answer", whole.answer?.printable)
            json.value("trust", TrustText.line(report))
            json.value("closed", report.trust.isClosed)
            json.array("process") { json in
                for line in whole.lines { json.value(nil, line.printable) }
                if report.isBeforeTheWayOut {
                    json.value(nil, "the stacks show what was in use \(report.countedResource.beforeTheWayOut)")
                }
            }
            phases(report, &json)
            sites(report, &json)
            self.timeline(timeline, report, &json)
            moments(course, &json)
            self.tree(tree, &json)
        }
        output = json.finish()
    }

    private static func phases<Output>(_ report: HeapReport, _ json: inout JSONWriter<Output>) {
        json.objects("phases", of: report.phases) { phase, json in
            json.value("name", phase.name.printable)
            json.value("verdict", report.verdict(of: phase).rawValue)
            json.value("size", HuntHeadline.size(of: phase))
            json.value("problem", HuntText.problem(of: phase, report))
        }
    }

    // MARK: Sites

    private static func sites<Output>(_ report: HeapReport, _ json: inout JSONWriter<Output>) {
        json.objects("sites", of: report.sites.prefix(maximumSites)) { self.site($0, report, &$1) }
        json.value("more_sites", max(0, report.sites.count - maximumSites))
    }

    private static func site<Output>(_ site: ReportSite, _ report: HeapReport, _ json: inout JSONWriter<Output>) {
        json.value("rank", site.rank)
        json.value("verdict", site.verdict.rawValue)
        json.value("growing", site.isGrowing)
        json.value("acquitted", site.isAcquitted)
        let isUndecided = site.verdict == .stillFilling
        json.value("undecided", isUndecided)
        json.value("certainty", site.isGrowing ? ConfidenceText.certainty(site) : site.verdict.words)
        json.value("rate", FindingText.rates(site, report))
        json.value("phase", site.phase?.printable)
        let place = site.isGrowing ? site.fix : site.blame
        json.value("name", place.name.printable)
        json.value("short", place.name(width: shortSiteName))
        json.value("place", place.place.printable)
        json.value("distinction", site.isGrowing ? WhyText.distinction(site)?.printable : nil)
        json.value("part_of", site.follows?.rank)
        let evidence = site.isGrowing ? FindingText.evidence(site, report) : site.evidenceLine
        json.value("evidence", evidence.printable)
        let notes = site.isGrowing ? FindingText.notes(site, report) : []
        json.list("notes", of: notes) { $1.value(nil, $0.printable) }
        json.value("size", FindingText.held(site))
        json.value("allocated", site.resource.amount(Double(site.allocatedBytes)))
        json.value("whereabouts", WhyText.whereabouts(site)?.printable)
        json.value("next", site.isGrowing ? NextStep.line(site, report)?.printable : nil)
        json.array("series") { json in
            let whole = site.series.isEmpty ? [] : [("", site.series)]
            for (name, values) in site.phaseSeries.isEmpty ? whole : site.phaseSeries.map({ ($0.name, $0.values) }) {
                json.object { json in
                    json.value("name", name.printable)
                    json.numbers("values", values)
                }
            }
        }
        guard site.isGrowing || site.isAcquitted || isUndecided else { return }
        json.list("way", of: WayText(site, report).whole(limit: wayLimit)) { $1.value(nil, $0.printable) }
        guard report.options.showsSource, let file = place.file, let line = place.line else { return }
        json.objects("source", of: SourceLines.around(line, of: file)) { entry, json in
            let (number, text) = entry
            json.value("line", number)
            json.value("text", text)
            json.value("blamed", number == line)
        }
    }

    // MARK: Time

    /// What memory is for, the uses that come first at the bottom; those that are never a fiftieth of it are others.
    private static func parts<Output>(_ columns: [MemoryUses<UInt64>], _ json: inout JSONWriter<Output>) {
        let most = columns.map(\.sum).max() ?? 0
        let shown = MemoryUse.allCases.filter { use in
            use != .other && columns.contains { $0[use] >= max(1, most / 50) }
        }
        json.array("parts") { json in
            guard most > 0 else { return }
            for use in shown {
                json.object { json in
                    json.value("use", use.name)
                    json.value("name", MemoryText.name(use))
                    json.numbers("values", columns.map { $0[use] })
                }
            }
            json.object { json in
                json.value("use", MemoryUse.other.name)
                json.value("name", "others")
                json.numbers("values", columns.map { column in column.sum &- shown.reduce(0) { $0 &+ column[$1] } })
            }
        }
    }

    private static func timeline<Output>(
        _ timeline: HeapTimeline,
        _ report: HeapReport,
        _ json: inout JSONWriter<Output>
    ) {
        let resource = report.countedResource
        json.object("timeline") { json in
            json.value("name", TimelineText.name(of: resource))
            json.value("start", Double(timeline.startNs) / 1e9)
            json.value("end", Double(timeline.endNs) / 1e9)
            json.numbers("inuse", timeline.columns.map(\.inUseBytes))
            // What has no size has no place on the scale of resident memory.
            json.numbers("rss", resource.isCounted ? [] : timeline.columns.map { $0.rssBytes ?? 0 })
            parts(resource.isCounted ? [] : timeline.parts(report.recording), &json)
            json.objects("spans", of: timeline.spans) { span, json in
                json.value("name", span.name.printable)
                json.value("first", span.columns.lowerBound)
                json.value("last", span.columns.upperBound)
            }
        }
    }

    private static func moments<Output>(_ course: StackCourse, _ json: inout JSONWriter<Output>) {
        json.value("exact_moments", course.isExact)
        json.objects("moments", of: course.moments) { moment, json in
            json.value("name", moment.name.printable)
            json.value("seconds", moment.seconds)
        }
    }

    // MARK: Stacks

    private static func tree<Output>(_ tree: PageTree, _ json: inout JSONWriter<Output>) {
        json.object("tree") { json in
            json.array("names") { json in for thing in tree.things { json.value(nil, thing.name) } }
            // Empty where the name is short already.
            json.array("shorts") { json in
                for thing in tree.things {
                    let isLong = thing.name.utf8.count > shortBoxName
                    json.value(nil, isLong ? fittedName(thing.name, width: shortBoxName) : "")
                }
            }
            json.array("files") { json in for thing in tree.things { json.value(nil, thing.file) } }
            json.numbers("parents", tree.parents.map { UInt64($0) })
            json.numbers("labels", tree.labels.map { UInt64($0) })
            json.numbers("inuse", tree.values[PageTree.Measure.inUse.rawValue])
            json.numbers("alloc", tree.values[PageTree.Measure.allocated.rawValue])
            json.numbers("peak", tree.values[PageTree.Measure.peak.rawValue])
            json.value("folded", tree.folded)
            json.numbers("finding_nodes", tree.findings.map { UInt64($0.node) })
            json.numbers("finding_sites", tree.findings.map { UInt64($0.site) })
            json.numbers("course_nodes", tree.course.map { UInt64($0.node) })
            json.array("course") { json in for entry in tree.course { json.numbers(nil, entry.values) } }
            json.array("course_ended") { json in for values in tree.ended { json.numbers(nil, values) } }
        }
    }
}
