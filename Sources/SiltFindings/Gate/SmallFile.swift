internal import SiltSystem

/// Files that people write and keep: read and replaced as wholes.
enum SmallFile {
    /// Bytes that such a file may have.
    private static let limit = 16 << 20

    static func read(_ path: String) throws(ReportError) -> [UInt8] {
        do throws(FileError) {
            return try FileBytes.read(path, limit: limit)
        } catch {
            throw .cannotRead(path: path, reason: error.description)
        }
    }

    static func replace(_ path: String, with text: String) throws(ReportError) {
        do throws(FileError) {
            try FileBytes.replace(path, with: text)
        } catch {
            throw .cannotWrite(path: path, reason: error.description)
        }
    }
}
