internal import CSQLite
internal import SiltEvents

extension RecordingWriter {
    /// Opens a recording whose writer has ended, to add what else was measured meanwhile: processes with ids of their own.
    ///
    /// Throws as `Recording` does for a file that is not a recording. Rows are lost, and nothing else, when this writer is killed.
    package convenience init(addingTo path: String) throws(RecordingError) {
        try self.init(path: path, database: RecordingFile.openToWrite(path))
        storedModules = try database.integer("SELECT max(module) FROM modules")
        storedFrames = try database.integer("SELECT max(frame) FROM frames")
        symbolizedBefore = FrameID(rawValue: UInt32(clamping: storedFrames))
        // A chunk is written as a whole: the last one stays as it is.
        let chunk = UInt32(clamping: try database.integer("SELECT max(first) FROM call_tree"))
        storedStacks = chunk == 0 ? 0 : Int(chunk) + StackChunk.size - 1
        storedProcesses = UInt32(clamping: try database.integer("SELECT max(process) FROM processes"))
        isWhole = try database.integer("SELECT closed FROM target") == 1
        let row = try database.prepare("SELECT string, text FROM strings")
        while try row.step() { strings[row.text(1)] = row.id(0) }
    }

    /// When the rounds of the hunt began and ended: the start of the first, then the end of each; empty without a hunt.
    package func roundTimes() throws(RecordingError) -> [UInt64] {
        var times: [UInt64] = []
        let row = try database.prepare("SELECT start_ns, end_ns FROM rounds ORDER BY round")
        while try row.step() {
            if times.isEmpty { times.append(row.unsigned(0)) }
            times.append(row.unsigned(1))
        }
        return times
    }
}
