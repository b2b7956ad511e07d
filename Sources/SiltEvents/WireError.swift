/// What is wrong with the bytes of a process image.
///
/// `offset` counts bytes from the slot's (or module log's) beginning.
package enum WireError: Error, Equatable {
    case badSlot(slot: Int)
    case unknownKind(slot: Int, offset: UInt64, kind: UInt8)
    /// A PAD or EXTENDED record whose length is zero, too small for its type, or longer than a ring.
    case badLength(slot: Int, offset: UInt64, words: Int)
    case unknownStack(slot: Int, offset: UInt64, id: UInt32)
    case badNode(slot: Int, offset: UInt64, id: UInt32)
    case unknownParent(slot: Int, offset: UInt64, id: UInt32, parent: UInt32)
    case unknownModule(slot: Int, offset: UInt64, module: Int)
    case nullAddress(slot: Int, offset: UInt64)
    case badModule(offset: UInt64, reason: BadModule)

    package enum BadModule: Equatable, Sendable {
        case length(UInt32)
        case index(UInt32)
        case text(buildIDBytes: UInt32, pathBytes: UInt32)
        case range
    }
}

extension WireError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badSlot(let slot): "slot \(slot) does not exist"
        case .unknownKind(let slot, let offset, let kind): "slot \(slot), byte \(offset): no record has kind \(kind)"
        case .badLength(let slot, let offset, let words):
            "slot \(slot), byte \(offset): a record of \(words) words cannot be"
        case .unknownStack(let slot, let offset, let id):
            "slot \(slot), byte \(offset): stack \(id) was never announced"
        case .badNode(let slot, let offset, let id): "slot \(slot), byte \(offset): \(id) cannot be a stack's id"
        case .unknownParent(let slot, let offset, let id, let parent):
            "slot \(slot), byte \(offset): parent \(parent) of stack \(id) was never announced"
        case .unknownModule(let slot, let offset, let module):
            "slot \(slot), byte \(offset): module \(module) is not in the module log"
        case .nullAddress(let slot, let offset): "slot \(slot), byte \(offset): a block at address 0"
        case .badModule(let offset, let reason): "module log, byte \(offset): \(reason)"
        }
    }
}
