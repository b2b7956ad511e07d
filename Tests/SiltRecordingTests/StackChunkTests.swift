import Testing

@testable import SiltRecording

@Suite struct StackChunkTests {
    /// Frames of each length in decimal, and callers near, far and none.
    @Test(arguments: [1, 1 << 26 - 511] as [UInt32])
    func aChunkIsTheJSONArrayOfItsNumbers(first: UInt32) {
        let powers = (0...9).map { power in (0..<power).reduce(UInt32(1)) { value, _ in value * 10 } }
        let frames = powers.flatMap { [$0 - 1, $0] } + [.max]
        var chunk = StackChunk()
        chunk.begin(first)
        var expected: [UInt64] = []
        for (index, frame) in frames.enumerated() {
            let stack = first + UInt32(index)
            let parent = index % 3 == 0 ? 0 : index % 3 == 1 ? stack - 1 : 1
            chunk.set(stack, parent: parent, frame: frame)
            expected.append((parent == 0 ? 0 : UInt64(stack - parent) << 32) + UInt64(frame))
        }
        let text = String(decoding: chunk.written(), as: UTF8.self)
        #expect(text == "[" + expected.map(String.init).joined(separator: ",") + "]")
    }

    @Test func anEmptyChunkIsAnEmptyArray() {
        var chunk = StackChunk()
        #expect(chunk.isWritten)
        #expect(String(decoding: chunk.written(), as: UTF8.self) == "[]")
    }
}
