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
}
