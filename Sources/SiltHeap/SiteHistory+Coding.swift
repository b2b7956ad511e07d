/// A stored history that cannot be read.
package enum HistoryError: Error, Equatable {
    case otherVersion(UInt64)
    case truncated
    case contradictory
}

extension SiteHistory {
    private static let codingVersion: UInt64 = 1
    /// Of a history that keeps its intervals: since when follows the version.
    private static let keptVersion: UInt64 = 2
    /// The same of live bytes alone.
    private static let birthlessVersion: UInt64 = 3

    /// Version, scalars, then the five columns of equal length; all LEB128 (DWARF 5, 7.6).
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        func put(_ value: UInt64) {
            var rest = value
            repeat {
                let low = UInt8(rest & 0x7f)
                rest >>= 7
                bytes.append(rest == 0 ? low : low | 0x80)
            } while rest != 0
        }
        put(
            keptSince == nil
                ? SiteHistory.codingVersion : hasBirths ? SiteHistory.keptVersion : SiteHistory.birthlessVersion
        )
        if let keptSince { put(UInt64(keptSince)) }
        for value in [
            UInt64(width), UInt64(snapshot + 1), baseBytes, baseCount, baseline, live, peak,
            UInt64(drops), UInt64(bucketCount),
        ] { put(value) }
        for column in Column.allCases {
            for bucket in 0..<bucketCount { put(value(column, bucket)) }
        }
        return bytes
    }

    /// Reads what `encoded` wrote.
    package init(decoding bytes: [UInt8]) throws(HistoryError) {
        var at = 0
        func take() throws(HistoryError) -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while at < bytes.count, shift < 64 {
                let byte = bytes[at]
                at += 1
                value |= UInt64(byte & 0x7f) << shift
                if byte & 0x80 == 0 { return value }
                shift += 7
            }
            throw .truncated
        }
        let version = try take()
        guard version >= SiteHistory.codingVersion, version <= SiteHistory.birthlessVersion else {
            throw .otherVersion(version)
        }
        let isKept = version >= SiteHistory.keptVersion
        self.init(baselineBytes: 0, baselineCount: 0, interval: 0)
        hasBirths = version != SiteHistory.birthlessVersion
        if isKept { keptSince = UInt32(clamping: try take()) }
        let limit = UInt64(isKept ? SiteHistory.keptLimit : SiteHistory.bucketLimit)
        let width = try take()
        let snapshot = try take()
        guard width > 0, width & (width - 1) == 0, width <= (isKept ? 1 : 1 << 26), snapshot <= 1 + width * limit
        else { throw .contradictory }
        self.width = UInt32(width)
        self.snapshot = Int64(snapshot) - 1
        baseBytes = try take()
        baseCount = try take()
        baseline = try take()
        live = try take()
        peak = try take()
        drops = UInt32(clamping: try take())
        let count = try take()
        guard count <= limit else { throw .contradictory }
        makeBuckets(Int(count))
        for column in Column.allCases {
            for bucket in 0..<Int(count) {
                let value = try take()
                guard value < 1 << 48 else { throw .contradictory }
                set(value, column, bucket)
            }
        }
    }
}
