// Writes a recording for ever, one transaction per snapshot, and prints each snapshot's number once it is committed.
// A test kills it in the middle.
import Glibc
import SiltEvents
import SiltRecording
import SiltTestRecordings

let writer = try RecordingWriter(path: CommandLine.arguments[1])
try writer.begin()
try writer.write(RecordedTarget(command: ["/bin/endless", "--now"]))
try writer.write(RecordedProcess(id: 1, pid: 4242))
try writer.add(module: 1, path: "/bin/endless", buildID: [1, 2, 3])
try writer.add(frame: 1, module: 1, offset: 0x1000)
try writer.commit()
var snapshot: UInt32 = 0
while true {
    try writer.begin()
    for number in snapshot * 1000 + 1...snapshot * 1000 + 1000 {
        let stack = StackID(rawValue: number)
        try writer.add(stack: stack, parent: StackID(rawValue: number - 1), frame: 1)
        var counters = RecordedCounters(.heap, process: 1, stack: stack)
        counters.inUseBytes = 48
        try writer.write(counters)
    }
    try writer.write(RecordedSnapshot(process: 1, snapshot: snapshot, timeNs: UInt64(snapshot) * 1_000_000_000))
    try writer.commit()
    print(snapshot)
    fflush(nil)
    snapshot += 1
}
