extension RecordingWriter {
    /// Replaces that of the same process.
    package func write(_ limit: DescriptorLimit, process: UInt32) throws(RecordingError) {
        try insert(into: "descriptor_limits", process, limit.limit, limit.open, limit.fullNs)
    }
}

extension Recording {
    /// Older files have none.
    mutating func readDescriptorLimits(_ database: Database) throws(RecordingError) {
        guard try hasTable("descriptor_limits", database) else { return }
        let row = try database.prepare("SELECT process, descriptors, open, full_ns FROM descriptor_limits")
        while try row.step() {
            descriptorLimits[row.id(0)] = DescriptorLimit(
                limit: row.unsigned(1),
                open: row.unsigned(2),
                fullNs: row.optionalTime(3)
            )
        }
    }

    /// Of a process that had as many open as it may at the end; nil: none had.
    package var fullDescriptors: DescriptorLimit? {
        descriptorLimits.sorted { $0.key < $1.key }.lazy.map(\.value).first { $0.fullNs != nil }
    }
}
