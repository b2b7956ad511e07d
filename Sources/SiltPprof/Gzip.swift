internal import CZlib

/// The gzip format (RFC 1952), read with zlib; `GzipWriter` writes it.
package enum Gzip {
    /// Whether they begin as a gzip file does.
    static func holds(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b
    }

    package static func compressed(_ bytes: [UInt8]) throws(PprofError) -> [UInt8] {
        let output = ByteOutput()
        let writer = try GzipWriter { output.bytes += $0 }
        writer.add(bytes)
        writer.finish()
        return output.bytes
    }

    /// The content of all members of a gzip file, checked against their checksums.
    ///
    /// Throws `tooLarge` as soon as more than `limit` bytes come out, so that a small file cannot fill the memory.
    static func inflated(_ bytes: [UInt8], limit: Int) throws(PprofError) -> [UInt8] {
        guard bytes.count <= limit else { throw .tooLarge(limit: limit, unit: "bytes") }
        var stream = z_stream()
        guard silt_gzip_inflate_begin(&stream) == Z_OK else { throw .damaged("no memory left to inflate it") }
        defer { inflateEnd(&stream) }
        return try bytes.withUnsafeBufferPointer { input throws(PprofError) in
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.avail_in = UInt32(input.count)
            return try inflateMembers(&stream, input, limit: limit)
        }
    }

    private static func inflateMembers(
        _ stream: inout z_stream,
        _ input: UnsafeBufferPointer<UInt8>,
        limit: Int
    ) throws(PprofError) -> [UInt8] {
        var output: [UInt8] = []
        while true {
            switch step(&stream, inflate, Z_NO_FLUSH, into: &output) {
            case Z_OK:
                break
            case Z_STREAM_END where stream.avail_in == 0:
                guard output.count <= limit else { throw .tooLarge(limit: limit, unit: "bytes") }
                return output
            case Z_STREAM_END:
                let rest = input.count - Int(stream.avail_in)
                guard input[rest] == 0x1f else {
                    throw .damaged("\(stream.avail_in) bytes follow its compressed content")
                }
                inflateReset(&stream)
            case Z_BUF_ERROR:
                throw .truncated(bytes: input.count)
            case Z_MEM_ERROR:
                throw .damaged("no memory left to inflate it")
            default:
                throw .damaged(stream.msg.map { String(cString: $0) } ?? "invalid compressed content")
            }
            guard output.count <= limit else { throw .tooLarge(limit: limit, unit: "bytes") }
        }
    }

    /// One call of zlib with 256 KiB of space; returns its result.
    private static func step(
        _ stream: inout z_stream,
        _ call: (UnsafeMutablePointer<z_stream>?, Int32) -> Int32,
        _ flush: Int32,
        into output: inout [UInt8]
    ) -> Int32 {
        var result = Z_OK
        let room = 256 * 1024
        output += [UInt8](unsafeUninitializedCapacity: room) { space, count in
            stream.next_out = space.baseAddress
            stream.avail_out = UInt32(room)
            result = call(&stream, flush)
            count = room - Int(stream.avail_out)
        }
        return result
    }
}
