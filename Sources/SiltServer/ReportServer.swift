internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// Why a server cannot be started; the text says what to do.
package struct ServerError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// Serves a report over HTTP: pages, profiles, metrics.
package final class ReportServer {
    /// As `http://127.0.0.1:6070/`, or `unix:PATH`.
    package let address: String
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let socketPath: String?

    /// Connections beyond these take the place of the one that has waited longest for its request to come.
    static let maximumConnections = 64
    /// Seconds in which a connection has to ask for something, or to take an answer.
    static let patience: Int64 = 30
    /// Seconds in which the first request of a connection has to come, whole.
    static let firstRequestPatience: Int64 = 10

    /// `token`: what requests must carry; needed for an address that is not loopback's.
    package init(_ source: ReportSource, at address: ServerAddress, token: String? = nil) throws(ServerError) {
        if case .network = address, token?.isEmpty ?? true {
            throw ServerError(
                "an address that others can reach needs a token: put one into SILT_TOKEN, and send it as Authorization: Bearer"
            )
        }
        let group = withoutSignals { MultiThreadedEventLoopGroup(numberOfThreads: 1) }
        let shared = SharedState(source: source, access: Access(address, token: token))
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard shared.connections.admit(channel, upTo: ReportServer.maximumConnections) else {
                        throw ServerError("at most \(ReportServer.maximumConnections) connections are served")
                    }
                    channel.closeFuture.whenComplete { _ in shared.connections.remove(channel) }
                    try channel.pipeline.syncOperations.addHandler(
                        IdleStateHandler(allTimeout: .seconds(ReportServer.patience))
                    )
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(RequestHandler(shared, loop: channel.eventLoop))
                }
            }
        self.group = group
        do {
            switch address {
            case .loopback(let port):
                channel = try bootstrap.bind(host: "127.0.0.1", port: port).wait()
                socketPath = nil
                self.address = "http://127.0.0.1:\(channel.localAddress?.port ?? port)/"
            case .network(let host, let port):
                channel = try bootstrap.bind(host: host, port: port).wait()
                socketPath = nil
                self.address = "http://\(host):\(channel.localAddress?.port ?? port)/"
            case .unix(let path):
                let mask = umask(0o077)
                defer { umask(mask) }
                channel = try bootstrap.bind(unixDomainSocketPath: path).wait()
                socketPath = path
                self.address = "unix:" + path
            }
        } catch {
            throw ServerError("cannot listen at \(address.words): \(error)")
        }
    }

    /// Ends it; answers that are under way are still sent, for a second.
    package func stop() {
        channel.close(promise: nil)
        if let socketPath { unlink(socketPath) }
        group.shutdownGracefully { _ in }
    }
}

extension ServerAddress {
    fileprivate var words: String {
        switch self {
        case .loopback(let port): "127.0.0.1:\(port)"
        case .network(let host, let port): "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

/// What all connections share.
final class SharedState: Sendable {
    let source: ReportSource
    let access: Access
    let connections = Connections()
    /// Pages that wait for news.
    let listeners = Mutex(0)

    init(source: ReportSource, access: Access) {
        self.source = source
        self.access = access
    }
}

extension Mutex<Int> {
    /// One more, if that is not too many.
    func take(upTo most: Int) -> Bool {
        withLock { count in
            guard count < most else { return false }
            count += 1
            return true
        }
    }
}
