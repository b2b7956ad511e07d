/// A stored history that cannot be read.
package enum HistoryError: Error, Equatable {
    case otherVersion(UInt64)
    case truncated
    case contradictory
}

/// Version, scalars, then five columns of equal length; all LEB128 (DWARF 5, 7.6).
///
/// Rounds have a number more after the version, and no use for some of the scalars and the last column, which are 0.
extension SiteHistory {
    private enum Version: UInt64 {
        case slices = 1
        case rounds = 2
        /// Rounds of which only live bytes are known.
        case birthless = 3
    }

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
        switch self {
        case .slices(let all):
            put(Version.slices.rawValue)
            put(UInt64(all.width))
            put(UInt64(all.snapshot + 1))
            for value in [all.baseBytes, all.baseCount, all.baseline, all.live, all.peak] { put(value) }
            put(UInt64(all.drops))
            put(UInt64(all.buckets.count))
            for column in SliceHistory.Column.allCases {
                for bucket in 0..<all.buckets.count { put(all.buckets.value(column, bucket)) }
            }
        case .rounds(let all):
            put((all.hasBirths ? Version.rounds : .birthless).rawValue)
            for value in [0, 1, UInt64(all.closed + 1), 0, 0, all.baseline, all.live, 0, 0] { put(value) }
            put(UInt64(all.buckets.count))
            for column in RoundHistory.Column.allCases {
                for bucket in 0..<all.buckets.count { put(all.buckets.value(column, bucket)) }
            }
            for _ in 0..<all.buckets.count { put(0) }
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
        let number = try take()
        guard let version = Version(rawValue: number) else { throw .otherVersion(number) }
        let isSlices = version == .slices
        if !isSlices { _ = try take() }
        let (width, snapshots) = (try take(), try take())
        let limit = UInt64(isSlices ? SliceHistory.limit : RoundHistory.limit)
        guard width > 0, width & (width - 1) == 0, width <= (isSlices ? 1 << 26 : 1), snapshots <= 1 + width * limit
        else { throw .contradictory }
        let (baseBytes, baseCount, baseline) = (try take(), try take(), try take())
        let (live, peak, drops, count) = (try take(), try take(), try take(), try take())
        guard count <= limit else { throw .contradictory }
        func column(_ set: (UInt64, Int) -> Void) throws(HistoryError) {
            for bucket in 0..<Int(count) {
                let value = try take()
                guard value < 1 << 48 else { throw .contradictory }
                set(value, bucket)
            }
        }
        if isSlices {
            var history = SliceHistory(baselineBytes: baseBytes, baselineCount: baseCount, interval: 0)
            (history.width, history.snapshot) = (UInt32(width), Int64(snapshots) - 1)
            (history.baseline, history.live, history.peak) = (baseline, live, peak)
            history.drops = UInt32(clamping: drops)
            history.buckets = HistoryBuckets(count: Int(count))
            for kind in SliceHistory.Column.allCases { try column { history.buckets.set($0, kind, $1) } }
            self = .slices(history)
        } else {
            var history = RoundHistory(baseline: baseline)
            (history.live, history.closed, history.hasBirths) = (live, max(0, Int(snapshots) - 1), version == .rounds)
            history.buckets = HistoryBuckets(count: Int(count))
            for kind in RoundHistory.Column.allCases { try column { history.buckets.set($0, kind, $1) } }
            try column { _, _ in }
            self = .rounds(history)
        }
    }
}
