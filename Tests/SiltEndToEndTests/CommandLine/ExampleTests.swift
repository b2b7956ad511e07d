import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// The examples of `--help`, run as they stand there but for folders, ports and names of functions.
    ///
    /// Not those of hunts, of servers that go on for ever and of what asks to be watched: other suites run these commands.
    @Suite(.serialized)
    struct Examples {
        private struct Command: Decodable {
            var commandName: String
            var discussion: String?
            var subcommands: [Command]?
        }

        /// The folder that they run in: with a server, and with what it left on several days.
        private static let place: Result<ScratchFolder, any Error> = Result {
            let folder = try ScratchFolder()
            let (program, service) = (
                try buildWorkload("patterns", into: folder), try buildWorkload("service", into: folder)
            )
            let server = "#!/bin/sh\nexec '\(program)' shared 2\n"
            try server.write(toFile: folder.file("server"), atomically: false, encoding: .utf8)
            let steps = """
                set -e
                cd '\(folder.path)'
                chmod +x server
                mkdir bin
                ln -s '\(siltExecutable)' bin/silt
                ln -s /usr/share/perl5/Devel/NYTProf/flamegraph.pl bin/flamegraph.pl
                bin/silt run --snapshot-every 50ms --out server.silt --events server.events -- ./server
                bin/silt report server.silt --pprof heap.pb.gz
                for day in monday friday old new; do cp server.silt $day.silt; done
                cp heap.pb.gz old.pb.gz
                bin/silt hunt --out hunt.silt --idle 200ms --settle 20ms --rounds 3 --ready unix:s \\
                    --phase orders="'\(service)' load s k 50; echo silt: requests=50" -- '\(service)' serve s well \\
                    || [ $? = 1 ]
                cp hunt.silt before.silt
                cp hunt.silt after.silt
                """
            let result = try runProgram(["bash", "-c", steps])
            guard result.status == 0 else { throw TestSetupError(description: result.errors) }
            return folder
        }

        /// The examples of a command: the first paragraph of what its help says, without remarks after three spaces.
        private static func examples(_ command: String) throws -> [String] {
            let dump = try consume([siltExecutable, "--experimental-dump-help"])
            struct Dump: Decodable { var command: Command }
            let all = try JSONDecoder().decode(Dump.self, from: Data(dump.utf8)).command.subcommands ?? []
            let discussion = all.first { $0.commandName == command }?.discussion ?? ""
            let first = discussion.components(separatedBy: "\n\n").first ?? ""
            return first.split(separator: "\n").map { String($0).replacing(#/\s{3,}.*/#, with: "") }
        }

        /// An example with what this machine has instead of what a user has.
        private static func adapted(_ example: String, in folder: ScratchFolder) throws -> String {
            var line = example
            let names = [
                "/usr/local/lib/": "", "/usr/local/share/zsh/site-functions/": "", "/usr/local/share/man/man1/": "",
                "/etc/bash_completion.d/": "", "~/.config/fish/completions/": "", "/var/tmp/": "",
                "make_record": "build_string", "handle_order": "leaky_caller", "my_alloc": "build_string",
                "silt man | man -l -": "silt man | mandoc", ":6070": ":\(try freePort())",
                ":4040": ":\(try freePort())", "--between 2s end": "--between 1s end",
            ]
            for (name, replacement) in names { line = line.replacing(name, with: replacement) }
            return line.replacing("=libsilt.so", with: "=\(folder.path)/libsilt.so")
        }

        @Test(arguments: ["run", "report", "diff", "doctor", "shim", "top", "dashboard", "completions", "man"])
        func ofACommandWork(command: String) throws {
            let folder = try Self.place.get()
            let process = try StartedProgram(["sleep", "60"])
            defer { process.end() }
            // Without --once it is a screen with keys.
            let examples = try Self.examples(command).filter { command != "top" || $0.contains("--once") }
            #expect(examples.contains { $0.hasPrefix("silt \(command)") })
            for example in examples {
                // First: a port may have these digits in it.
                let line = try Self.adapted(example.replacing("4711", with: "\(process.pid)"), in: folder)
                let result = try runProgram(
                    ["bash", "-o", "pipefail", "-c", "cd '\(folder.path)' && PATH=$PWD/bin:$PATH; \(line)"]
                )
                #expect(result.status == 0, "\(line): \(result.errors)")
                #expect(!result.errors.contains("Error:"), "\(line): \(result.errors)")
            }
        }
    }
}
