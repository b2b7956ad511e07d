internal import Glibc
internal import SiltSystem

/// The load that `silt demo` puts on its server: each route in turn, at a steady pace, then `/quit`.
enum DemoLoad {
    /// Waits for the port file, loads the server for `seconds`, then ends it.
    ///
    /// Returns an exit status.
    static func run(portFile: String, seconds: Double, requestsPerSecond: Double) -> Int32 {
        var port: UInt16?
        let patience = Clock.monotonicSeconds + 20
        while port == nil, Clock.monotonicSeconds < patience {
            // Not there yet, as a rule.
            let text = FileBytes.read(ifThere: portFile).map { String(decoding: $0, as: UTF8.self) }
            port = text.flatMap { UInt16($0) }
            if port == nil { usleep(20_000) }
        }
        guard let port else { return 1 }
        let routes = ["/orders", "/users", "/search", "/users", "/search"]
        let start = Clock.monotonicSeconds
        var sent = 0
        while Clock.monotonicSeconds - start < seconds {
            guard get(routes[sent % routes.count], port) else { return 1 }
            sent += 1
            let ahead = Double(sent) / requestsPerSecond - (Clock.monotonicSeconds - start)
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
