internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
package import SiltPprof

/// Fetches profiles from a service while it runs.
package struct PprofEndpoint: Sendable {
    package let address: PprofAddress
    package var connectSeconds = 5
    /// For the whole exchange, the service's garbage collection included.
    package var totalSeconds = 30
    package var limits = PprofLimits()

    package init(_ address: PprofAddress) { self.address = address }

    /// Fetches and reads one profile; blocks until it is there.
    package func fetch(_ kind: PprofKind) throws(HTTPError) -> PprofProfile {
        let bytes = try fetchBytes(kind)
        do {
            return try PprofProfile(reading: bytes, limits: limits)
        } catch {
            throw .badProfile(address.description(kind), error)
        }
    }

    /// Sums what a profile that was fetched says to be in use.
    package func inUse(of profile: PprofProfile, _ kind: PprofKind) throws(HTTPError) -> PprofInUse {
        do {
            return try profile.inUse()
        } catch {
            throw .badProfile(address.description(kind), error)
        }
    }

    /// Fetches the bytes of one profile as the service sends them; blocks until they are there.
    package func fetchBytes(_ kind: PprofKind) throws(HTTPError) -> [UInt8] { try request(kind, .GET, body: []) }

    /// Asks Go's net/http/pprof for the functions at code addresses; those it does not know are left out.
    package func fetchFunctions(at addresses: [UInt64]) throws(HTTPError) -> [UInt64: String] {
        let question = addresses.map { "0x" + String($0, radix: 16) }.joined(separator: "+")
        let answer = try request(.symbol, .POST, body: [UInt8](question.utf8))
        var functions: [UInt64: String] = [:]
        for line in String(decoding: answer, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let address = UInt64(parts[0].dropFirst(2), radix: 16) else { continue }
            functions[address] = String(parts[1])
        }
        return functions
    }

    private func request(_ kind: PprofKind, _ method: HTTPMethod, body: [UInt8]) throws(HTTPError) -> [UInt8] {
        let name = address.description(kind)
        var head = requestHead(kind)
        head.method = method
        if !body.isEmpty { head.headers.add(name: "Content-Length", value: "\(body.count)") }
        let answer: HTTPAnswer
        do {
            answer = try exchange(head, body: body).wait()
        } catch {
            throw describe(error, name)
        }
        return try content(of: answer, name)
    }

    /// Sends bytes to a path of the service; blocks until it has taken them (any status of 200 to 299), returns its answer.
    package func post(
        _ bytes: [UInt8],
        to path: String,
        headers: [(String, String)]
    ) throws(HTTPError) -> [UInt8] {
        let name = "\(address.host)\(path)"
        let own = [
            ("Host", address.host), ("User-Agent", "silt"), ("Connection", "close"),
            ("Content-Length", "\(bytes.count)"),
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: path, headers: HTTPHeaders(own + headers))
        let answer: HTTPAnswer
        do {
            answer = try exchange(head, body: bytes).wait()
        } catch {
            throw describe(error, name)
        }
        return (200..<300).contains(answer.status) ? answer.body : try content(of: answer, name)
    }

    /// One thread for all exchanges, kept: a name look-up can outlive the deadline, and must find its loop then.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// One request on a connection of its own, under a deadline.
    private func exchange(_ head: HTTPRequestHead, body: [UInt8]) -> EventLoopFuture<HTTPAnswer> {
        let loop = PprofEndpoint.group.next()
        let promise = loop.makePromise(of: HTTPAnswer.self)
        let deadline = loop.scheduleTask(in: .seconds(Int64(totalSeconds))) { promise.fail(DeadlineError()) }
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(.seconds(Int64(connectSeconds)))
        let connection: EventLoopFuture<any Channel> =
            switch address.place {
            case .internet(let host, let port): bootstrap.connect(host: host, port: port)
            case .unixSocket(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connection.whenComplete { connected in
            switch connected {
            case .success(let channel):
                send(head, body, on: channel, promise)
            case .failure(let error):
                promise.fail(ConnectError(underlying: error))
            }
        }
        promise.futureResult.whenComplete { _ in deadline.cancel() }
        return promise.futureResult
    }

    /// Runs on the connection's loop; of several addresses tried at once only the one that was taken gets here.
    private func send(
        _ head: HTTPRequestHead,
        _ body: [UInt8],
        on channel: any Channel,
        _ promise: EventLoopPromise<HTTPAnswer>
    ) {
        promise.futureResult.whenFailure { _ in channel.close(promise: nil) }
        do {
            if address.isSecure, case .internet(let host, _) = address.place {
                try channel.pipeline.syncOperations.addHandler(TLSClient.handler(host: host))
            }
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            try channel.pipeline.syncOperations.addHandler(HTTPAnswerHandler(promise, limit: limits.bytes))
        } catch {
            return promise.fail(error)
        }
        channel.write(HTTPClientRequestPart.head(head)).cascadeFailure(to: promise)
        if !body.isEmpty {
            let part = HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body)))
            channel.write(part).cascadeFailure(to: promise)
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil)).cascadeFailure(to: promise)
    }

    private func requestHead(_ kind: PprofKind) -> HTTPRequestHead {
        HTTPRequestHead(
            version: .http1_1,
            method: .GET,
            uri: address.target(kind),
            headers: [
                "Host": address.host, "Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "silt",
                "Connection": "close",
            ]
        )
    }

    private func content(of answer: HTTPAnswer, _ name: String) throws(HTTPError) -> [UInt8] {
        switch answer.status {
        case 200:
            return answer.body
        case 300..<400:
            throw .refused(name, status: answer.status, detail: answer.location)
        default:
            throw .refused(name, status: answer.status, detail: answer.firstLine)
        }
    }

    private func describe(_ error: any Error, _ name: String) -> HTTPError {
        if let reason = TLSClient.reason(of: error) { return .notSecure(name, reason: reason) }
        return switch error {
        case is LengthError: .tooLong(name, limit: limits.bytes)
        case is DeadlineError: .timedOut(name, seconds: totalSeconds)
        case let error as ConnectError: describeConnect(error.underlying, name)
        case let error as IOError: .badAnswer(name, reason: systemMessage(error.errnoCode))
        case is ChannelError: .badAnswer(name, reason: "closed at once")
        case is HTTPParserError: .badAnswer(name, reason: "not HTTP, or cut off")
        default: .badAnswer(name, reason: "\(error)")
        }
    }

    private func describeConnect(_ error: any Error, _ name: String) -> HTTPError {
        switch error {
        case is ChannelError:
            return .timedOut(name, seconds: connectSeconds)
        case let error as NIOConnectionError:
            guard let first = error.connectionErrors.first else {
                return .cannotConnect(name, reason: "no address is known for this host")
            }
            return describeConnect(first.error, name)
        case let error as IOError:
            return .cannotConnect(name, reason: systemMessage(error.errnoCode))
        default:
            return .cannotConnect(name, reason: "\(error)")
        }
    }
}

/// The whole exchange took too long.
private struct DeadlineError: Error {}

/// No connection came about.
private struct ConnectError: Error {
    let underlying: any Error
}

/// What the system calls an error number.
private func systemMessage(_ number: Int32) -> String { String(cString: strerror(number)) }
