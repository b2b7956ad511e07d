import Foundation
import SiltTestSupport

/// A listener that answers its first connection with given bytes, on a Unix socket; or one on TCP that answers none.
final class RawServer: Sendable {
    let path: String
    let port: Int
    private let folder: ScratchFolder
    private let listener: Int32
    private let thread = DispatchGroup()

    /// Listens on a Unix socket; with a `backlog` on a TCP port of 127.0.0.1 instead.
    ///
    /// Without an answer the connection is accepted by the kernel and nothing is ever said.
    init(answer: [UInt8]?, backlog: Int32? = nil) throws {
        folder = try ScratchFolder()
        path = folder.file("raw.sock")
        if let backlog {
            (listener, port) = try RawServer.listenTCP(backlog: backlog)
        } else {
            (listener, port) = (try RawServer.listenUnix(path), 0)
        }
        guard let answer else { return }
        let listener = self.listener
        DispatchQueue.global().async(group: thread) { RawServer.serve(listener, answer) }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        thread.wait()
        close(listener)
    }

    /// Starts a connection to the TCP port and does not wait for it; returns the descriptor.
    func beginConnection() -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        _ = withLoopback(port: port) { connect(descriptor, $0, $1) }
        return descriptor
    }

    private static func serve(_ listener: Int32, _ answer: [UInt8]) {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        var request = [UInt8](repeating: 0, count: 4096)
        _ = recv(connection, &request, request.count, 0)
        var sent = 0
        while sent < answer.count {
            let count = answer.withUnsafeBytes { bytes in
                send(connection, bytes.baseAddress.map { $0 + sent }, answer.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        close(connection)
    }

    private static func listenUnix(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(descriptor, 5) == 0 else { throw TestSetupError(description: "no socket at \(path)") }
        return descriptor
    }

    private static func listenTCP(backlog: Int32) throws -> (Int32, Int) {
        let (descriptor, port) = (tcpSocket(), try freePort())
        guard withLoopback(port: port, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, backlog) == 0 else {
            throw TestSetupError(description: "no TCP port")
        }
        return (descriptor, port)
    }
}
