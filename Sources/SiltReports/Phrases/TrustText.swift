internal import SiltFindings
internal import SiltRecording
internal import SiltText

/// What the numbers rest on: whether everything was seen, and what was not.
enum TrustText {
    static func line(_ report: HeapReport) -> String {
        if report.isOfProfiles {
            return [report.recording.target.allocator, named(report)].compactMap { $0 }.joined(separator: ", ")
        }
        let counters = report.trust.counters
        var parts: [String] = []
        if counters.lost > 0 { parts.append(Format.plural(counters.lost, "event") + " lost") }
        if counters.unknownFrees > 0 {
            parts.append(Format.plural(counters.unknownFrees, "free") + " of blocks whose allocation was not seen")
        }
        let fromLibraries = freesOfUnfollowed(report.recording)
        if counters.inheritedFrees > fromLibraries {
            let frees = Format.plural(counters.inheritedFrees - fromLibraries, "free")
            parts.append(frees + " of blocks from before the fork")
        }
        if fromLibraries > 0 {
            parts.append(Format.plural(fromLibraries, "free") + " of blocks from before their library was followed")
        }
        if counters.overwritten > 0 {
            parts.append(Format.plural(counters.overwritten, "block") + " whose free was not seen")
        }
        if counters.unmatchedUnfrees > 0 {
            parts.append(Format.plural(counters.unmatchedUnfrees, "failed realloc") + " of blocks that were not seen")
        }
        if counters.unknownKinds > 0 {
            parts.append(Format.plural(counters.unknownKinds, "record") + " of a kind that this silt does not know")
        }
        if let reason = counters.stopReason {
            parts.append("recording stopped before the end (\(ObstacleText.why(reason)))")
        }
        if counters.importsUnbound > 0 {
            let imports = Format.plural(counters.importsUnbound, "import")
            parts.append(imports + " of functions that allocate not followed: what goes through them is not seen")
        }
        if counters.unseenDescriptors > 0 {
            parts.append(Format.plural(counters.unseenDescriptors, "descriptor") + " whose opening was not seen")
        }
        if counters.modulesLost > 0 { parts.append(Format.plural(counters.modulesLost, "module") + " not recorded") }
        if counters.waits > 0 {
            let seconds = Double(counters.waitNs) / 1e9
            parts.append(
                "the program waited \(Format.plural(counters.waits, "time")) for silt"
                    + (seconds >= 0.05 ? " (\(Format.duration(seconds)))" : "")
            )
        }
        let profiles = Set(report.recording.processes.filter(\.isProfiled).map(\.executable))
        parts += profiles.sorted()
        if !report.trust.isClosed { parts.append("still being written: numbers are those of its last snapshot") }
        return ([whole(report)] + parts).joined(separator: ", ")
    }

    /// What a library takes is not seen before its imports are changed: no other process has a heap from before.
    private static func freesOfUnfollowed(_ recording: Recording) -> UInt64 {
        zip(recording.processes, recording.trust).reduce(0) { $1.0.forked ? $0 : $0 &+ $1.1.inheritedFrees }
    }

    /// As `complete: all 1,184,417 events, all stacks; 99.5 % of bytes named`.
    private static func whole(_ report: HeapReport) -> String {
        let counters = report.trust.counters
        let isAll = counters.eventsSent == counters.eventsReceived && counters.lost == 0 && counters.stopReason == nil
        let events =
            counters.eventsSent == counters.eventsReceived
            ? (counters.eventsSent > 1 ? "all " : "") + Format.plural(counters.eventsSent, "event")
            : "\(Format.count(counters.eventsReceived)) of \(Format.plural(counters.eventsSent, "event"))"
        let percent = report.trust.completeStacksPercent
        let stacks = percent >= 100 ? "all stacks" : "\(Format.share(percent)) of stacks followed to their end"
        return "\(isAll ? "complete" : "not complete"): \(events), \(stacks)" + (named(report).map { "; " + $0 } ?? "")
    }

    /// Nil where no bytes were allocated.
    private static func named(_ report: HeapReport) -> String? {
        guard report.totals.allocatedBytes > 0 else { return nil }
        return "\(Format.share(report.trust.symbolizedPercent)) of bytes named"
    }
}
