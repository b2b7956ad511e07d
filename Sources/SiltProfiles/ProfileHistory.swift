package import SiltPprof

/// What profiles of one kind, pulled one after the other, said to be in use: a row of numbers per stack.
package struct ProfileHistory {
    package struct Stack {
        /// Positions in `symbols`, innermost first.
        package var frames: [UInt32]
        /// At the baseline, and at the end of each interval; shorter than the others while it is zero at the end.
        package var bytes: [UInt64] = []
        package var count: [UInt64] = []
    }

    package private(set) var symbols: [PprofSymbol] = []
    package private(set) var stacks: [Stack] = []
    /// Profiles taken in.
    package private(set) var length = 0
    private var symbolIDs: [PprofSymbol: UInt32] = [:]
    private var stackIDs: [[UInt32]: Int] = [:]

    package init() {}

    /// Takes in the next profile; `countsOnly`: what is counted stands for bytes too.
    package mutating func add(_ profile: PprofInUse, countsOnly: Bool) {
        let ids = profile.symbols.map { symbol in
            if let known = symbolIDs[symbol] { return known }
            let id = UInt32(symbols.count)
            symbolIDs[symbol] = id
            symbols.append(symbol)
            return id
        }
        for stack in profile.stacks {
            let frames = stack.symbols.map { ids[Int($0)] }
            let index = stackIDs[frames] ?? stacks.count
            if index == stacks.count {
                stackIDs[frames] = index
                stacks.append(Stack(frames: frames))
            }
            let count = UInt64(max(0, stack.count))
            stacks[index].extend(to: length + 1)
            stacks[index].bytes[length] += countsOnly ? count : UInt64(max(0, stack.bytes))
            stacks[index].count[length] += count
        }
        length += 1
    }

    /// The functions of a stack, innermost first.
    package func functions(of stack: Stack) -> some Sequence<String> {
        stack.frames.lazy.map { symbols[Int($0)].function }
    }

    /// What the first `count` profiles said.
    package func first(_ count: Int) -> ProfileHistory {
        guard count < length else { return self }
        var result = self
        result.length = count
        for index in result.stacks.indices { result.stacks[index].cut(to: count) }
        return result
    }

    /// The rows, each of the full length.
    package var complete: [Stack] {
        stacks.map { stack in
            var full = stack
            full.extend(to: length)
            return full
        }
    }
}

extension ProfileHistory.Stack {
    fileprivate mutating func cut(to length: Int) {
        bytes.removeLast(max(0, bytes.count - length))
        count.removeLast(max(0, count.count - length))
    }

    fileprivate mutating func extend(to length: Int) {
        while bytes.count < length {
            bytes.append(0)
            count.append(0)
        }
    }
}
