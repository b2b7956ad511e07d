package import SiltFindings
internal import SiltJSON
internal import SiltRecording
internal import SiltText

/// The report for profiler.firefox.com: what came and stayed over time, what was allocated and what was in use at the peak,
/// as threads of native allocations; phases, rounds and marks as markers; the heap and resident memory as tracks.
///
/// Stacks are those of the page: from the blamed function outwards. Source: the processed profile format, version 60, of
/// github.com/firefox-devtools/profiler (src/types/profile.ts, docs-developer/CHANGELOG-formats.md), which reads older
/// versions than its own.
package enum FirefoxExport {
    private static let version = 60
    /// The version of the Gecko format, which this is not; the field must be there.
    private static let geckoVersion = 31
    private static let columns = 400

    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        let course = StackCourse(report)
        let tree = PageTree(report, course)
        var strings = LabelTable<String>()
        let markers = FirefoxMarkers(report, &strings)
        let names = tree.things.map { strings.number(of: $0.name.isEmpty ? "[no name]" : $0.name) }
        let tables = allocations(report, tree, course)
        let files = tree.things.map { $0.file.isEmpty ? nil : strings.number(of: $0.file) }
        var json = JSONWriter(into: output)
        json.object { json in
            json.object("meta") { meta(report, threads: tables.count, &$0) }
            json.array("libs") { _ in }
            json.array("counters") { counters(report, &$0) }
            json.object("shared") { json in
                json.array("stringArray") { json in for text in strings.things { json.value(nil, text.printable) } }
                functions(names, files, &json)
                stacks(tree, &json)
            }
            json.array("threads") { json in
                for (index, table) in tables.enumerated() {
                    json.object { thread(table, index, report, index == 0 ? markers : FirefoxMarkers(), &$0) }
                }
            }
        }
        output = json.finish()
    }

    private static func meta<Output>(_ report: HeapReport, threads: Int, _ json: inout JSONWriter<Output>) {
        let target = report.recording.target
        let command = Format.commandLine(target.command).printable
        json.value("interval", 1)
        json.value("startTime", Double(target.startUnixNs) / 1e6)
        json.value("processType", 0)
        json.value("product", command.isEmpty ? "heap" : command)
        json.value("importedFrom", "silt " + target.siltVersion)
        json.value("stackwalk", 1)
        json.value("version", geckoVersion)
        json.value("preprocessedProfileVersion", version)
        json.value("symbolicated", true)
        json.value("symbolicationNotSupported", true)
        json.value("usesOnlyOneStackType", true)
        json.value("sourceCodeIsNotOnSearchfox", true)
        json.value("keepProfileThreadOrder", true)
        // Else what has no samples of time may be left out as idle.
        json.numbers("initialVisibleThreads", (0..<threads).map { UInt64($0) })
        json.numbers("initialSelectedThreads", [0])
        json.objects("categories", of: [("Other", "grey"), ("Growing", "red")]) { entry, json in
            let (name, color) = entry
            json.value("name", name)
            json.value("color", color)
            json.array("subcategories") { $0.value(nil, "Other") }
        }
        json.array("markerSchema") { FirefoxMarkers.schema(&$0) }
    }

    // MARK: Shared tables

    private static func functions<Output>(
        _ names: [UInt32],
        _ files: [UInt32?],
        _ json: inout JSONWriter<Output>
    ) {
        let sources = Set(files.compactMap { $0 }).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: sources.enumerated().map { ($1, $0) })
        json.object("sources") { json in
            json.value("length", sources.count)
            json.column("id", sources.map { _ in nil as Int? })
            json.column("filename", sources.map { Int($0) })
        }
        json.object("funcTable") { json in
            json.value("length", names.count)
            json.column("name", names.map { Int($0) })
            for flag in ["isJS", "relevantForJS"] {
                json.array(flag) { json in for _ in names { json.value(nil, false) } }
            }
            json.column("resource", names.map { _ in -1 })
            json.column("source", files.map { $0.flatMap { numbers[$0] } })
            for place in ["lineNumber", "columnNumber"] { json.column(place, names.map { _ in nil as Int? }) }
        }
        for (table, columns) in [
            ("resourceTable", ["lib", "name", "host", "type"]),
            ("nativeSymbols", ["libIndex", "address", "name", "functionSize"]),
        ] {
            json.object(table) { json in
                json.value("length", 0)
                for name in columns { json.array(name) { _ in } }
            }
        }
    }

    /// A frame for each node of the tree but its root, and a stack for each frame.
    private static func stacks<Output>(_ tree: PageTree, _ json: inout JSONWriter<Output>) {
        let nodes = 1..<max(1, tree.parents.count)
        let growing = Set(tree.findings.map(\.node))
        json.object("frameTable") { json in
            json.value("length", nodes.count)
            json.column("address", nodes.map { _ in -1 })
            json.column("inlineDepth", nodes.map { _ in 0 })
            json.column("category", nodes.map { growing.contains($0) ? 1 : 0 })
            json.column("subcategory", nodes.map { _ in 0 })
            json.column("func", nodes.map { tree.labels[$0] })
            for name in ["nativeSymbol", "innerWindowID", "line", "column"] {
                json.column(name, nodes.map { _ in nil as Int? })
            }
        }
        json.object("stackTable") { json in
            json.value("length", nodes.count)
            json.column("frame", nodes.map { $0 - 1 })
            json.column("prefix", nodes.map { stack(of: tree.parents[$0]) })
        }
    }

    private static func stack(of node: Int) -> Int? { node == 0 ? nil : node - 1 }

    // MARK: Threads

    /// A table of native allocations.
    private struct Allocations {
        var name: String
        /// By row: milliseconds since the start, ascending; the stack, and bytes.
        var rows: [(time: Double, stack: Int?, bytes: UInt64)]
    }

    private static func allocations(_ report: HeapReport, _ tree: PageTree, _ course: StackCourse) -> [Allocations] {
        let resource = report.countedResource
        let name = resource.isCounted ? resource.units : "in use"
        var result = [Allocations(name: "\(name), by the time it came", rows: whatStayed(report, tree, course))]
        func add(_ name: String, _ measure: PageTree.Measure) {
            let rows = tree.values[measure.rawValue].enumerated().filter { $1 > 0 }
            result.append(
                Allocations(name: name, rows: rows.map { (report.seconds * 1e3, stack(of: $0), $1) })
            )
        }
        if resource.isCounted { return result }
        if report.knowsAllocations { add("allocated", .allocated) }
        if !report.isOfProfiles { add("in use at the peak", .peak) }
        return result
    }

    /// What is in use at the end, at the moments from which on at least that much of it was there.
    private static func whatStayed(
        _ report: HeapReport,
        _ tree: PageTree,
        _ course: StackCourse
    ) -> [(time: Double, stack: Int?, bytes: UInt64)] {
        var courses: [Int: [UInt64]] = [:]
        for entry in tree.course { courses[entry.node] = entry.values }
        let times = course.moments.map { $0.seconds * 1e3 }
        let end = max(report.seconds * 1e3, times.last ?? 0)
        var rows: [(time: Double, stack: Int?, bytes: UInt64)] = []
        for (node, last) in tree.values[PageTree.Measure.inUse.rawValue].enumerated() where last > 0 {
            // From the end back: the least that it held from each moment on.
            var held = last
            for (time, bytes) in zip([0] + times, [0] + (courses[node] ?? [])).reversed() where bytes < held {
                rows.append((time == times.last ? end : time, stack(of: node), held - bytes))
                held = bytes
            }
        }
        return rows.sorted { ($0.time, $0.stack ?? -1) < ($1.time, $1.stack ?? -1) }
    }

    private static func thread<Output>(
        _ table: Allocations,
        _ index: Int,
        _ report: HeapReport,
        _ markers: FirefoxMarkers,
        _ json: inout JSONWriter<Output>
    ) {
        json.value("processType", "default")
        json.value("processStartupTime", 0)
        json.value("processShutdownTime", nil as Int?)
        json.value("registerTime", 0)
        json.value("unregisterTime", nil as Int?)
        json.array("pausedRanges") { _ in }
        json.value("name", table.name)
        json.value("isMainThread", index == 0)
        json.value("showMarkersInTimeline", index == 0)
        json.value("pid", String(report.recording.target.pid))
        json.value("tid", index)
        json.object("samples") { json in
            for name in ["stack", "time"] { json.array(name) { _ in } }
            json.value("weight", nil as Int?)
            json.value("weightType", "samples")
            json.value("length", 0)
        }
        json.object("nativeAllocations") { json in
            json.array("time") { json in for row in table.rows { json.value(nil, row.time) } }
            json.column("stack", table.rows.map(\.stack))
            json.numbers("weight", table.rows.map(\.bytes))
            json.value("weightType", "bytes")
            json.value("length", table.rows.count)
        }
        json.object("markers") { markers.render(&$0) }
    }

    // MARK: Tracks

    /// Bytes as changes from one moment to the next, as tracks of memory take them.
    private static func counters<Output>(_ report: HeapReport, _ json: inout JSONWriter<Output>) {
        let timeline = HeapTimeline(report.recording, columns: columns)
        let step = Double(timeline.endNs - timeline.startNs) / 1e6 / Double(columns)
        for (name, words, values) in [
            ("heap", "Bytes of live blocks", timeline.columns.map { Int(clamping: $0.inUseBytes) }),
            ("RSS", "Resident memory", timeline.columns.map { Int(clamping: $0.rssBytes ?? 0) }),
        ] where values.contains(where: { $0 > 0 }) {
            json.object { json in
                json.value("name", name)
                json.value("category", "Memory")
                json.value("description", words)
                json.value("pid", String(report.recording.target.pid))
                json.value("mainThreadIndex", 0)
                json.object("samples") { json in
                    json.array("time") { json in
                        for index in values.indices {
                            json.value(nil, Double(timeline.startNs) / 1e6 + Double(index) * step)
                        }
                    }
                    json.column("count", zip(values, [0] + values).map { $0 - $1 })
                    json.value("length", values.count)
                }
            }
        }
    }
}
