internal import SiltEvents
package import SiltFindings
internal import SiltJSON
internal import SiltRecording
internal import SiltText

/// The report as JSON, format "silt-report" version 1; keys are only added within a version.
package enum JSONReport {
    package static func render<Output: TextOutputStream>(_ report: HeapReport, into output: inout Output) {
        var json = JSONWriter(into: output)
        json.object { json in
            json.value("format", "silt-report")
            json.value("version", 1)
            target(report, &json)
            json.value("verdict", report.verdict.rawValue)
            json.value("headline", report.verdictLine)
            if !report.phases.isEmpty || report.failure != nil {
                json.value("failure", report.failure?.reason)
                json.list("phases_not_reached", of: report.failure?.missing ?? []) { $1.value(nil, $0) }
            }
            json.object("totals") { totals(report.totals, &$0) }
            trust(report.trust, &json)
            let whole = report.wholeMemory
            json.objects("processes", of: report.processes) { process, json in
                json.value("pid", UInt64(process.process.pid))
                json.value("parent", UInt64(process.parentPid))
                json.value("command", Format.commandLine(process.process.command))
                json.object("totals") { totals(process.totals, &$0) }
                memory(of: process.process, whole, report, &json)
            }
            json.objects("untraced", of: report.recording.untraced) { program, json in
                json.value("program", program.program)
                json.value("reason", program.reason)
                json.value("became", program.became)
                json.value("processes", program.processes)
                json.value("milliseconds", UInt64(program.seconds * 1000))
                json.value("grown_bytes", program.grownBytes)
            }
            if !report.phases.isEmpty { phases(report, &json) }
            let sites = report.sites.prefix(report.options.limit ?? Int.max)
            json.objects("sites", of: sites) { site($0, of: report, &$1) }
        }
        output = json.finish()
    }

    private static func target<Output>(_ report: HeapReport, _ json: inout JSONWriter<Output>) {
        let target = report.recording.target
        json.object("target") { json in
            json.value("command", Format.commandLine(target.command))
            json.value("pid", UInt64(target.pid))
            json.value("allocator", target.allocator)
            // As a shell says it: 128 + signal for a target that a signal ended.
            json.value("exit_status", target.exitStatus ?? target.signal.map { 128 + $0 })
        }
    }

    private static func totals<Output>(_ totals: RecordedTotals, _ json: inout JSONWriter<Output>) {
        json.value("alloc_objects", totals.allocatedCount)
        json.value("alloc_space", totals.allocatedBytes)
        json.value("free_objects", totals.freedCount)
        json.value("inuse_objects", totals.inUseCount)
        json.value("inuse_space", totals.inUseBytes)
        json.value("peak_inuse_space", totals.peakInUseBytes)
    }

    private static func trust<Output>(_ trust: ReportTrust, _ json: inout JSONWriter<Output>) {
        json.object("trust") { json in
            json.value("events_sent", trust.counters.eventsSent)
            json.value("events_received", trust.counters.eventsReceived)
            json.value("lost", trust.counters.lost)
            json.value("unknown_frees", trust.counters.unknownFrees)
            json.value("waits", trust.counters.waits)
            json.value("stacks_complete_percent", trust.completeStacksPercent)
            json.value("symbolized_percent", trust.symbolizedPercent)
            json.value("imports_unbound", trust.counters.importsUnbound)
            json.value("descriptors_unseen", trust.counters.unseenDescriptors)
        }
    }

    private static func phases<Output>(_ report: HeapReport, _ json: inout JSONWriter<Output>) {
        json.objects("phases", of: report.phases) { phase, json in
            measured(phase, &json)
            json.value("verdict", report.verdict(of: phase).rawValue)
            json.value("reason", HuntText.problem(of: phase, report))
        }
    }

    /// What was asked of the target in a phase, in the object that is open.
    static func measured<Output>(_ phase: HuntPhases.Phase, _ json: inout JSONWriter<Output>) {
        json.value("name", phase.name)
        json.value("rounds", phase.rounds)
        json.value("requests", phase.requests)
        json.value("failed_requests", phase.failedRequests)
    }

    /// The keys of one site, in the object that is open.
    static func site<Output>(
        _ site: ReportSite,
        of report: HeapReport,
        _ json: inout JSONWriter<Output>
    ) {
        json.value("rank", site.rank)
        json.value("kind", site.resource.name)
        json.value("verdict", site.verdict.rawValue)
        json.value("confidence", site.confidence.rawValue)
        json.value("reason", site.evidence.reason.rawValue)
        json.value("evidence", site.evidenceLine)
        if !report.phases.isEmpty { hunt(site, &json) }
        json.object("rate", of: site.rate) { rate, json in
            json.value("value", rate.value)
            json.value("low", rate.low)
            json.value("high", rate.high)
            json.value("unit", rate.unit.rawValue)
        }
        json.object("blame") { place(site.blame, &$0) }
        json.object("caller", of: site.caller) { place($0, &$1) }
        if let origin = site.origin { json.object("origin") { place(origin, &$0) } }
        if let example = site.example {
            json.object("example") { json in
                json.value("kind", example.kind)
                json.value("text", example.text)
                json.value("age_seconds", example.ageSeconds)
            }
        }
        if let pair = site.pair {
            json.value("made_by", pair.maker)
            json.value("given_back_by", pair.giver)
        }
        if let follows = site.follows {
            json.object("part_of") { json in
                json.value("rank", follows.rank)
                json.value("reason", follows.why.rawValue)
            }
        }
        json.value("inuse_space", site.inUseBytes)
        json.value("inuse_objects", site.inUseCount)
        json.value("alloc_space", site.allocatedBytes)
        json.value("alloc_objects", site.allocatedCount)
        if site.resource == .heap {
            json.value("temporary_objects", site.temporaryCount)
            json.value("moved_objects", site.movedCount)
            json.value("moved_space", site.movedBytes)
        }
        if site.threadStackBytes > 0 { json.value("thread_stack_space", site.threadStackBytes) }
        let frames = report.frames(ofStack: site.stack).prefix(report.options.depth ?? Int.max)
        json.objects("stack", of: frames) { frame, json in
            place(frame, &json)
            json.value("offset", frame.offset)
            json.value("inlined", frame.inlined)
        }
    }

    private static func hunt<Output>(_ site: ReportSite, _ json: inout JSONWriter<Output>) {
        json.value("phase", site.phase)
        json.value("leak_fraction", site.leakFraction)
        json.object("freed_by", of: site.freedBy) { freedBy, json in
            place(freedBy.frame, &json)
            json.value("share", freedBy.share)
        }
    }

    private static func place<Output>(_ frame: ReportFrame, _ json: inout JSONWriter<Output>) {
        json.value("function", frame.function)
        json.value("file", frame.file)
        json.value("line", frame.line)
        json.value("module", frame.module)
    }
}
