internal import SiltRecording

/// A series as a row of bars.
enum Sparkline {
    private static let bars = Array("▁▂▃▄▅▆▇█")

    /// Lowest bar for the least value, highest for the greatest; what varies by under a tenth stays low.
    static func text(_ values: [UInt64]) -> String {
        guard let least = values.min(), let greatest = values.max() else { return "" }
        return text(values, least, greatest)
    }

    /// To a scale that several series share.
    static func text(_ values: [UInt64], _ least: UInt64, _ greatest: UInt64) -> String {
        let range = max(greatest - least, greatest / 10, 1)
        return String(values.map { bars[Int(Double($0 - least) / Double(range) * 7.999)] })
    }

    /// The lowest bytes in use in each of at most `columns` equal spans of a process's snapshots, summed over groups.
    static func columns(_ groups: [ArraySlice<RecordedSample>], snapshots: Int, columns: Int) -> [UInt64] {
        let count = min(columns, snapshots + 1)
        guard count > 0, !groups.isEmpty else { return [] }
        var result = [UInt64](repeating: 0, count: count)
        for group in groups {
            var samples = Recording.uniform(group)[...]
            var current: UInt64 = 0
            for column in 0..<count {
                let first = UInt32(column * (snapshots + 1) / count)
                let last = UInt32((column + 1) * (snapshots + 1) / count - 1)
                var least = UInt64.max
                if let sample = samples.first, sample.snapshot <= last, sample.snapshot >= first + sample.width {
                    least = current
                }
                while let sample = samples.first, sample.snapshot <= last {
                    least = min(least, sample.troughBytes)
                    current = sample.inUseBytes
                    samples.removeFirst()
                }
                result[column] &+= least == .max ? current : least
            }
        }
        return result
    }
}
