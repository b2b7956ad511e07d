package import SiltRecording

extension Recording {
    /// The recording without the memory of images that exec replaced: that went with them, and nobody left it behind.
    package var forgettingReplacedImages: Recording {
        let replaced = Set(processes.lazy.filter { $0.end == .execed && !$0.isProfiled }.map(\.id))
        guard !replaced.isEmpty else { return self }
        var result = self
        for index in result.counters.indices where replaced.contains(result.counters[index].process) {
            result.counters[index].inUseBytes = 0
            result.counters[index].inUseCount = 0
        }
        for index in result.processes.indices where replaced.contains(result.processes[index].id) {
            result.totals[index].freedBytes &+= result.totals[index].inUseBytes
            result.totals[index].freedCount &+= result.totals[index].inUseCount
            result.totals[index].inUseBytes = 0
            result.totals[index].inUseCount = 0
        }
        return result
    }
}
