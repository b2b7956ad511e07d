internal import CZlib

/// A gzip file of one member (RFC 1952) that is written piece by piece, without name or time, so that equal input gives
/// equal files.
final class GzipWriter {
    private let stream: UnsafeMutablePointer<z_stream>
    private let write: ([UInt8]) -> Void

    /// What is compressed goes to `write` in pieces of at most 256 KiB.
    init(to write: @escaping ([UInt8]) -> Void) throws(PprofError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        self.write = write
        guard silt_gzip_deflate_begin(stream) == Z_OK else { throw .tooLarge(limit: 0, unit: "bytes: no memory left") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func add(_ bytes: [UInt8]) { deflate(bytes, Z_NO_FLUSH) }

    /// After it nothing may be added.
    func finish() { deflate([], Z_FINISH) }

    private func deflate(_ bytes: [UInt8], _ flush: Int32) {
        bytes.withUnsafeBufferPointer { input in
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = UInt32(input.count)
            let room = 256 * 1024
            while true {
                let output = [UInt8](unsafeUninitializedCapacity: room) { space, count in
                    stream.pointee.next_out = space.baseAddress
                    stream.pointee.avail_out = UInt32(room)
                    _ = CZlib.deflate(stream, flush)
                    count = room - Int(stream.pointee.avail_out)
                }
                if !output.isEmpty { write(output) }
                if output.count < room { return }
            }
        }
    }
}
