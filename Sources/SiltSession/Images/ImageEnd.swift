/// How an image's trace came to its end.
package enum ImageEnd: Sendable {
    case status(ExitStatus)
    case ended
    case executed
    case stillRunning
}

extension ImageEnd {
    /// In an event file: the kind in the low half, status or signal in the high half.
    var packed: UInt64 {
        func pack(_ kind: UInt64, _ value: Int32) -> UInt64 { UInt64(UInt32(bitPattern: value)) << 32 | kind }
        return switch self {
        case .stillRunning: 0
        case .status(.exited(let status)): pack(1, status)
        case .status(.signaled(let signal)): pack(2, signal)
        case .ended: 3
        case .executed: 4
        }
    }

    init(packed: UInt64) {
        let value = Int32(truncatingIfNeeded: packed >> 32)
        switch packed & 0xFFFF_FFFF {
        case 1: self = .status(.exited(value))
        case 2: self = .status(.signaled(value))
        case 3: self = .ended
        case 4: self = .executed
        default: self = .stillRunning
        }
    }
}
