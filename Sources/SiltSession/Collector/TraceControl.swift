internal import CSiltSystem
internal import Glibc
internal import SiltText

/// A connection to a running trace, to mark what happens in it.
///
/// Calls wait for the answer: at most as long as the trace needs to take in what its programs have sent, or to close its
/// recording.
package final class TraceControl {
    private let connection: Int32
    package let path: String

    /// Connects to the socket of `silt listen` or `silt hunt`.
    package init(path: String) throws(ControlError) {
        self.path = path
        connection = silt_connect(path.system)
        guard connection >= 0 else {
            throw ControlError(
                "cannot reach a trace at \(path): \(errorText(errno)); start one with silt listen \(path)"
            )
        }
    }

    deinit { close(connection) }

    @discardableResult
    package func ask(_ request: ControlRequest) throws(ControlError) -> TraceStatus {
        let text = Array(ControlText.encode(request).utf8)
        guard text.count <= ControlText.limit else { throw ControlError("the phase's name is too long") }
        guard send(connection, text, text.count, Int32(MSG_NOSIGNAL)) == text.count else {
            throw ControlError("the trace at \(path) has ended")
        }
        var answer = [UInt8](repeating: 0, count: ControlText.limit)
        var got = 0
        repeat { got = recv(connection, &answer, answer.count, 0) } while got < 0 && errno == EINTR
        guard got > 0 else { throw ControlError("the trace at \(path) ended without an answer") }
        return try ControlText.decode(status: String(decoding: answer[..<got], as: UTF8.self))
    }
}
