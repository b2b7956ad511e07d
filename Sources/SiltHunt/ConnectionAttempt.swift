internal import Glibc
internal import SiltPlan
internal import SiltText

/// A place to connect to.
struct SocketPlace {
    var family: Int32
    var address: sockaddr_storage
    var length: socklen_t

    /// What a host and port stand for (getaddrinfo(3)), in the order of preference; never empty.
    static func resolve(host: String, port: UInt16) throws(HuntError) -> [SocketPlace] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, "\(port)", &hints, &list)
        guard status == 0 else {
            throw .system(call: "looking up \(host)", reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(list) }
        var places: [SocketPlace] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr, Int(entry.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size else {
                continue
            }
            var place = SocketPlace(family: entry.ai_family, address: sockaddr_storage(), length: entry.ai_addrlen)
            memcpy(&place.address, address, Int(entry.ai_addrlen))
            places.append(place)
        }
        guard !places.isEmpty else { throw .system(call: "looking up \(host)", reason: "no address") }
        return places
    }

    /// A Unix socket (unix(7)).
    static func unix(path: String) throws(HuntError) -> SocketPlace {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .system(call: path, reason: "too long for a socket's path")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        var place = SocketPlace(
            family: AF_UNIX,
            address: sockaddr_storage(),
            length: socklen_t(MemoryLayout<sockaddr_un>.size)
        )
        memcpy(&place.address, &address, MemoryLayout<sockaddr_un>.size)
        return place
    }
}

/// One try to connect, and to be answered when there is something to ask; closed with the value.
final class ConnectionAttempt {
    enum State: Equatable {
        case underWay
        /// Connected, or answered with that HTTP status.
        case succeeded(httpStatus: Int?)
        case failed(String)
    }

    private let descriptor: Int32
    private var isConnected: Bool
    private var question: [UInt8]
    private let isHTTP: Bool
    private var answer: [UInt8] = []
    private(set) var state = State.underWay

    /// Begins to connect; `request` is sent then, and the status line of an HTTP answer waited for.
    init(to place: SocketPlace, request: String? = nil) {
        question = Array((request ?? "").utf8)
        isHTTP = request != nil
        descriptor = socket(
            place.family,
            Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue),
            0
        )
        var address = place.address
        let descriptor = descriptor
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, place.length) }
        }
        isConnected = result == 0
        if result != 0, errno != EINPROGRESS { state = .failed(errorText(errno)) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Goes on without waiting.
    func advance() {
        guard state == .underWay else { return }
        var watched = pollfd(fd: descriptor, events: Int16(isAsked ? POLLIN : POLLOUT), revents: 0)
        guard poll(&watched, 1, 0) > 0 else { return }
        if !isConnected {
            var problem: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &size)
            guard problem == 0 else {
                state = .failed(errorText(problem))
                return
            }
            isConnected = true
        }
        guard isHTTP else {
            state = .succeeded(httpStatus: nil)
            return
        }
        if isAsked { readAnswer() } else { ask() }
    }

    private var isAsked: Bool { isConnected && isHTTP && question.isEmpty }

    private func ask() {
        let sent = send(descriptor, question, question.count, Int32(MSG_NOSIGNAL))
        if sent > 0 {
            question.removeFirst(sent)
        } else if errno != EAGAIN, errno != EINTR {
            state = .failed(errorText(errno))
        }
    }

    private func readAnswer() {
        var buffer = [UInt8](repeating: 0, count: 1024)
        let got = recv(descriptor, &buffer, buffer.count, 0)
        if got < 0, errno == EAGAIN || errno == EINTR { return }
        guard got > 0 else {
            state = .failed(got == 0 ? "it closed the connection without an answer" : errorText(errno))
            return
        }
        answer += buffer.prefix(got)
        guard let end = answer.firstIndex(of: UInt8(ascii: "\n")) else {
            if answer.count > 4096 { state = .failed("its answer is no HTTP") }
            return
        }
        let words = String(decoding: answer[..<end], as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[0].hasPrefix("HTTP/"), let status = Int(count: words[1]) else {
            state = .failed("its answer is no HTTP")
            return
        }
        state = .succeeded(httpStatus: status)
    }
}
