internal import SiltEvents
internal import SiltRecording
internal import SiltSymbols

extension FrameNames {
    /// Whether nothing but what a language's library does to start a thread is in a stack, from the blamed function outward.
    ///
    /// As Rust's, which maps a stack for signals and notes the thread's name before it calls the thread's function.
    func isThreadStart(stack: StackID, in recording: Recording) -> Bool {
        let start = blame(ofStack: stack).node
        return walk(from: start, in: recording).allSatisfy { node, frame, rows in
            let first = node == start ? Int(blameRows[frame]) : rows.lowerBound
            return (first..<rows.upperBound).allSatisfy { row in
                let shown = self.frame(ofRow: row, frame: frame, in: recording)
                return shown.isRuntimeStart || shown.isUnnamedInCLibrary || PlumbingNames.isPlumbing(shown.function)
            }
        }
    }
}
