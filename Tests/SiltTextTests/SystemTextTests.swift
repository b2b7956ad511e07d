import SiltTestNumbers
import SiltText
import Testing

struct SystemTextTests {
    @Test(arguments: [
        Array("plain /bin/sh".utf8), Array("Übung — 日本 🙂".utf8), [0x63, 0xe9], [0xff], [0xc3], [0xe2, 0x82],
        [0xc0, 0x80],
        [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf4, 0x8f, 0xbe, 0x80], [0xf4, 0x8f, 0xbf, 0xbf],
        [0xf4, 0x8f, 0xbe],
        [],
    ])
    func everyByteComesBack(bytes: [UInt8]) {
        #expect(String(system: bytes).systemBytes == bytes)
    }

    @Test func randomBytesComeBack() {
        var numbers = SeededGenerator(seed: 7)
        // Those that begin, continue and break sequences, more often than chance has them.
        let pieces: [UInt8] = [0x41, 0x80, 0xbe, 0xbf, 0x8f, 0xc3, 0xe2, 0xf0, 0xf4, 0xff]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...9, using: &numbers)).map { _ in
                Bool.random(using: &numbers)
                    ? pieces.randomElement(using: &numbers) ?? 0 : UInt8.random(in: 1...255, using: &numbers)
            }
            #expect(String(system: bytes).systemBytes == bytes)
        }
    }

    @Test func textIsTextAndOtherBytesAreShownByTheirNumbers() {
        #expect(String(system: Array("Übung".utf8)) == "Übung")
        #expect(String(system: [0x63, 0x61, 0x66, 0xe9]).shown == "caf\\xe9")
        #expect("Übung".shown == "Übung")
        #expect(String(system: [0x63, 0xe9]).system == [0x63, CChar(bitPattern: 0xe9), 0])
    }
}
