internal import Glibc

/// The server that `silt demo` traces: a small HTTP service with two leaks and three innocent habits.
///
/// - `/orders` keeps a 1,000-byte note of every order in a global list: the route leak.
/// - a heartbeat keeps 64 bytes ten times a second: the idle leak.
/// - `/users` fills a cache that never holds more than 200 profiles: grows, then stops.
/// - `/search` builds 20 results and drops them: churn.
/// - start-up loads a table of 2,000 rows and keeps it: one-time.
struct DemoServer {
    private var orderNotes: [UnsafeMutableRawPointer] = []
    private var heartbeats: [UnsafeMutableRawPointer] = []
    private var profiles: [UnsafeMutableRawPointer] = []
    private var table: [UnsafeMutableRawPointer] = []
    private var nextHeartbeat = monotonicSeconds()
    private var oldestProfile = 0

    /// Serves loopback until `/quit` is asked for; writes the port into `portFile` once it listens.
    static func serve(portFile: String) -> Int32 {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let ready = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard ready, writeFile(portFile, "\(UInt16(bigEndian: address.sin_port))\n") else { return 1 }
        var server = DemoServer()
        server.loadTable()
        while server.serveOne(listener) {}
        return 0
    }

    /// Waits for one request at most until the next heartbeat; false after `/quit`.
    private mutating func serveOne(_ listener: Int32) -> Bool {
        while monotonicSeconds() >= nextHeartbeat {
            recordHeartbeat()
            nextHeartbeat += 0.1
        }
        var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 100) > 0 else { return true }
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return true }
        defer { close(connection) }
        var request = [UInt8](repeating: 0, count: 1024)
        let got = read(connection, &request, request.count)
        let path = String(
            decoding: request.prefix(max(got, 0)).drop { $0 != 32 }.dropFirst().prefix { $0 != 32 },
            as: UTF8.self
        )
        switch path {
        case "/orders": handleOrder()
        case "/users": handleUser()
        case "/search": handleSearch()
        case "/quit": return false
        default: break
        }
        let answer = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
        return write(connection, answer, answer.utf8.count) >= 0
    }

    @inline(never)
    private mutating func loadTable() {
        for _ in 0..<2000 { table.append(filled(48)) }
    }

    @inline(never)
    private mutating func recordHeartbeat() {
        heartbeats.append(filled(64))
    }

    @inline(never)
    private mutating func handleOrder() {
        let draft = filled(300)
        orderNotes.append(filled(1000))  // nobody ever takes it out again
        free(draft)
    }

    @inline(never)
    private mutating func handleUser() {
        let profile = filled(2048)
        if profiles.count < 200 {
            profiles.append(profile)
        } else {
            free(profiles[oldestProfile])
            profiles[oldestProfile] = profile
            oldestProfile = (oldestProfile + 1) % 200
        }
    }

    @inline(never)
    private mutating func handleSearch() {
        let results = (0..<20).map { filled(100 + $0) }
        for result in results { free(result) }
    }

    /// A block of that many bytes from malloc, written to.
    @inline(never)
    private func filled(_ bytes: Int) -> UnsafeMutableRawPointer {
        guard let block = malloc(bytes) else { abort() }
        memset(block, 0x5a, bytes)
        return block
    }
}

/// The load that `silt demo` puts on its server: each route in turn, at a steady pace, then `/quit`.
enum DemoLoad {
    /// Waits for the port file, loads the server for `seconds`, then ends it.
    ///
    /// Returns an exit status.
    static func run(portFile: String, seconds: Double, requestsPerSecond: Double) -> Int32 {
        var port: UInt16?
        let patience = monotonicSeconds() + 20
        while port == nil, monotonicSeconds() < patience {
            port = readFile(portFile).flatMap { UInt16($0.filter(\.isNumber)) }
            if port == nil { usleep(20_000) }
        }
        guard let port else { return 1 }
        let routes = ["/orders", "/users", "/search", "/users", "/search"]
        let start = monotonicSeconds()
        var sent = 0
        while monotonicSeconds() - start < seconds {
            guard get(routes[sent % routes.count], port) else { return 1 }
            sent += 1
            let ahead = Double(sent) / requestsPerSecond - (monotonicSeconds() - start)
            if ahead > 0 { usleep(UInt32(ahead * 1e6)) }
        }
        return get("/quit", port) ? 0 : 1
    }

    private static func get(_ path: String, _ port: UInt16) -> Bool {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(connection) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        let request = "GET \(path) HTTP/1.0\r\n\r\n"
        guard connected, write(connection, request, request.utf8.count) > 0 else { return false }
        var answer = [UInt8](repeating: 0, count: 256)
        while read(connection, &answer, answer.count) > 0 {}
        return true
    }
}

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

private func writeFile(_ path: String, _ text: String) -> Bool {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return write(descriptor, text, text.utf8.count) == text.utf8.count
}

private func readFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let got = read(descriptor, &bytes, bytes.count)
    guard got > 0, bytes[got - 1] == 10 else { return nil }
    return String(decoding: bytes.prefix(got), as: UTF8.self)
}
