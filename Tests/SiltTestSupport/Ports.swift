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
        do {
            return try withSocketAddress(port: port) { descriptor, address, length in
                guard bind(descriptor, address, length) == 0 else { throw TestSetupError(description: "taken") }
            }
        } catch is TestSetupError {
            continue
        }
    }
    throw TestSetupError(description: "no free port")
}

/// Whether somebody listens at that port of loopback.
package func connects(port: Int) -> Bool {
    do {
        _ = try withSocketAddress(port: port) { descriptor, address, length in
            guard connect(descriptor, address, length) == 0 else { throw TestSetupError(description: "refused") }
        }
        return true
    } catch {
        return false
    }
}

/// Calls the body with a TCP socket and the address of loopback at that port; returns the port in the address after it.
private func withSocketAddress(
    port: Int,
    _ body: (Int32, UnsafeMutablePointer<sockaddr>, inout socklen_t) throws -> Void
) throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try withUnsafeMutablePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body(descriptor, $0, &length) }
    }
    return Int(UInt16(bigEndian: address.sin_port))
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
