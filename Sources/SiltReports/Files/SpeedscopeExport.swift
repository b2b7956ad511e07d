internal import SiltEvents
package import SiltFindings
internal import SiltJSON
internal import SiltRecording
internal import SiltText

/// The report for speedscope.app, in its own format: complete stacks, by what is in use, what was allocated, and what was
/// in use at the peak.
///
/// Equal functions share a frame, without lines, so that viewers add them up. Source: www.speedscope.app/file-format-schema.json.
package enum SpeedscopeExport {
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        var functions = LabelTable<Function>()
        let labels = functions.labels(of: report) { row, frame in
            Function(
                name: report.names.name(ofRow: row, frame: frame, in: report.recording).printable,
                file: report.recording.string(report.names.rows[row].file)
            )
        }
        let profiles = profiles(of: report)
        var tree = NameTree(columns: profiles.count)
        for (column, profile) in profiles.enumerated() {
            tree.add(report, to: column, from: .innermost, labels: labels, value: profile.value)
        }
        var json = JSONWriter(into: output)
        json.object { json in
            json.value("$schema", "https://www.speedscope.app/file-format-schema.json")
            json.value("exporter", "silt " + report.recording.target.siltVersion)
            json.value("name", name(of: report))
            json.value("activeProfileIndex", 0)
            json.object("shared") { json in
                json.array("frames") { json in
                    for function in functions.things { json.object { frame(function, &$0) } }
                    if tree.values.contains(where: { $0[0] > 0 }) { json.object { $0.value("name", "[no stack]") } }
                }
            }
            json.array("profiles") { json in
                for (column, profile) in profiles.enumerated() {
                    json.object {
                        render(profile, tree, column, functions.things, &$0)
                    }
                }
            }
        }
        output = json.finish()
    }

    private struct Function: Hashable {
        var name: String
        var file: String
    }

    private struct Profile {
        var name: String
        var unit: String
        var value: (RecordedCounters) -> UInt64
    }

    private static func profiles(of report: HeapReport) -> [Profile] {
        let resource = report.countedResource
        if resource.isCounted { return [Profile(name: resource.units, unit: "none") { $0.inUseCount }] }
        let inUse = Profile(name: "in use", unit: "bytes") { $0.inUseBytes }
        var result = [inUse]
        if report.knowsAllocations { result.append(Profile(name: "allocated", unit: "bytes") { $0.allocatedBytes }) }
        if !report.isOfProfiles { result.append(Profile(name: "in use at the peak", unit: "bytes") { $0.peakBytes }) }
        return result
    }

    private static func name(of report: HeapReport) -> String {
        let command = Format.commandLine(report.recording.target.command)
        return command.isEmpty ? "heap" : command
    }

    private static func frame<Output>(_ function: Function, _ json: inout JSONWriter<Output>) {
        json.value("name", function.name)
        if !function.file.isEmpty { json.value("file", function.file) }
    }

    private static func render<Output>(
        _ profile: Profile,
        _ tree: NameTree,
        _ column: Int,
        _ functions: [Function],
        _ json: inout JSONWriter<Output>
    ) {
        let values = tree.values[column]
        json.value("type", "sampled")
        json.value("name", profile.name)
        json.value("unit", profile.unit)
        json.value("startValue", 0)
        json.value("endValue", values.reduce(0, &+))
        var weights: [UInt64] = []
        json.array("samples") { json in
            tree.walk(inOrder: Array(functions.indices)) { node, path in
                guard values[node] > 0 else { return }
                weights.append(values[node])
                json.numbers(nil, path.isEmpty ? [UInt64(functions.count)] : path.map { UInt64($0) })
            }
        }
        json.numbers("weights", weights)
    }
}
