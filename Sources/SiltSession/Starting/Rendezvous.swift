internal import CSiltSystem
internal import CSiltWire
internal import Glibc
internal import SiltText

/// What went wrong between silt and the system, with what to do about it.
package enum SessionError: Error, CustomStringConvertible {
    case cannotTrace(TargetInspection)
    case cannotStart(command: String, reason: String)
    case system(call: String, reason: String)
    case noPrivateDirectory(tried: [String])
    case socketInUse(path: String)
    case notASocket(path: String)

    /// What a shell ends with where it cannot run a command (POSIX, XCU 2.8.2); nil of what would run untraced.
    package var shellStatus: Int32? {
        switch self {
        case .cannotTrace(let inspection): inspection.obstacle?.shellStatus
        case .cannotStart: 126
        case .system, .noPrivateDirectory, .socketInUse, .notASocket: nil
        }
    }

    package var description: String {
        switch self {
        case .cannotTrace(let inspection):
            if let obstacle = inspection.obstacle {
                "cannot \(obstacle.shellStatus == nil ? "trace" : "run") \(inspection.executable): \(obstacle.problem(of: inspection.executable))"
                    + "\n  instead: \(obstacle.remedy)"
            } else {
                "cannot trace \(inspection.executable)"
            }
        case .cannotStart(let command, let reason): "cannot start \(command): \(reason)"
        case .system(let call, let reason): "\(call): \(reason)"
        case .noPrivateDirectory(let tried):
            "no private directory for the socket (tried \(tried.joined(separator: ", "))); set XDG_RUNTIME_DIR"
        case .socketInUse(let path): "\(path) is in use: another silt listens there"
        case .notASocket(let path): "\(path) is no socket: it is left as it is; name a path where there is nothing yet"
        }
    }

    /// No path of this program is known: only /proc has it.
    package static var noExecutable: SessionError {
        .system(call: "reading /proc/self/exe", reason: "is /proc mounted?")
    }

    /// The error of the system call that just failed.
    static func last(_ call: String) -> SessionError {
        .system(call: call, reason: errorText(errno))
    }
}

/// What a traced image said of itself, with the descriptors it handed over.
struct Hello {
    var image: UInt64
    var version: UInt32
    /// The sender in this process's pid namespace; 0 when the kernel did not say.
    var pid: pid_t
    var pipe: Int32
    var memory: Int32
    /// The program's file; -1 when it was not sent.
    var executable: Int32 = -1
}

/// The socket at which traced images announce themselves (SOCK_SEQPACKET, unix(7)).
struct Rendezvous: ~Copyable {
    let path: String
    let listener: Int32
    /// The same for programs that do not see the path, as those with a /tmp of their own; -1 where there is none.
    let listenerByName: Int32
    private let ownedDirectory: String?
    /// The file that the socket's name leads to.
    private let identity: (device: UInt64, inode: UInt64)

    /// Listens at `path`, or in a new private directory when it is nil.
    ///
    /// With `ownsDirectory` the directory of `path` was made for the socket and is removed with it.
    init(path: String?, ownsDirectory: Bool = false) throws(SessionError) {
        let directory = try path == nil ? makePrivateDirectory() : nil
        let place = path ?? (directory ?? "") + "/silt.sock"
        guard silt_free_socket_path(place.system) == 0 else { throw Rendezvous.obstacle(at: place) }
        let descriptor = silt_listen(place.system)
        guard descriptor >= 0 else { throw Rendezvous.obstacle(at: place) }
        var made = stat()
        guard lstat(place.system, &made) == 0 else {
            let error = SessionError.last("listening on \(place)")
            close(descriptor)
            throw error
        }
        identity = (UInt64(made.st_dev), UInt64(made.st_ino))
        self.path = place
        ownedDirectory = ownsDirectory ? place.lastIndex(of: "/").map { String(place[..<$0]) } : directory
        listener = descriptor
        listenerByName = silt_listen_by_name(place.system)
    }

    deinit {
        close(listener)
        if listenerByName >= 0 { close(listenerByName) }
        silt_remove_socket(path.system, identity.device, identity.inode)
        if let ownedDirectory { rmdir(ownedDirectory.system) }
    }

    /// Why there can be no socket at a path, after the call that said so.
    private static func obstacle(at path: String) -> SessionError {
        switch errno {
        case EADDRINUSE, EEXIST: .socketInUse(path: path)
        case ENOTSOCK: .notASocket(path: path)
        default: .last("listening on \(path)")
        }
    }

    /// Refuses who comes from now on.
    func leave() {
        unlink(path.system)
        shutdown(listener, Int32(SHUT_RDWR))
        if listenerByName >= 0 { shutdown(listenerByName, Int32(SHUT_RDWR)) }
    }

    /// What a look at a connection gave.
    enum Reading {
        case hello(Hello)
        /// A request of `TraceControl`.
        case control(String)
        /// The image cannot be recorded, and why.
        case untraceable(pid: pid_t, reason: String)
        /// A program that is not followed: what the image becomes, or has started; `pid` 0: not known.
        case untraced(pid: pid_t, program: String, reason: UntracedReason)
        /// It did not become the program after all.
        case untracedNot(pid: pid_t)
        /// An image that this process has no descriptors left for.
        case noRoom(pid: pid_t)
        case refused(String)
        case nothing
        case closed
    }

    /// Reads one hello from a connection, without waiting.
    static func read(connection: Int32) -> Reading {
        let size = MemoryLayout<silt_hello>.size
        var bytes = [UInt8](repeating: 0, count: max(size + Int(SILT_REFUSAL_TEXT), ControlText.limit))
        let message = bytes.withUnsafeMutableBytes { silt_receive(connection, $0.baseAddress, $0.count) }
        let payload = bytes.withUnsafeBytes { $0.loadUnaligned(as: silt_hello.self) }
        if message.bytes == 0 { return .closed }
        if message.bytes < 0 { return errno == EAGAIN ? .nothing : .closed }
        let descriptors = [message.fds.0, message.fds.1, message.fds.2, message.fds.3].prefix(Int(message.fd_count))
        func refuse(_ reason: String) -> Reading {
            for descriptor in descriptors { close(descriptor) }
            return .refused("process \(message.pid): \(reason)")
        }
        guard message.uid == getuid() || getuid() == 0 || message.pid == 0 else {
            return refuse("it is one of user \(message.uid)")
        }
        if bytes.starts(with: "silt-control".utf8), descriptors.isEmpty {
            return .control(String(decoding: bytes[..<message.bytes], as: UTF8.self))
        }
        guard message.bytes == size || (message.bytes > size && payload.kind == 2), payload.magic == SILT_MAGIC
        else { return refuse("it sent bytes that are no silt hello") }
        guard payload.version == SILT_WIRE_VERSION else {
            return refuse(
                "its preload library is another silt's (wire version \(payload.version), this is \(SILT_WIRE_VERSION))"
            )
        }
        if payload.kind == 2 {
            for descriptor in descriptors { close(descriptor) }
            let text = String(system: bytes[size..<max(size, message.bytes)])
            if payload.refusal == SILT_UNTRACED_NOT.rawValue {
                return .untracedNot(pid: untracedPid(payload, message.pid))
            }
            if let reason = UntracedReason(raw: payload.refusal) {
                return .untraced(pid: untracedPid(payload, message.pid), program: text, reason: reason)
            }
            return .untraceable(pid: message.pid, reason: refusal(payload.refusal, text))
        }
        if message.is_cut != 0 {
            for descriptor in descriptors { close(descriptor) }
            return .noRoom(pid: message.pid)
        }
        guard (2...3).contains(descriptors.count) else {
            return refuse("its hello came with \(descriptors.count) descriptors")
        }
        return .hello(
            Hello(
                image: payload.image,
                version: payload.version,
                pid: message.pid != 0 ? message.pid : pid_t(payload.pid),
                pipe: descriptors[0],
                memory: descriptors[1],
                executable: descriptors.count > 2 ? descriptors[2] : -1
            )
        )
    }
}

/// The process that a message about an untraced program speaks of, as this one counts; 0: not known.
///
/// Numbers mean the same on both sides if the sender's own does.
private func untracedPid(_ payload: silt_hello, _ sender: pid_t) -> pid_t {
    let (own, sent) = (UInt32(truncatingIfNeeded: payload.image), UInt32(truncatingIfNeeded: payload.image >> 32))
    if sent == UInt32(bitPattern: sender) { return pid_t(bitPattern: payload.pid) }
    return payload.pid == own && sent == own ? sender : 0
}

/// `enum silt_refusal` in words.
private func refusal(_ reason: UInt32, _ text: String) -> String {
    switch reason {
    case SILT_REFUSED_ADDRESS_SPACE.rawValue:
        "its memory is limited to less than silt needs beside it (RLIMIT_AS, RLIMIT_DATA, ulimit -v, -d; 64 MiB do)"
    case SILT_REFUSED_FILE_SIZE.rawValue:
        "its files are limited to less than the memory file takes (RLIMIT_FSIZE, ulimit -f; 8 MiB do)"
    case SILT_REFUSED_DESCRIPTORS.rawValue: "it has no file descriptors left (RLIMIT_NOFILE, ulimit -n)"
    case SILT_REFUSED_MALLOC.rawValue:
        "its malloc is that of \(text), which comes before the preload library, so its calls are not seen"
    default: "the kernel gave no memory for its events"
    }
}

/// A new directory, 0700, short enough for a socket address (108 bytes, unix(7)).
package func makePrivateDirectory() throws(SessionError) -> String {
    let runtime = Environment.value("XDG_RUNTIME_DIR")
    let parents = [runtime, "/tmp", "/var/tmp"].compactMap { $0 }.filter {
        $0.hasPrefix("/") && $0.systemBytes.count < 70
    }
    for parent in parents {
        var template = "\(parent)/silt-XXXXXX".system
        if mkdtemp(&template) != nil {
            return String(system: template.dropLast().map { UInt8(bitPattern: $0) })
        }
    }
    throw .noPrivateDirectory(tried: parents)
}
