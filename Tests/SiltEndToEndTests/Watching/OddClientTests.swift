import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// Whatever one client of a listener sends, the others are recorded.
    @Suite(.serialized)
    struct OddClients {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

        /// What a client does, and what the listener says of it; nil: nothing, it is only a process without events.
        static let clients: [(name: String, note: String?)] = [
            ("shrinks", "its memory file could be made shorter while it is read"), ("tries-to-shrink", nil),
            ("file-as-pipe", "what it sent as its pipe is none"),
            ("folder-as-pipe", "what it sent as its pipe is none"),
            ("socket-as-pipe", "what it sent as its pipe is none"),
            ("device-as-pipe", "what it sent as its pipe is none"), ("writing-end", "its pipe cannot be read"),
            ("folder-as-memory", "what it sent as its memory file is none"),
            ("pipe-as-memory", "what it sent as its memory file is none"),
            ("file-as-memory", "its memory file cannot be read and written"),
            ("read-only-memory", "its memory file cannot be read and written"),
            ("short-memory", "its memory file cannot be read"),
            ("other-image", "its hello and its memory file are not of one image"),
            ("no-descriptors", "its hello came with 0 descriptors"),
            ("one-descriptor", "its hello came with 1 descriptors"),
            ("eight-descriptors", "its hello came with"), ("short-hello", "it sent bytes that are no silt hello"),
            ("other-version", "its preload library is another silt's"), ("stolen-flags", nil),
            ("consumed-lies", nil), ("published-lies", "more than it can hold"), ("count-lies", nil),
            ("header-lies", nil), ("header-lies", nil),
        ]

        @Test func noClientEndsTheRecordingOfOthers() throws {
            let folder = try ScratchFolder()
            let odd = try buildWorkload("odd_clients", into: folder)
            let program = try buildWorkload("counts", into: folder)
            let shim = folder.file("libsilt.so")
            #expect(try runProgram([siltExecutable, "shim", shim]).status == 0)
            let (socket, recording, errors) = (folder.file("s"), folder.file("out.silt"), folder.file("errors"))
            let listener = try StartedProgram(
                [siltExecutable, "listen", socket, "--out", recording],
                errors: errors
            )
            defer { listener.end() }
            try waitUntil("the listener is there") { FileManager.default.fileExists(atPath: socket) }
            for client in Self.clients {
                let result = try runProgram([odd, socket, client.name], seconds: 30)
                #expect(result.output == "said\n", "\(client.name): \(result.errors)")
                if client.name == "tries-to-shrink" {
                    #expect(result.errors.contains("Operation not permitted"), "it was made shorter")
                }
            }
            let environment = ["LD_PRELOAD": shim, "SILT_SOCKET": socket]
            #expect(try runProgram([program, "1"], environment: environment).status == 7)
            #expect(listener.isRunning)
            kill(listener.pid, SIGINT)
            #expect(try listener.wait(seconds: 60) == 0)
            let notes = try String(contentsOfFile: errors, encoding: .utf8)
            for client in Self.clients {
                if let note = client.note {
                    #expect(notes.contains("refused process"), "\(notes)")
                    #expect(notes.contains(note), "\(client.name): \(notes)")
                }
            }
            let unread = notes.components(separatedBy: "the rest of its events could not be read").count - 1
            #expect(unread == 1, "what the analyzer has read is its own to know: \(notes)")
            let report = try report(of: recording)
            #expect(report.sites(named: "make_block").map(\.allocObjects).reduce(0, +) == 1_234_567)
        }

        @Test func onlyANamelessPlaceOrADeadSocketIsListenedAt() throws {
            let folder = try ScratchFolder()
            let manager = FileManager.default
            let file = folder.file("precious")
            try "precious".write(toFile: file, atomically: false, encoding: .utf8)
            try manager.createDirectory(atPath: folder.file("folder"), withIntermediateDirectories: false)
            try manager.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: folder.file("nowhere"))
            #expect(mkfifo(folder.file("fifo"), 0o600) == 0)
            for name in ["precious", "folder", "link", "fifo"] {
                let result = try runProgram(
                    [siltExecutable, "listen", folder.file(name), "--out", folder.file("out.silt")],
                    seconds: 20
                )
                #expect(result.status == 3, "\(name)")
                #expect(result.errors.contains("\(name) is no socket"), "\(result.errors)")
            }
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "precious")
            #expect(try manager.destinationOfSymbolicLink(atPath: folder.file("link")) == folder.file("nowhere"))
            // What lies where the socket is made before it gets its name.
            try "precious".write(toFile: folder.file("socket.new"), atomically: false, encoding: .utf8)
            let blocked = try runProgram(
                [siltExecutable, "listen", folder.file("socket"), "--out", folder.file("out.silt")],
                seconds: 20
            )
            #expect(blocked.status == 3)
            #expect(try String(contentsOfFile: folder.file("socket.new"), encoding: .utf8) == "precious")
        }

        @Test func aSocketThatIsListenedAtIsLeftToItsListener() throws {
            let folder = try ScratchFolder()
            let socket = folder.file("socket")
            func listen(_ out: String) throws -> StartedProgram {
                try StartedProgram([siltExecutable, "listen", socket, "--out", folder.file(out)])
            }
            let first = try listen("first.silt")
            defer { first.end() }
            try waitUntil("the first listens") { FileManager.default.fileExists(atPath: socket) }
            let second = try runProgram(
                [siltExecutable, "listen", socket, "--out", folder.file("second.silt")],
                seconds: 20
            )
            #expect(second.status == 3)
            #expect(second.errors.contains("another silt listens there"), "\(second.errors)")
            // A killed one leaves its socket behind: the next takes its place.
            first.end()
            #expect(FileManager.default.fileExists(atPath: socket))
            let third = try listen("third.silt")
            defer { third.end() }
            usleep(300_000)
            #expect(third.isRunning)
        }
    }
}
