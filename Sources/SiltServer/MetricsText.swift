internal import SiltEvents
internal import SiltFindings
internal import SiltRecording

/// The report as Prometheus scrapes it: the text exposition format, version 0.0.4.
///
/// What grows is told site by site, the first `maximumSites` of them: a scrape never has more series than that.
enum MetricsText {
    static let maximumSites = 20

    static func render(_ current: ReportSource.Current) -> String {
        let report = current.report
        var text = MetricsWriter()
        let totals = report.totals
        text.family("silt_inuse_bytes", "gauge", "Bytes in use, as the program asked for them.") {
            $0.sample(totals.inUseBytes)
        }
        text.family("silt_inuse_objects", "gauge", "Blocks in use.") { $0.sample(totals.inUseCount) }
        text.family("silt_peak_inuse_bytes", "gauge", "The most bytes that were in use at once.") {
            $0.sample(totals.peakInUseBytes)
        }
        text.family("silt_alloc_bytes_total", "counter", "Bytes allocated since the start.") {
            $0.sample(totals.allocatedBytes)
        }
        text.family("silt_alloc_objects_total", "counter", "Blocks allocated since the start.") {
            $0.sample(totals.allocatedCount)
        }
        text.family("silt_resident_bytes", "gauge", "Resident memory at the last snapshot, of all traced processes.") {
            $0.sample(report.recording.residentBytes)
        }
        text.family("silt_processes", "gauge", "Process images that were traced.") {
            $0.sample(UInt64(report.processes.count))
        }
        text.family("silt_verdict", "gauge", "1 for the verdict on the whole, 0 for the others.") { family in
            for verdict in HeapReport.Verdict.allCases {
                family.sample(report.verdict == verdict ? 1 : 0 as UInt64, ["verdict": verdict.rawValue])
            }
        }
        sites(report, &text)
        trust(report, &text)
        text.family("silt_report_build_seconds", "gauge", "Time that making this report took.") {
            $0.sample(current.seconds)
        }
        return text.text
    }

    private static func sites(_ report: HeapReport, _ text: inout MetricsWriter) {
        let growing = report.sites.filter(\.isGrowing)
        text.family("silt_growing_sites", "gauge", "Call sites that grow.") { $0.sample(UInt64(growing.count)) }
        // A name of equal labels may come but once.
        var seen: Set<[String]> = []
        let shown = growing.prefix(maximumSites).compactMap { site -> (ReportSite, [String: String])? in
            let labels = [
                "kind": site.resource.name, "function": site.blame.name, "file": site.blame.file ?? "",
                "line": site.blame.line.map { "\($0)" } ?? "",
                "phase": site.phase ?? "", "caller": site.caller?.name ?? "", "confidence": site.confidence.rawValue,
            ]
            return seen.insert(labels.sorted { $0.key < $1.key }.map(\.value)).inserted ? (site, labels) : nil
        }
        text.family("silt_site_inuse_bytes", "gauge", "Bytes in use of a call site that grows.") { family in
            for (site, labels) in shown where !site.resource.isCounted { family.sample(site.inUseBytes, labels) }
        }
        text.family("silt_site_growth_rate", "gauge", "How fast a call site grows, in what the label unit says.") {
            family in
            for (site, labels) in shown {
                if let rate = site.rate {
                    family.sample(rate.value, labels.merging(["unit": rate.unit.rawValue]) { $1 })
                }
            }
        }
    }

    private static func trust(_ report: HeapReport, _ text: inout MetricsWriter) {
        let counters = report.trust.counters
        text.family("silt_events_sent_total", "counter", "Events that the traced programs wrote.") {
            $0.sample(counters.eventsSent)
        }
        text.family("silt_events_received_total", "counter", "Events that were read of them.") {
            $0.sample(counters.eventsReceived)
        }
        text.family("silt_events_lost_total", "counter", "Events that could not be recorded.") {
            $0.sample(counters.lost)
        }
        text.family("silt_waits_total", "counter", "Times a traced program waited for the analyzer.") {
            $0.sample(counters.waits)
        }
        text.family("silt_wait_seconds_total", "counter", "Time that traced programs waited for the analyzer.") {
            $0.sample(Double(counters.waitNs) / 1e9)
        }
    }
}

/// Families of metrics, each with its HELP and TYPE lines.
private struct MetricsWriter {
    private(set) var text = ""
    private var name = ""

    mutating func family(_ name: String, _ type: String, _ help: String, _ samples: (inout MetricsWriter) -> Void) {
        self.name = name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        samples(&self)
    }

    mutating func sample(_ value: UInt64, _ labels: [String: String] = [:]) { sample("\(value)", labels) }

    mutating func sample(_ value: Double, _ labels: [String: String] = [:]) {
        sample(value.isFinite ? "\(value)" : "NaN", labels)
    }

    private mutating func sample(_ value: String, _ labels: [String: String]) {
        let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
        text += name + (pairs.isEmpty ? "" : "{" + pairs.joined(separator: ",") + "}") + " \(value)\n"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
