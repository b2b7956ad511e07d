package import SiltEvents
package import SiltRecording

// Tests name stacks, frames, modules and texts by their numbers.

extension StackID: ExpressibleByIntegerLiteral {
    package init(integerLiteral number: UInt32) { self.init(rawValue: number) }
}

extension FrameID: ExpressibleByIntegerLiteral {
    package init(integerLiteral number: UInt32) { self.init(rawValue: number) }
}

extension ModuleID: ExpressibleByIntegerLiteral {
    package init(integerLiteral number: UInt32) { self.init(rawValue: number) }
}

extension StringID: ExpressibleByIntegerLiteral {
    package init(integerLiteral number: UInt32) { self.init(rawValue: number) }
}

extension RowID {
    package init(_ number: UInt32) { self.init(rawValue: number) }
}

// Ids by numbers that a test counts up; literals are ids already.

extension RecordingWriter {
    @_disfavoredOverload
    package func add(
        frame id: UInt32,
        module: UInt32,
        offset: UInt64,
        kind: Frame.Kind = .returnAddress
    ) throws(RecordingError) {
        try add(frame: FrameID(id), module: ModuleID(module), offset: offset, kind: kind)
    }

    @_disfavoredOverload
    package func write(symbols: [SourceFrame], frame: UInt32) throws(RecordingError) {
        try write(symbols: symbols, frame: FrameID(frame))
    }

    @_disfavoredOverload
    package func add(stack id: UInt32, parent: UInt32, frame: UInt32) throws(RecordingError) {
        try add(stack: StackID(id), parent: StackID(parent), frame: FrameID(frame))
    }

    @_disfavoredOverload
    package func write(history: [UInt8], of resource: Resource, process: UInt32, stack: UInt32) throws(RecordingError) {
        try write(history: history, of: resource, process: process, stack: StackID(stack))
    }
}

extension RecordedCounters {
    @_disfavoredOverload
    package init(_ resource: Resource, process: UInt32, stack: UInt32) {
        self.init(resource, process: process, stack: StackID(stack))
    }
}
