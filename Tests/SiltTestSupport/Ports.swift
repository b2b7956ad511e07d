import Foundation
import Synchronization

private let handedOut = Mutex<Set<Int>>([])

/// A port of loopback that nobody listens at now.
///
/// Below those that the kernel hands out to connections (ip(7), ip_local_port_range): other tests connect meanwhile.
package func freePort() throws -> Int {
    for _ in 0..<100 {
        let port = Int.random(in: 10_000..<20_000)
        // Who got it before may not listen yet.
        guard handedOut.withLock({ $0.insert(port).inserted }) else { continue }
        let descriptor = tcpSocket()
        defer { close(descriptor) }
        if withLoopback(port: port, { bind(descriptor, $0, $1) }) == 0 { return port }
    }
    throw TestSetupError(description: "no free port")
}

/// Whether somebody listens at that port of loopback.
package func connects(port: Int) -> Bool {
    let descriptor = tcpSocket()
    defer { close(descriptor) }
    return withLoopback(port: port) { connect(descriptor, $0, $1) } == 0
}

package func tcpSocket() -> Int32 { socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }

/// Calls connect(2) or bind(2) with the address of loopback at that port.
package func withLoopback(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// Waits for a file or the socket of a server.
package func waitForFile(_ path: String) throws {
    try waitUntil("\(path) exists") { FileManager.default.fileExists(atPath: path) }
}

/// Asks every 5 ms; throws after a minute.
package func waitUntil(_ what: String, _ isTrue: () throws -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: 60)
    while try !isTrue() {
        guard Date() < deadline else { throw TestSetupError(description: "not within a minute: \(what)") }
        usleep(5000)
    }
}
