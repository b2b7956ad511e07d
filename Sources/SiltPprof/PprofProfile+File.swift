internal import SiltSystem
internal import SiltText

extension PprofProfile {
    /// Reads a profile from a file.
    package init(path: String, limits: PprofLimits = PprofLimits()) throws(PprofError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileBytes.read(path, limit: limits.bytes)
        } catch {
            switch error {
            case .system: throw .cannotRead(path: path, reason: error.description)
            case .tooLarge(let limit): throw .tooLarge(limit: limit, unit: "bytes")
            }
        }
        try self.init(reading: bytes, limits: limits)
    }
}
