internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// One connection: a request at a time, each answered whole, or with events until the asker goes.
final class RequestHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let shared: SharedState
    private let state: NIOLoopBoundBox<State>

    private struct State {
        var head: HTTPRequestHead?
        var bodyBytes = 0
        var isListening = false
        var isBusy = false
        /// Closes the connection when no whole request comes in time.
        var deadline: Scheduled<Void>?
    }

    /// A request has nothing to say in its body.
    private static let maximumBodyBytes = 65_536
    /// Pages that are kept up to date at once.
    private static let maximumListeners = 16
    /// Seconds between two looks for news.
    private static let newsPeriod: Int64 = 1

    /// To be called on the connection's loop.
    init(_ shared: SharedState, loop: any EventLoop) {
        self.shared = shared
        state = NIOLoopBoundBox(State(), eventLoop: loop)
    }

    func channelActive(context: ChannelHandlerContext) {
        awaitRequest(context, seconds: ReportServer.firstRequestPatience)
        context.fireChannelActive()
    }

    /// A request, its body included, comes within that time, however busily its bytes drip in.
    private func awaitRequest(_ context: ChannelHandlerContext, seconds: Int64) {
        let channel = context.channel
        state.value.deadline?.cancel()
        state.value.deadline = context.eventLoop.scheduleTask(in: .seconds(seconds)) { channel.close(promise: nil) }
        shared.connections.set(channel, isWaiting: true)
    }

    private func stopAwaiting(_ context: ChannelHandlerContext) {
        state.value.deadline?.cancel()
        state.value.deadline = nil
        shared.connections.set(context.channel, isWaiting: false)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Requests that waited behind an answer are handed over when the pipeline is taken down, too: nobody waits for
        // them, and a second answer inside an unfinished one would end the process.
        guard context.channel.isActive else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            state.value.head = head
            state.value.bodyBytes = 0
        case .body(let buffer):
            state.value.bodyBytes += buffer.readableBytes
            guard state.value.bodyBytes > Self.maximumBodyBytes, let head = state.value.head else { return }
            state.value.head = nil
            send(Answer(status: 413, "a request needs no body\n"), to: head, context, closes: true)
        case .end:
            guard let head = state.value.head else { return }
            state.value.head = nil
            stopAwaiting(context)
            respond(to: head, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
        // Who waits for a profile of some seconds, or for news, is not idle.
        if !state.value.isBusy, !state.value.isListening { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        stopAwaiting(context)
        if state.value.isListening { shared.listeners.withLock { $0 -= 1 } }
        state.value.isListening = false
        context.fireChannelInactive()
    }

    // MARK: Requests

    private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let route = Route(head.uri)
        guard head.method == .GET || head.method == .HEAD || head.method == .POST && route == .symbols else {
            return send(Answer(status: 405, "GET and HEAD alone are answered\n"), to: head, context)
        }
        let refusal = shared.access.refusal(
            host: head.headers.first(name: "host"),
            origin: head.headers.first(name: "origin"),
            authorization: head.headers.first(name: "authorization")
        )
        switch refusal {
        case .host: return send(Answer(status: 403, "the Host of this server is localhost\n"), to: head, context)
        case .origin: return send(Answer(status: 403, "other sites get no answer\n"), to: head, context)
        case .token:
            return send(Answer(status: 401, "Authorization: Bearer and the token are needed\n"), to: head, context)
        case nil: break
        }
        switch route {
        case .events: listen(head, context)
        case .profile(_, _, let seconds?): finish(difference(seconds, context.eventLoop), head, context)
        case .nothing: send(Answer(status: 404, Answer.missing), to: head, context)
        case .badQuery(let problem): send(Answer(status: 400, problem + "\n"), to: head, context)
        case .page, .pageData, .output, .metrics, .index, .symbols, .profile:
            finish(ofReport(context.eventLoop) { try Answer(route, $0) }, head, context)
        }
    }

    /// Reports are made and written down on other threads than the one that serves.
    private func ofReport<Result: Sendable>(
        _ loop: any EventLoop,
        _ body: @escaping @Sendable (ReportSource.Current) throws -> Result
    ) -> EventLoopFuture<Result> {
        let source = shared.source
        return NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try body(source.current()) }
    }

    /// What comes in that many seconds.
    private func difference(_ seconds: Int, _ loop: any EventLoop) -> EventLoopFuture<Answer> {
        ofReport(loop) { $0 }.flatMap { before in
            let promise = loop.makePromise(of: Answer.self)
            loop.scheduleTask(in: .seconds(Int64(seconds))) {
                self.ofReport(loop) { try Answer(from: before, to: $0) }.cascade(to: promise)
            }
            return promise.futureResult
        }
    }

    private func finish(_ answer: EventLoopFuture<Answer>, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        state.value.isBusy = true
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        answer.whenComplete { result in
            self.state.value.isBusy = false
            switch result {
            case .success(let answer): self.send(answer, to: head, bound.value)
            case .failure(let error): self.send(Answer(status: 503, "\(error)\n"), to: head, bound.value)
            }
        }
    }

    // MARK: Events

    /// Server-sent events: `update` whenever there is a new report.
    private func listen(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard head.method == .GET else { return send(Answer(type: "text/event-stream", ""), to: head, context) }
        guard shared.listeners.take(upTo: Self.maximumListeners) else {
            return send(Answer(status: 503, "too many pages are open\n"), to: head, context)
        }
        state.value.isListening = true
        var answer = HTTPResponseHead(version: head.version, status: .ok)
        answer.headers.add(name: "content-type", value: "text/event-stream")
        answer.headers.add(name: "cache-control", value: "no-store")
        context.writeAndFlush(wrapOutboundOut(.head(answer)), promise: nil)
        look(after: nil, NIOLoopBound(context, eventLoop: context.eventLoop))
    }

    private func look(after last: Int?, _ context: NIOLoopBound<ChannelHandlerContext>) {
        let loop = context.value.eventLoop
        ofReport(loop) { $0.number }.whenComplete { result in
            guard self.state.value.isListening, context.value.channel.isActive else { return }
            // 0: none can be made now. That is news, too: who asks then is told why.
            let number = (try? result.get()) ?? 0
            // Something is written each time: so it is seen when the reader has gone.
            let text = last != nil && number != last ? "event: update\ndata: \(number)\n\n" : ":\n\n"
            var buffer = context.value.channel.allocator.buffer(capacity: text.utf8.count)
            buffer.writeString(text)
            context.value.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
            loop.scheduleTask(in: .seconds(Self.newsPeriod)) { self.look(after: number, context) }
        }
    }

    // MARK: Answers

    private func send(
        _ answer: Answer,
        to head: HTTPRequestHead,
        _ context: ChannelHandlerContext,
        closes: Bool = false
    ) {
        let closes = closes || !head.isKeepAlive
        var response = HTTPResponseHead(version: head.version, status: HTTPResponseStatus(statusCode: answer.status))
        response.headers.add(name: "content-type", value: answer.type)
        response.headers.add(name: "content-length", value: "\(answer.body.count)")
        response.headers.add(name: "cache-control", value: "no-store")
        response.headers.add(name: "x-content-type-options", value: "nosniff")
        if answer.status == 405 { response.headers.add(name: "allow", value: "GET, HEAD") }
        if answer.status == 401 { response.headers.add(name: "www-authenticate", value: "Bearer") }
        if closes { response.headers.add(name: "connection", value: "close") }
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if head.method != .HEAD {
            var buffer = context.channel.allocator.buffer(capacity: answer.body.count)
            buffer.writeBytes(answer.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        }
        let done = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        done.futureResult.whenComplete { _ in
            if closes || !bound.value.channel.isActive {
                bound.value.close(promise: nil)
            } else {
                self.awaitRequest(bound.value, seconds: ReportServer.patience)
            }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: done)
    }
}
