internal import Glibc

/// Writes to standard error from a thread of its own: a terminal that was stopped (Ctrl-S), or a pipe that nobody reads,
/// holds up nobody who has something to say.
final class PatientWriter: @unchecked Sendable {
    static let errors = PatientWriter(STDERR_FILENO)

    /// What waits to be written; more is dropped, the newest first.
    private static let longest = 200

    private let descriptor: Int32
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // All below is the mutex's.
    private var messages: [String] = []
    /// The line that says how things stand: the newest alone counts.
    private var line: String?
    private var hasThread = false
    private var isWriting = false

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    /// A message, for which a line that stands there makes room.
    func say(_ notice: Notice) {
        add((isatty(descriptor) == 1 ? "\r\u{1b}[K" : "") + "silt: \(notice.text)\n")
    }

    /// A message where lines are somebody else's.
    func sayBetween(_ text: String) { add("silt: \(text)\n") }

    private func add(_ message: String) {
        locked {
            if messages.count < PatientWriter.longest { messages.append(message) }
            wake()
        }
    }

    /// A line that takes the place of the one before.
    func show(_ text: String) {
        locked {
            line = text
            wake()
        }
    }

    /// Waits until all is written: without end for a terminal, which its user goes on reading some time, a few seconds
    /// for anybody else.
    func finish() {
        let isTerminal = isatty(descriptor) == 1
        for _ in 0..<100 {
            let isDone = locked { () -> Bool in
                while isTerminal, !isIdle { pthread_cond_wait(changed, mutex) }
                return isIdle
            }
            if isDone { return }
            usleep(20_000)
        }
    }

    private var isIdle: Bool { messages.isEmpty && line == nil && !isWriting }

    private func wake() {
        if !hasThread {
            var thread = pthread_t()
            let this = Unmanaged.passRetained(self).toOpaque()
            let started = pthread_create(
                &thread,
                nil,
                { this in
                    this.map { Unmanaged<PatientWriter>.fromOpaque($0).takeRetainedValue().work() }
                    return nil
                },
                this
            )
            guard started == 0 else {
                // Without a thread nothing can be said without waiting.
                Unmanaged<PatientWriter>.fromOpaque(this).release()
                messages = []
                line = nil
                return
            }
            pthread_detach(thread)
            hasThread = true
        }
        pthread_cond_broadcast(changed)
    }

    private func work() -> Never {
        while true {
            let text = locked { () -> String in
                isWriting = false
                pthread_cond_broadcast(changed)
                while messages.isEmpty, line == nil { pthread_cond_wait(changed, mutex) }
                isWriting = true
                if !messages.isEmpty { return messages.removeFirst() }
                defer { line = nil }
                return line ?? ""
            }
            Terminal.write(text, to: descriptor)
        }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
