internal import Glibc
internal import NIOCore
internal import NIOHTTP1

/// A server's answer to one request.
struct HTTPAnswer: Sendable {
    var status: Int
    /// Where a redirect leads; empty: the header is not there.
    var location: String
    var body: [UInt8] = []

    /// The first line of a body that is text, cut to 120 bytes.
    var firstLine: String {
        let line = body.prefix(120).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard line.allSatisfy({ $0 >= 0x20 }) else { return "" }
        return String(decoding: line, as: UTF8.self)
    }
}

/// Collects one answer, up to a limit, and closes the connection.
final class HTTPAnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<HTTPAnswer>
    private let limit: Int
    private var answer: HTTPAnswer?

    init(_ promise: EventLoopPromise<HTTPAnswer>, limit: Int) {
        self.promise = promise
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            answer = HTTPAnswer(status: Int(head.status.code), location: head.headers.first(name: "Location") ?? "")
        case .body(let part):
            answer?.body += part.readableBytesView
            if let size = answer?.body.count, size > limit {
                fail(LengthError(), context)
            }
        case .end:
            if let answer { promise.succeed(answer) }
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error, context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(IOError(errnoCode: ECONNRESET, reason: "closed"), context)
        context.fireChannelInactive()
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        promise.fail(error)
        context.close(promise: nil)
    }
}

/// The answer is longer than the limit.
struct LengthError: Error {}
