import SiltFuzzSupport
import SiltPlan

/// libFuzzer's entry: any bytes become a hunt's plan, or the output of a load tool, which are read.
///
/// The first byte says which: 0, the rest is the plan; 1, it damages the plan that silt writes to begin with; 2, it is
/// the output of a load script. A plan is read or refused with a sentence: a crash or a hang is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
package func planAnything(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start, count > 1 else { return 0 }
    let input = UnsafeBufferPointer(start: start, count: count)
    let rest = input.dropFirst()
    switch input[0] % 3 {
    case 0: read(Array(rest))
    case 1: read(damaged(template, by: rest))
    default:
        var counter = RequestCounter()
        counter.add(rest)
        if let found = counter.count { precondition(found.requests >= 0 && found.failed >= 0) }
    }
    return 0
}

private let template = Array(HuntPlan.template.utf8)
private let file = FuzzFile("plan.yml")

private func read(_ bytes: [UInt8]) {
    file.set(bytes)
    do throws(HuntError) {
        let plan = try HuntPlan(path: file.path)
        precondition(!plan.phases.isEmpty && plan.rounds >= HuntPlan.minimumRounds && plan.maxRounds >= plan.rounds)
        precondition(plan.readyTimeoutSeconds > 0 && plan.idleSeconds >= 0 && plan.settleSeconds >= 0)
        precondition(plan.phases.allSatisfy { $0.weight > 0 && $0.timeoutSeconds > 0 && !$0.name.isEmpty })
    } catch {
        precondition(!error.description.isEmpty)
    }
}
