internal import SiltEvents
package import SiltFindings
internal import SiltJSON

/// A check as JSON, format "silt-check" version 1; keys are only added within a version.
package enum CheckJSON {
    package static func render<Output: TextOutputStream>(_ check: CheckReport, into output: inout Output) {
        var json = JSONWriter(into: output)
        json.object { json in
            json.value("format", "silt-check")
            json.value("version", 1)
            json.value("verdict", check.verdict.rawValue)
            json.value("exit_status", Int(check.exitStatus))
            json.value("reason", check.reason.isEmpty ? nil : check.reason)
            json.object("limits") { json in
                json.value("bytes_per_request", check.settings.bytesPerRequest)
                json.value("site_bytes_per_request", check.settings.siteBytesPerRequest)
                for resource in Resource.counted {
                    json.value(resource.limitName, check.settings.objectsPerRequest[resource])
                }
            }
            json.array("findings") { json in
                guard let report = check.report else { return }
                for finding in check.findings { json.object { Self.finding(finding, check, report, &$0) } }
            }
            json.objects("suppressions", of: check.settings.suppressions.entries) { entry, json in
                json.value("pattern", entry.pattern)
                json.value("source", entry.source)
                json.value("hits", entry.hits)
                json.value("bytes", entry.bytes)
            }
            json.objects("no_longer_growing", of: check.mended) { mended($0, &$1) }
            json.objects("phases", of: check.phases) { Self.phase($0, &$1) }
        }
        output = json.finish()
    }

    private static func finding<Output>(
        _ finding: CheckReport.Finding,
        _ check: CheckReport,
        _ report: HeapReport,
        _ json: inout JSONWriter<Output>
    ) {
        let (outcome, breach, allowedBy): (String, CheckReport.Breach?, String?) =
            switch finding.outcome {
            case .failed(let breach): ("failed", breach, nil)
            case .allowed(.suppression(let line, _)): ("allowed", nil, line)
            case .allowed(.baseline): ("allowed", nil, "baseline")
            case .withinLimit: ("within-limit", nil, nil)
            case .doubtful: ("doubtful", nil, nil)
            }
        json.value("outcome", outcome)
        json.object("limit", of: breach) { limit($0, &$1) }
        json.value("allowed_by", allowedBy)
        json.value("message", CheckHeadline.sentence(finding, check.settings))
        JSONReport.site(finding.site, of: report, &json)
    }

    /// Which limit was broken: `value` in the unit of the site's rate, 0 when nothing may grow.
    private static func limit<Output>(_ breach: CheckReport.Breach, _ json: inout JSONWriter<Output>) {
        let (kind, value, measured) =
            switch breach {
            case .growth: ("growth", 0.0, nil as Double?)
            case .siteLimit(let limit): ("site", limit, nil)
            case .phaseLimit(let limit, let sum): ("phase", limit, sum)
            case .baseline(let rate): ("baseline", rate, nil)
            }
        json.value("kind", kind)
        json.value("value", value)
        if let measured { json.value("phase_total", measured) }
    }

    private static func mended<Output>(_ entry: GrowthBaseline.Entry, _ json: inout JSONWriter<Output>) {
        json.value("kind", entry.resource.name)
        json.value("phase", entry.phase)
        json.value("rate", entry.rate)
        json.value("unit", entry.unit.rawValue)
        json.value("blame", entry.stacks.first?.first)
    }

    private static func phase<Output>(_ phase: CheckReport.Phase, _ json: inout JSONWriter<Output>) {
        JSONReport.measured(phase.measured, &json)
        let (verdict, reason): (String, String?) =
            switch phase.outcome {
            case .passed: ("passed", nil)
            case .failed: ("failed", nil)
            case .inconclusive(let doubt): ("inconclusive", CheckHeadline.line(doubt))
            }
        json.value("verdict", verdict)
        json.value("reason", reason)
    }
}
