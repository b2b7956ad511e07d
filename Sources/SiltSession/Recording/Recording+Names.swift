internal import SiltEvents
package import SiltRecording
internal import SiltSymbols

extension Recording {
    /// Names the frames of a recording that is not closed: its analyzer has not done it yet, or cannot any more.
    ///
    /// As the analyzer does it when it closes the recording, as far as the files are still there.
    package mutating func nameFrames() {
        guard !isClosed, symbolRanges.count == frames.count else { return }
        let symbolizer = Symbolizer()
        for process in processes where process.end == .running && !process.isProfiled {
            symbolizer.add(process: Int32(clamping: process.pid))
        }
        let unnamed = frames.indices.filter { symbolRanges[$0].isEmpty && frames[$0].module != .none }
        var numbers: [String: StringID] = [:]
        for (index, text) in strings.enumerated() { numbers[text] = StringID(index: index) }
        for (number, indexes) in Dictionary(grouping: unnamed, by: { frames[$0].module }) {
            let module = Module(path: modules[number].path, buildID: modules[number].buildID)
            let hasLines = !AllocatorFrames.isAllocatorThroughout(modulePath: module.path)
            for index in indexes {
                let (offset, kind) = (frames[index].offset, frames[index].kind)
                let functions = symbolizer.resolve(module, offset: offset, exact: kind == .exact, lines: hasLines)
                add(functions.filter { !$0.function.isEmpty }, to: index, &numbers)
                guard hasLines, let called = symbolizer.called(module, offset: offset, kind: kind) else { continue }
                calls[FrameID(index: index)] = stringID(called, &numbers)
            }
            symbolizer.release(module)
        }
    }

    private mutating func add(_ functions: [SourceFrame], to frame: Int, _ numbers: inout [String: StringID]) {
        let start = Int32(symbols.count)
        for function in functions {
            symbols.append(
                RecordedSymbol(
                    function: stringID(function.function, &numbers),
                    file: function.file.map { stringID($0, &numbers) } ?? .none,
                    line: UInt32(clamping: function.line ?? 0),
                    inlined: function.inlined
                )
            )
        }
        symbolRanges[frame] = start..<Int32(symbols.count)
    }

    private mutating func stringID(_ text: String, _ numbers: inout [String: StringID]) -> StringID {
        if let known = numbers[text] { return known }
        let number = StringID(index: strings.count)
        strings.append(text)
        numbers[text] = number
        return number
    }
}
