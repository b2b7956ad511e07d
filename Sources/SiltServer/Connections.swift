internal import NIOCore
internal import Synchronization

/// The open connections, and since when each waits for its next request to be there, whole.
///
/// Who sends a byte now and then keeps a place only as long as nobody else wants it.
final class Connections: Sendable {
    private struct Entry {
        var channel: any Channel
        /// Nil while a request is being answered.
        var waitsSince: NIODeadline?
    }

    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    /// Takes a connection in; if there are too many, in the place of the one that waits longest.
    ///
    /// False when all the others are being answered.
    func admit(_ channel: any Channel, upTo most: Int) -> Bool {
        let (isAdmitted, slowest) = entries.withLock { entries -> (Bool, (any Channel)?) in
            var slowest: (any Channel)?
            if entries.count >= most {
                let waiting = entries.filter { $0.value.waitsSince != nil }
                guard
                    let (key, entry) = waiting.min(by: {
                        $0.value.waitsSince ?? .distantFuture < $1.value.waitsSince ?? .distantFuture
                    })
                else { return (false, nil) }
                entries[key] = nil
                slowest = entry.channel
            }
            entries[ObjectIdentifier(channel)] = Entry(channel: channel, waitsSince: .now())
            return (true, slowest)
        }
        slowest?.close(promise: nil)
        return isAdmitted
    }

    func remove(_ channel: any Channel) { entries.withLock { $0[ObjectIdentifier(channel)] = nil } }

    /// A whole request came, or its answer went.
    func set(_ channel: any Channel, isWaiting: Bool) {
        entries.withLock { $0[ObjectIdentifier(channel)]?.waitsSince = isWaiting ? .now() : nil }
    }
}
