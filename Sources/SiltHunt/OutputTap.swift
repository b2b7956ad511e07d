internal import CSiltSystem
internal import Glibc
package import SiltPlan
internal import SiltText

/// Reads the service's standard output and error to find the line that says it is ready, and passes all of it on.
///
/// The service writes into two pipes, and what comes out goes to silt's own standard output and error, as long as there
/// is any. Only a plan with `ready: log` needs it: a program may hold back output that goes to no terminal.
package final class OutputTap {
    /// The ends for the service (`silt_start`); -1 after `closeServiceEnds`.
    package private(set) var serviceOutput: Int32
    package private(set) var serviceErrors: Int32
    /// A line has matched.
    package private(set) var hasMatched = false
    private let pattern: ExtendedPattern
    private var streams: [Stream]

    private struct Stream {
        var descriptor: Int32
        var target: Int32
        var line: [UInt8] = []
    }

    /// The rest of a longer line is not looked at.
    private static let maximumLine = 65536

    /// Passes on to those two descriptors; throws `.pattern` when the pattern is not a regular expression.
    ///
    /// The process must ignore SIGPIPE (`silt_signals_pass_on`).
    package init(pattern: String, passingOnTo own: (output: Int32, errors: Int32) = (1, 2)) throws(HuntError) {
        do {
            self.pattern = try ExtendedPattern(pattern)
        } catch {
            throw .pattern(error.pattern, reason: error.reason)
        }
        var output: [Int32] = [-1, -1]
        var errors: [Int32] = [-1, -1]
        guard silt_output_pipe(&output) == 0 else { throw .last("pipe2") }
        guard silt_output_pipe(&errors) == 0 else {
            let error = HuntError.last("pipe2")
            for end in output { close(end) }
            throw error
        }
        streams = [
            Stream(descriptor: output[0], target: own.output), Stream(descriptor: errors[0], target: own.errors),
        ]
        serviceOutput = output[1]
        serviceErrors = errors[1]
    }

    deinit {
        closeServiceEnds()
        for stream in streams { close(stream.descriptor) }
    }

    /// To be called once the service has started, or the pipes never end.
    package func closeServiceEnds() {
        for end in [serviceOutput, serviceErrors] where end >= 0 { close(end) }
        serviceOutput = -1
        serviceErrors = -1
    }

    /// What to wait for before the next `copy`; empty when the service has closed both.
    package var descriptors: [Int32] { streams.map(\.descriptor) }

    /// Passes on what is there, without waiting for more.
    ///
    /// When silt's own output is closed, the service's is closed too: it gets the SIGPIPE it would get without silt.
    package func copy() {
        for index in streams.indices.reversed() where !copy(&streams[index]) {
            close(streams[index].descriptor)
            streams.remove(at: index)
        }
    }

    /// False at the end of the stream.
    private func copy(_ stream: inout Stream) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let got = read(stream.descriptor, &buffer, buffer.count)
        guard got > 0 else { return got < 0 && (errno == EAGAIN || errno == EINTR) }
        if !hasMatched { look(at: buffer.prefix(got), in: &stream) }
        return OutputTap.write(buffer.prefix(got), to: stream.target)
    }

    private func look(at bytes: ArraySlice<UInt8>, in stream: inout Stream) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if pattern.matches(String(decoding: stream.line, as: UTF8.self)) { hasMatched = true }
                stream.line.removeAll(keepingCapacity: true)
            } else if stream.line.count < OutputTap.maximumLine {
                stream.line.append(byte)
            }
        }
    }

    /// False when nobody reads any more.
    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EAGAIN {
                var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&room, 1, -1)
            } else if written < 0, errno != EINTR {
                return false
            }
            rest = rest.dropFirst(max(0, written))
        }
        return true
    }
}
