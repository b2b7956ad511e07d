internal import SiltFindings
internal import SiltJSON
internal import SiltText

/// A difference as JSON, format "silt-diff" version 1; keys are only added within a version.
package enum DiffJSON {
    package static func render<Output: TextOutputStream>(_ diff: HeapDiff, into output: inout Output) {
        var json = JSONWriter(into: output)
        json.object { json in
            json.value("format", "silt-diff")
            json.value("version", 1)
            json.value("verdict", DiffText.headline(diff))
            json.value("type", diff.resource.sampleType(diff.settings.typeName))
            // The unit of every "change"; what was before and after is in bytes, or a number of what has no size.
            json.value("unit", diff.settings.unit(of: diff.resource))
            json.object("before") { side(diff.before, diff, &$0) }
            json.object("after") { side(diff.after, diff, &$0) }
            json.value("change", diff.total.value)
            let functions = diff.functions.prefix(diff.settings.limit ?? Int.max)
            json.objects("functions", of: functions) { Self.function($0, &$1) }
        }
        output = json.finish()
    }

    private static func side<Output>(_ side: DiffSide, _ diff: HeapDiff, _ json: inout JSONWriter<Output>) {
        let total = side.total(diff.settings.measure)
        json.value("name", side.name)
        json.value("command", Format.commandLine(side.report.recording.target.command))
        json.value("bytes", total.bytes)
        json.value("objects", total.count > 0 || total.bytes == 0 ? total.count : nil)
        json.value("seconds", side.seconds)
        json.value("requests", side.requests)
    }

    private static func function<Output>(_ function: HeapDiff.Function, _ json: inout JSONWriter<Output>) {
        let key = function.key
        json.value("name", key.name)
        json.value("function", key.function)
        json.value("file", key.file.isEmpty ? nil : key.file)
        json.value("line", key.line > 0 ? Int(key.line) : nil)
        json.value("module", key.module.isEmpty ? nil : key.module)
        for (name, change) in [("flat", function.flat), ("cum", function.cumulative)] {
            json.object(name) { json in
                json.value("before", change.before)
                json.value("after", change.after)
                json.value("change", change.value)
            }
        }
    }
}
