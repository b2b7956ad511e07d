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
            json.array("suppressions") { json in
                for entry in check.settings.suppressions.entries {
                    json.object { json in
                        json.value("pattern", entry.pattern)
                        json.value("source", entry.source)
                        json.value("hits", entry.hits)
                        json.value("bytes", entry.bytes)
                    }
                }
            }
            json.array("no_longer_growing") { json in
                for entry in check.mended { json.object { mended(entry, &$0) } }
            }
            json.array("phases") { json in
                for phase in check.phases { json.object { Self.phase(phase, &$0) } }
            }
        }
        output = json.finish()
    }

    private static func finding<Output>(
        _ finding: CheckReport.Finding,
        _ check: CheckReport,
        _ report: HeapReport,
        _ json: inout JSONWriter<Output>
    ) {
        switch finding.outcome {
        case .failed(let breach):
            json.value("outcome", "failed")
            limit(breach, &json)
            json.value("allowed_by", nil as String?)
        case .allowed(let allowance):
            json.value("outcome", "allowed")
            json.value("limit", nil as String?)
            switch allowance {
            case .suppression(let line, _): json.value("allowed_by", line)
            case .baseline: json.value("allowed_by", "baseline")
            }
        case .withinLimit:
            json.value("outcome", "within-limit")
            json.value("limit", nil as String?)
            json.value("allowed_by", nil as String?)
        case .doubtful:
            json.value("outcome", "doubtful")
            json.value("limit", nil as String?)
            json.value("allowed_by", nil as String?)
        }
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
        json.object("limit") { json in
            json.value("kind", kind)
            json.value("value", value)
            if let measured { json.value("phase_total", measured) }
        }
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
        switch phase.outcome {
        case .passed:
            json.value("verdict", "passed")
            json.value("reason", nil as String?)
        case .failed:
            json.value("verdict", "failed")
            json.value("reason", nil as String?)
        case .inconclusive(let reason):
            json.value("verdict", "inconclusive")
            json.value("reason", CheckHeadline.line(reason))
        }
    }
}
