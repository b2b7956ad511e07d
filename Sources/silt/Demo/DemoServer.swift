internal import Glibc
internal import SiltSystem
internal import SiltText

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
    private var nextHeartbeat = Clock.monotonicSeconds
    private var oldestProfile = 0

    /// Serves loopback until `/quit` is asked for; writes the port into `portFile`, if there is one, once it listens.
    ///
    /// `port`: 0: any that is free. Returns an exit status.
    static func serve(port: UInt16, portFile: String?) -> Int32 {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let ready = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard ready else {
            Terminal.message(.noDemoPort(port, errorText(errno)))
            return 1
        }
        if let portFile {
            do {
                try FileBytes.replace(portFile, with: "\(UInt16(bigEndian: address.sin_port))")
            } catch {
                Terminal.message(.noPortFile(portFile, error))
                return 1
            }
        }
        var server = DemoServer()
        server.loadTable()
        while server.serveOne(listener) {}
        return 0
    }

    /// Waits for one request at most until the next heartbeat; false after `/quit`.
    private mutating func serveOne(_ listener: Int32) -> Bool {
        while Clock.monotonicSeconds >= nextHeartbeat {
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
