internal import SiltFindings
internal import SiltJSON
internal import SiltRecording
internal import SiltText

/// Phases, rounds and marks of a trace as the Firefox Profiler's markers.
struct FirefoxMarkers {
    private struct Marker {
        var type: String
        /// In the profile's strings.
        var name: Int
        var text: String
        /// Milliseconds since the start; without an end it is an instant.
        var start: Double
        var end: Double?
        var requests: UInt64?
    }

    private var markers: [Marker] = []

    init() {}

    init(_ report: HeapReport, _ strings: inout LabelTable<String>) {
        let recording = report.recording
        func milliseconds(_ timeNs: UInt64) -> Double { Double(timeNs) / 1e6 }
        func add(_ type: String, _ text: String, _ start: UInt64, _ end: UInt64?, _ requests: UInt64? = nil) {
            markers.append(
                Marker(
                    type: type,
                    name: Int(strings.number(of: type)),
                    text: text,
                    start: milliseconds(start),
                    end: end.map(milliseconds),
                    requests: requests
                )
            )
        }
        for phase in recording.phases {
            add("Phase", phase.name, phase.startNs, phase.endNs ?? UInt64(report.seconds * 1e9), phase.requests)
        }
        for round in recording.rounds {
            let phase = recording.phases[round.phase - 1].name
            add("Round", "\(phase), \(round.kind.rawValue)", round.startNs, round.endNs, round.requests)
        }
        for mark in recording.marks { add("Mark", mark.name, mark.timeNs, nil) }
        markers.sort { $0.start < $1.start }
    }

    /// What the viewer shows of them, and where.
    static func schema<Output>(_ json: inout JSONWriter<Output>) {
        for type in ["Phase", "Round", "Mark"] {
            json.object { json in
                json.value("name", type)
                for label in ["tooltipLabel", "tableLabel", "chartLabel"] { json.value(label, "{marker.data.name}") }
                json.list("display", of: ["marker-chart", "marker-table", "timeline-overview"]) { $1.value(nil, $0) }
                let fields = [("name", "Name", "string"), ("requests", "Requests", "integer")]
                json.objects("fields", of: fields) { field, json in
                    let (key, label, format) = field
                    json.value("key", key)
                    json.value("label", label)
                    json.value("format", format)
                }
            }
        }
    }

    func render<Output>(_ json: inout JSONWriter<Output>) {
        json.objects("data", of: markers) { marker, json in
            json.value("type", marker.type)
            json.value("name", marker.text.printable)
            if let requests = marker.requests { json.value("requests", requests) }
        }
        json.column("name", markers.map(\.name))
        json.array("startTime") { json in for marker in markers { json.value(nil, marker.start) } }
        json.array("endTime") { json in for marker in markers { json.value(nil, marker.end) } }
        // An interval has both times, an instant the first alone.
        json.column("phase", markers.map { $0.end == nil ? 0 : 1 })
        json.column("category", markers.map { _ in 0 })
        json.value("length", markers.count)
    }
}

extension JSONWriter {
    /// A column of a table.
    mutating func column(_ name: String, _ values: [Int?]) {
        array(name) { json in for value in values { json.value(nil, value) } }
    }
}
