import SiltTestNumbers

@testable import SiltPprof

/// A profile of some stacks out of few functions, with odd numbers and texts among them.
func randomProfile(seed: UInt64) -> PprofProfile {
    var numbers = SeededGenerator(seed: seed)
    let names = ["", "a", "main.main", "std::vector<int>::push_back(int&&)", "größe", "λ\u{0}x", "\"quoted\"\n"]
    let odd: [Int64] = [0, 1, -1, .min, .max, 127, 128, 1536]
    func name() -> String { names[Int.random(in: 0..<names.count, using: &numbers)] }
    func number() -> Int64 { odd[Int.random(in: 0..<odd.count, using: &numbers)] }
    var header = PprofProfile()
    header.sampleTypes = (0...Int.random(in: 0...3, using: &numbers)).map { _ in
        PprofValueType(type: name(), unit: name())
    }
    header.defaultSampleType = name()
    if Bool.random(using: &numbers) { header.periodType = PprofValueType(type: name(), unit: name()) }
    (header.period, header.timeNanos, header.durationNanos) = (number(), number(), number())
    header.comments = (0..<Int.random(in: 0...2, using: &numbers)).map { _ in name() }
    (header.dropFrames, header.keepFrames, header.documentationURL) = (name(), name(), name())
    var builder = PprofBuilder(header)
    let mappings = (0...2).map { _ in
        builder.add(
            PprofMapping(start: UInt64.random(in: 0 ... .max, using: &numbers), end: .max, offset: 4096, file: name())
        )
    }
    for _ in 0..<Int.random(in: 0...30, using: &numbers) {
        let stack = (0..<Int.random(in: 0...12, using: &numbers)).map { _ in
            var frame = PprofFrame(name(), file: name(), line: number(), address: UInt64(bitPattern: number()))
            frame.mapping = Bool.random(using: &numbers) ? mappings.randomElement(using: &numbers) : nil
            (frame.column, frame.function.startLine) = (number(), number())
            frame.function.systemName = name()
            frame.isFolded = Bool.random(using: &numbers)
            return frame
        }
        let labels = (0..<Int.random(in: 0...2, using: &numbers)).map { _ in
            let text = name()
            return PprofLabel(key: name(), value: text.isEmpty ? .number(number(), unit: name()) : .text(text))
        }
        builder.add(stack: stack, values: header.sampleTypes.map { _ in number() }, labels: labels)
    }
    return builder.profile
}

extension Gzip {
    /// The bytes as a gzip file of one member.
    static func deflated(_ bytes: [UInt8]) throws(PprofError) -> [UInt8] {
        final class Output { var bytes: [UInt8] = [] }
        let output = Output()
        let writer = try GzipWriter { output.bytes += $0 }
        writer.add(bytes)
        writer.finish()
        return output.bytes
    }
}
