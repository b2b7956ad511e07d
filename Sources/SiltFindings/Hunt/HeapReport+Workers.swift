internal import SiltRecording

extension HeapReport {
    /// Processes that ended leave a phase open, except for workers that are judged as one in it.
    mutating func forgive(_ workers: [HuntWorkers], of services: [[WorkerLife]], _ hunt: HuntPhases) {
        for index in phases.indices where !phases[index].isIdle {
            let judged = workers.filter { $0.phase == index }.reduce(into: Set<Int>()) { $0.formUnion($1.members) }
            let across = hunt.ended(in: phases[index], recording, besides: judged)
            let within = HuntWorkers.unjudged(index, of: services, besides: workers, recording, hunt)
            phases[index].ended = across.share > within.share ? across : within
        }
    }
}
