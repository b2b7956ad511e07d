/// Stand-in until the real one is merged.
package struct SiteHistory {
    package var births: [UInt32: (bytes: UInt64, count: UInt64)] = [:]
    package var lives: [UInt32: UInt64] = [:]
    package var baselineBytes: UInt64

    package init(baselineBytes: UInt64, baselineCount: UInt64, interval: UInt32) {
        self.baselineBytes = baselineBytes
        births[0] = (baselineBytes, baselineCount)
        lives[interval] = baselineBytes
    }

    package mutating func survived(bytes: UInt64, count: UInt64, born interval: UInt32) {
        let old = births[interval] ?? (0, 0)
        births[interval] = (old.bytes &+ bytes, old.count &+ count)
    }

    package mutating func died(bytes: UInt64, count: UInt64, born interval: UInt32) {
        let old = births[interval] ?? (0, 0)
        births[interval] = (old.bytes &- bytes, old.count &- count)
    }

    package mutating func close(interval: UInt32, liveBytes: UInt64) { lives[interval] = liveBytes }
}
