import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Connections that take their time hold up nobody else.
    @Suite(.serialized)
    struct SlowAskers {
        private func connect(_ port: Int) throws -> Int32 {
            let descriptor = tcpSocket()
            guard withLoopback(port: port, { Foundation.connect(descriptor, $0, $1) }) == 0 else {
                throw TestSetupError(description: "cannot connect to \(port)")
            }
            var time = timeval(tv_sec: 30, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
            return descriptor
        }

        private func write(_ descriptor: Int32, _ text: String) -> Bool {
            send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) == text.utf8.count
        }

        private func read(_ descriptor: Int32) -> String {
            var bytes = [UInt8](repeating: 0, count: 512)
            let got = recv(descriptor, &bytes, bytes.count, 0)
            return String(decoding: bytes.prefix(max(0, got)), as: UTF8.self)
        }

        @Test func headersThatDripAreCutAndOthersAreAnsweredMeanwhile() throws {
            let folder = try ScratchFolder()
            let port = try freePort()
            let recording = try EndToEnd.growthRecording.get().path
            let server = try StartedProgram([siltExecutable, "serve", recording, "--at", "\(port)"])
            defer { server.end() }
            try waitUntil("the server listens in \(folder.path)") { connects(port: port) }
            var slow: [Int32] = []
            defer { for descriptor in slow { close(descriptor) } }
            for _ in 0..<80 {
                let descriptor = try connect(port)
                slow.append(descriptor)
                _ = write(descriptor, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
            }
            let began = Date()
            var cut = 0
            while Date().timeIntervalSince(began) < 30 {
                let asker = try connect(port)
                #expect(write(asker, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"))
                #expect(read(asker).hasPrefix("HTTP/1.1 200"))
                close(asker)
                cut = slow.count { !write($0, "a") }
                if cut == slow.count { break }
                usleep(500_000)
            }
            #expect(cut == slow.count, "the deadline cuts all that drip")
        }

        @Test func aConnectionThatIsKeptIsAskedAgain() throws {
            let port = try freePort()
            let server = try StartedProgram([
                siltExecutable, "serve", try EndToEnd.growthRecording.get().path, "--at", "\(port)",
            ])
            defer { server.end() }
            try waitUntil("the server listens") { connects(port: port) }
            let asker = try connect(port)
            defer { close(asker) }
            for pause in [0, 0, 11] {
                sleep(UInt32(pause))
                #expect(write(asker, "HEAD /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
                #expect(read(asker).hasPrefix("HTTP/1.1 200"))
            }
        }
    }
}
