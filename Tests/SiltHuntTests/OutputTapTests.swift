import CSiltSystem
import Foundation
import SiltHunt
import SiltPlan
import SiltTestSupport
import Testing

/// Starts a shell script with its outputs in the tap.
private func start(_ script: String, into tap: OutputTap) -> pid_t {
    let command = ["sh", "-c", script]
    let words = command.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var start = silt_start(
        directory: nil,
        input: -1,
        output: tap.serviceOutput,
        errors: tap.serviceErrors,
        own_group: 1
    )
    let pid = silt_spawn_as(words, environ, &start)
    tap.closeServiceEnds()
    return pid
}

private func end(_ pid: pid_t) {
    kill(-pid, SIGKILL)
    waitpid(pid, nil, 0)
}

/// Everything that comes through the tap until the service has closed it.
private func finish(_ tap: OutputTap) throws {
    try waitUntil("the service has closed its output") {
        tap.copy()
        return tap.descriptors.isEmpty
    }
}

@Suite
struct OutputTapTests {
    @Test(arguments: ["", ">&2"])
    func aLineOfEitherOutputTellsThatTheServiceIsReadyAndBothArePassedOn(redirection: String) throws {
        let folder = try ScratchFolder()
        let output = try openFile(folder.file("output"))
        let errors = try openFile(folder.file("errors"))
        defer {
            close(output)
            close(errors)
        }
        let tap = try OutputTap(pattern: "^listening on [0-9]+$", passingOnTo: (output, errors))
        let pid = start(
            """
            echo out; echo listening on no port; sleep 0.1; printf listen \(redirection); sleep 0.1
            echo 'ing on 80' \(redirection); seq 50000; echo err >&2; sleep 0.3
            """,
            into: tap
        )
        defer { end(pid) }
        try ReadinessProbe(.log(pattern: "^listening"), pid: pid, timeoutSeconds: 20).wait(log: tap)
        try finish(tap)
        let all = (1...50000).map { "\($0)\n" }.joined()
        let line = "listening on 80\n"
        #expect(
            try read(folder.file("output")) == "out\nlistening on no port\n" + (redirection.isEmpty ? line : "") + all
        )
        #expect(try read(folder.file("errors")) == (redirection.isEmpty ? "" : line) + "err\n")
    }

    @Test func aServiceWhoseOutputNobodyReadsGetsWhatItWouldGetWithoutSilt() throws {
        let folder = try ScratchFolder()
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        close(ends[0])
        let errors = try openFile(folder.file("errors"))
        defer {
            close(ends[1])
            close(errors)
        }
        let tap = try OutputTap(pattern: "x", passingOnTo: (ends[1], errors))
        let pid = start("trap '' PIPE; echo a; sleep 0.2; echo b || echo failed >&2", into: tap)
        defer { end(pid) }
        try finish(tap)
        #expect(!tap.hasMatched)
        #expect(try read(folder.file("errors")).hasSuffix("failed\n"))
    }

    @Test func aServiceWhoseOutputHasNoSuchLineIsNotReady() throws {
        let folder = try ScratchFolder()
        let output = try openFile(folder.file("output"))
        defer { close(output) }
        let tap = try OutputTap(pattern: "ready", passingOnTo: (output, output))
        let pid = start("echo read; printf ready; sleep 60", into: tap)
        defer { end(pid) }
        let error = #expect(throws: HuntError.self) {
            try ReadinessProbe(.log(pattern: "ready"), pid: pid, timeoutSeconds: 0.5).wait(log: tap)
        }
        #expect("\(try #require(error))".hasPrefix("the service was not ready within 0.5 s (log:ready): no line of"))
        #expect(try read(folder.file("output")) == "read\nready")
    }

    @Test func aPatternThatIsNoneIsRefused() {
        #expect(throws: HuntError.pattern("(", reason: "Unmatched ( or \\(")) { try OutputTap(pattern: "(") }
    }

    private func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func openFile(_ path: String) throws -> Int32 {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        return file
    }
}
