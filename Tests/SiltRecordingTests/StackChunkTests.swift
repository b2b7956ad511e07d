import SiltEvents
import SiltTestRecordings
import Testing

@testable import SiltRecording

@Suite struct StackChunkTests {
    /// Callers near, far and none, and stacks that are left out.
    @Test(arguments: [1, 1 << 26 - 511] as [UInt32])
    func aChunkHoldsStepsAndFrames(first: UInt32) {
        var chunk = StackChunk()
        #expect(chunk.isWritten)
        chunk.begin(StackID(first + 3))
        #expect(chunk.first == StackID(first))
        #expect(chunk.holds(StackID(first + 511)) && !chunk.holds(StackID(first + 512)))
        chunk.set(StackID(first), parent: 0, frame: FrameID(.max))
        chunk.set(StackID(first + 1), parent: StackID(first), frame: 8)
        chunk.set(StackID(first + 3), parent: 1, frame: 9)
        #expect(chunk.steps == [0, 1, 0, first + 2])
        #expect(chunk.frames == [FrameID(.max), 8, 0, 9])
        #expect(!chunk.isWritten)
    }
}
