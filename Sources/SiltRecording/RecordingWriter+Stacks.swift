package import SiltEvents

extension RecordingWriter {
    /// Adds the modules, frames and stacks that the session's table got since the last call.
    package func addNew(of table: StackTable) throws(RecordingError) {
        while storedModules < table.modules.count {
            let module = table.modules[storedModules]
            try add(module: ModuleID(index: storedModules), path: module.path, buildID: module.buildID)
        }
        while storedFrames < table.frames.count {
            let frame = table.frames[storedFrames]
            let id = FrameID(index: storedFrames)
            try add(frame: id, module: frame.module, offset: frame.offset, kind: frame.kind)
        }
        while storedStacks < table.stackCount {
            let stack = StackID(rawValue: UInt32(storedStacks + 1))
            try add(stack: stack, parent: table.parent(of: stack), frame: table.frame(of: stack))
        }
    }
}
