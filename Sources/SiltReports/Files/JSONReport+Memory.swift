internal import SiltEvents
internal import SiltFindings
internal import SiltJSON
internal import SiltRecording

extension JSONReport {
    /// What a process's resident memory was for when somebody last looked, and why; null when nobody did.
    ///
    /// `whole`: of the process whose growth is explained.
    static func memory<Output>(
        of process: RecordedProcess,
        _ whole: WholeMemory?,
        _ report: HeapReport,
        _ json: inout JSONWriter<Output>
    ) {
        let recording = report.recording
        guard let look = recording.memory.last(where: { $0.process == process.id }) else {
            json.value("memory", nil as String?)
            return
        }
        let explained = whole.flatMap { recording.processes[$0.process].id == process.id ? $0.cause : nil }
        let late = explained == nil ? nil : whole.flatMap { LateMapping(report, $0) }
        json.object("memory") { json in
            json.value("resident", look.bytes.sum)
            for use in MemoryUse.allCases { json.value(use.name, look.bytes[use]) }
            json.value("growth_cause", (explained?.entry ?? late?.cause)?.rawValue)
            json.value("growth", explained.map { MemoryText.cause($0, look, late, in: report) })
            json.objects("causes", of: MemoryLedger(look, of: recording).entries) { entry, json in
                json.value("cause", entry.cause.rawValue)
                json.value("bytes", entry.bytes)
                json.value("text", LedgerText.line(entry.cause, look, report))
                json.value("remedy", LedgerText.remedy(entry.cause, look, report))
            }
        }
    }
}
