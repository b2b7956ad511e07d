internal import CSiltSystem
internal import Glibc

/// Waits for descriptors to become readable (epoll(7)); each is known by a token.
struct Poller: ~Copyable {
    let descriptor: Int32
    private var ready = [epoll_event](repeating: epoll_event(), count: 64)

    init() throws(SessionError) {
        let made = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard made >= 0 else { throw .last("epoll_create1") }
        descriptor = made
    }

    deinit { close(descriptor) }

    func add(_ watched: Int32, token: UInt64) throws(SessionError) {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: token))
        guard epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0 else { throw .last("epoll_ctl") }
    }

    func remove(_ watched: Int32) {
        epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, nil)
    }

    /// The tokens that became readable within the time, none after it.
    mutating func wait(milliseconds: Int32) -> [UInt64] {
        let count = epoll_wait(descriptor, &ready, Int32(ready.count), milliseconds)
        return count <= 0 ? [] : ready[..<Int(count)].map { $0.data.u64 }
    }
}
