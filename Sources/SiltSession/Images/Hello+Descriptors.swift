internal import CSiltSystem
internal import Glibc

/// Descriptors come from programs that may send anything.
extension Hello {
    /// Makes the descriptors safe to wait for and to read; what is wrong with them, nil when nothing is.
    ///
    /// They stay open either way.
    mutating func takeDescriptors() -> String? {
        switch silt_take_pipe(&pipe) {
        case SILT_FIT: break
        case SILT_UNFIT_KIND: return "what it sent as its pipe is none"
        default: return "its pipe cannot be read"
        }
        switch silt_take_memory(memory) {
        case SILT_FIT: return nil
        case SILT_UNFIT_KIND: return "what it sent as its memory file is none"
        case SILT_UNFIT_SEAL: return "its memory file could be made shorter while it is read"
        default: return "its memory file cannot be read and written"
        }
    }

    /// The executable's descriptor, which is the caller's from now on; -1: none.
    mutating func takeExecutable() -> Int32 {
        defer { executable = -1 }
        return executable
    }

    func closeDescriptors() {
        for descriptor in [pipe, memory, executable] where descriptor >= 0 { close(descriptor) }
    }
}
