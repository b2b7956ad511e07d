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
        text.gauge("silt_inuse_bytes", "Bytes in use, as the program asked for them.", totals.inUseBytes)
        text.gauge("silt_inuse_objects", "Blocks in use.", totals.inUseCount)
        text.gauge("silt_peak_inuse_bytes", "The most bytes that were in use at once.", totals.peakInUseBytes)
        text.counter("silt_alloc_bytes_total", "Bytes allocated since the start.", totals.allocatedBytes)
        text.counter("silt_alloc_objects_total", "Blocks allocated since the start.", totals.allocatedCount)
        let resident = report.recording.residentBytes
        text.gauge("silt_resident_bytes", "Resident memory at the last snapshot, of all traced processes.", resident)
        text.gauge("silt_processes", "Process images that were traced.", UInt64(report.processes.count))
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
        text.gauge("silt_growing_sites", "Call sites that grow.", UInt64(growing.count))
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
        text.counter("silt_events_sent_total", "Events that the traced programs wrote.", counters.eventsSent)
        text.counter("silt_events_received_total", "Events that were read of them.", counters.eventsReceived)
        text.counter("silt_events_lost_total", "Events that could not be recorded.", counters.lost)
        text.counter("silt_waits_total", "Times a traced program waited for the analyzer.", counters.waits)
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

    /// One number without labels.
    mutating func gauge(_ name: String, _ help: String, _ value: UInt64) {
        family(name, "gauge", help) { $0.sample(value) }
    }

    mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        family(name, "counter", help) { $0.sample(value) }
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
