internal import CZstd

/// The Zstandard format (RFC 8878), in which some writers compress profiles.
enum Zstandard {
    /// Whether they begin as a frame does.
    static func holds(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) }

    /// The content of all frames.
    ///
    /// Throws `tooLarge` as soon as more than `limit` bytes come out, so that a small file cannot fill the memory.
    static func decompressed(_ bytes: [UInt8], limit: Int) throws(PprofError) -> [UInt8] {
        guard let stream = ZSTD_createDStream() else { throw .damaged("no memory left to decompress it") }
        defer { ZSTD_freeDStream(stream) }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
        return try bytes.withUnsafeBufferPointer { input throws(PprofError) in
            var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
            while true {
                var made = 0
                let result = chunk.withUnsafeMutableBytes { space in
                    var target = ZSTD_outBuffer(dst: space.baseAddress, size: space.count, pos: 0)
                    let result = ZSTD_decompressStream(stream, &target, &source)
                    made = target.pos
                    return result
                }
                guard ZSTD_isError(result) == 0 else { throw .damaged(String(cString: ZSTD_getErrorName(result))) }
                output += chunk.prefix(made)
                guard output.count <= limit else { throw .tooLarge(limit: limit, unit: "bytes") }
                guard source.pos == source.size, made < chunk.count else { continue }
                // What a frame still wants to read when there is nothing left.
                guard result == 0 else { throw .truncated(bytes: bytes.count) }
                return output
            }
        }
    }
}
