import Testing

@testable import SiltText

@Suite struct FormatTests {
    @Test(
        arguments: [
            (0.0, "0 B"), (192, "192 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (57_412 * 1024, "56.1 MiB"),
            (2.5, "2.5 B"), (1_048_575, "1.00 MiB"), (10_737_418_240, "10.0 GiB"), (-2048, "-2.00 KiB"),
        ] as [(Double, String)]
    )
    func bytesHaveThreeDigits(_ value: Double, _ text: String) {
        #expect(Format.bytes(value) == text)
    }

    @Test(
        arguments: [
            (0 as UInt64, "0"), (999, "999"), (1000, "1,000"), (57_412, "57,412"), (1_234_567, "1,234,567"),
            (UInt64.max, "18,446,744,073,709,551,615"),
        ] as [(UInt64, String)]
    )
    func countsAreGrouped(_ value: UInt64, _ text: String) {
        #expect(Format.count(value) == text)
    }

    @Test(
        arguments: [
            (0.0, "0%"), (0.04, "<0.1%"), (0.5, "0.5%"), (97, "97%"), (99.96, "99.9%"), (100, "100%"),
        ] as [(Double, String)]
    )
    func sharesNeverRoundToAllOrNothing(_ value: Double, _ text: String) {
        #expect(Format.percent(value) == text)
    }

    @Test(
        arguments: [
            (0.84, "0.8 s"), (45, "45 s"), (125, "2 min"), (11_400, "3 h 10 min"), (86_400, "24 h"),
            (200_000, "2 d 8 h"),
        ] as [(Double, String)]
    )
    func durationsAreRounded(_ value: Double, _ text: String) {
        #expect(Format.duration(value) == text)
    }

    @Test func longNamesKeepBothEnds() {
        #expect("abcdefghijklmnop".cutInside(to: 10) == "abcdef…nop")
        #expect("abc".cutInside(to: 10) == "abc")
        #expect("abcdef".cut(to: 3) == "ab…")
    }

    @Test(arguments: [
        (["./server", "--port=80"], "./server --port=80"), (["sh", "-c", "a b"], "sh -c 'a b'"),
        (["it's", ""], "'it'\\''s' ''"), (["$HOME", "a;b", "*"], "'$HOME' 'a;b' '*'"),
    ])
    func aCommandLineCanBePastedIntoAShell(words: [String], line: String) {
        #expect(Format.commandLine(words) == line)
    }
}
