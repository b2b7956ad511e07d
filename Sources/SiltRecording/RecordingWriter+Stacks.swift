package import SiltEvents

extension RecordingWriter {
    /// Adds the modules, frames and stacks that the session's table got since the last call.
    package func addNew(of table: StackTable) throws(RecordingError) {
        while storedModules < table.modules.count {
            let module = table.modules[storedModules]
            storedModules += 1
            try add(module: UInt32(storedModules), path: module.path, buildID: module.buildID)
        }
        while storedFrames < table.frames.count {
            let frame = table.frames[storedFrames]
            storedFrames += 1
            try add(
                frame: UInt32(storedFrames),
                module: frame.module.rawValue,
                offset: frame.offset,
                kind: frame.kind.rawValue
            )
        }
        while storedStacks < table.stackCount {
            storedStacks += 1
            let stack = StackID(rawValue: UInt32(storedStacks))
            try add(
                stack: stack.rawValue,
                parent: table.parent(of: stack).rawValue,
                frame: table.frame(of: stack).rawValue
            )
        }
    }
}
