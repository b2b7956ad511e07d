/// A Grafana dashboard for what `/metrics` serves, as the JSON that its import takes (schema 38).
package enum Dashboard {
    private struct Panel {
        var title: String
        var kind = "timeseries"
        var unit: String
        /// PromQL, and the legend of each.
        var queries: [(expression: String, legend: String)]
        var width = 12
    }

    private static let panels = [
        Panel(
            title: "Verdict",
            kind: "stat",
            unit: "none",
            queries: [("silt_verdict{instance=~\"$instance\"} == 1", "{{instance}} {{verdict}}")],
            width: 6
        ),
        Panel(
            title: "Growing call sites",
            kind: "stat",
            unit: "none",
            queries: [("silt_growing_sites{instance=~\"$instance\"}", "{{instance}}")],
            width: 6
        ),
        Panel(
            title: "Growth by call site",
            unit: "none",
            queries: [("silt_site_growth_rate{instance=~\"$instance\"}", "{{function}} {{phase}} {{unit}}")]
        ),
        Panel(
            title: "Heap and resident memory",
            unit: "bytes",
            queries: [
                ("silt_inuse_bytes{instance=~\"$instance\"}", "in use {{instance}}"),
                ("silt_peak_inuse_bytes{instance=~\"$instance\"}", "peak {{instance}}"),
                ("silt_resident_bytes{instance=~\"$instance\"}", "resident {{instance}}"),
            ]
        ),
        Panel(
            title: "In use by growing call site",
            unit: "bytes",
            queries: [("silt_site_inuse_bytes{instance=~\"$instance\"}", "{{function}} {{file}}:{{line}}")]
        ),
        Panel(
            title: "Allocations",
            unit: "ops",
            queries: [("rate(silt_alloc_objects_total{instance=~\"$instance\"}[1m])", "{{instance}}")]
        ),
        Panel(
            title: "Trust: events lost, and the program's waits",
            unit: "none",
            queries: [
                ("silt_events_lost_total{instance=~\"$instance\"}", "lost {{instance}}"),
                (
                    "silt_events_sent_total{instance=~\"$instance\"} - silt_events_received_total",
                    "not read {{instance}}"
                ),
                ("rate(silt_wait_seconds_total{instance=~\"$instance\"}[1m])", "share of time waited {{instance}}"),
            ]
        ),
    ]

    package static var json: String {
        var (x, y, row) = (0, 0, 0)
        var parts: [String] = []
        for (index, panel) in panels.enumerated() {
            let height = panel.kind == "stat" ? 4 : 8
            if x + panel.width > 24 { (x, y, row) = (0, y + row, 0) }
            parts.append(json(panel, id: index + 1, x: x, y: y, height: height))
            (x, row) = (x + panel.width, max(row, height))
        }
        return """
            {
              "title": "silt", "uid": "silt-heap", "schemaVersion": 38, "editable": true, "refresh": "10s",
              "time": {"from": "now-1h", "to": "now"},
              "templating": {"list": [
                {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
                {"name": "instance", "type": "query", "datasource": {"type": "prometheus", "uid": "${source}"},
                 "query": "label_values(silt_inuse_bytes, instance)", "refresh": 2, "multi": true, "includeAll": true}
              ]},
              "panels": [
            \(parts.joined(separator: ",\n"))
              ]
            }

            """
    }

    private static func json(_ panel: Panel, id: Int, x: Int, y: Int, height: Int) -> String {
        let targets = panel.queries.enumerated().map { index, query in
            let letter = String(UnicodeScalar(UInt8(65 + index)))
            return
                "{\"refId\": \"\(letter)\", \"expr\": \(quoted(query.expression)), \"legendFormat\": \(quoted(query.legend))}"
        }
        return """
                {"id": \(id), "title": \(quoted(panel.title)), "type": \(quoted(panel.kind)),
                 "datasource": {"type": "prometheus", "uid": "${source}"},
                 "gridPos": {"x": \(x), "y": \(y), "w": \(panel.width), "h": \(height)},
                 "fieldConfig": {"defaults": {"unit": \(quoted(panel.unit))}, "overrides": []},
                 "targets": [\(targets.joined(separator: ", "))]}
            """
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
