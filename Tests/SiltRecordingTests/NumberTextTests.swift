import Testing

@testable import SiltRecording

@Suite struct NumberTextTests {
    @Test func numbersOfEachLengthAreWrittenAsTheStandardLibraryDoes() {
        let powers = (0...19).map { power in (0..<power).reduce(UInt64(1)) { value, _ in value * 10 } }
        for number in powers.flatMap({ [$0 - 1, $0, $0 + 1] }) + [.max] {
            let text = [UInt8](unsafeUninitializedCapacity: 22) { text, count in
                text[0] = UInt8(ascii: "x")
                count = NumberText.write(number, to: text, at: 1)
            }
            #expect(String(decoding: text, as: UTF8.self) == "x\(number)" && text.count <= NumberText.maximumBytes)
            text.withUnsafeBufferPointer { bytes in
                var reader = NumberReader(bytes)
                #expect(reader.take("x") && !reader.isAtEnd)
                #expect(reader.number() == number && reader.isAtEnd)
                #expect(reader.number() == nil && !reader.take("x"))
            }
        }
    }

    @Test(arguments: [[], [0], [7, 0, .max]] as [[UInt32]])
    func arraysAreReadBack(_ numbers: [UInt32]) {
        let text = NumberText.array(numbers)
        #expect(String(decoding: text, as: UTF8.self) == "[" + numbers.map { "\($0)" }.joined(separator: ",") + "]")
        #expect(read(text).map { $0.map(UInt32.init) } == numbers)
    }

    @Test(arguments: [
        "", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "[1 ]", "[-1]", "[1]]", "1", "[18446744073709551616]",
        "[99999999999999999999999]", "[1.5]", "[[1]]", "[1;2]",
    ])
    func anythingElseIsNoArray(_ text: String) {
        #expect(read(Array(text.utf8)) == nil)
    }

    private func read(_ text: [UInt8]) -> [UInt64]? {
        var numbers: [UInt64] = []
        let isWhole = text.withUnsafeBufferPointer { bytes in
            var reader = NumberReader(bytes)
            return reader.array { reader in
                guard let number = reader.number() else { return false }
                numbers.append(number)
                return true
            } && reader.isAtEnd
        }
        return isWhole ? numbers : nil
    }
}
