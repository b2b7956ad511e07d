import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// What the commands say of themselves: help, the manual page, and completions in the shells that use them.
    @Suite
    struct Manuals {
        private static let commands = [
            "run", "hunt", "check", "report", "diff", "doctor", "listen", "mark", "shim", "demo", "top", "serve",
            "dashboard",
            "completions", "man",
        ]

        @Test(arguments: commands)
        func everyCommandHasAnExample(command: String) throws {
            let help = try consume([siltExecutable, command, "--help"])
            #expect(help.split(separator: "\n").contains { $0.hasPrefix("silt \(command)") }, "\(help)")
            #expect(help.contains("OVERVIEW: ") && help.contains("USAGE: silt \(command)"))
        }

        @Test func theManualPageIsInOrderAndHasEveryCommand() throws {
            let folder = try ScratchFolder()
            let page = try consume([siltExecutable, "man"])
            let path = folder.file("silt.1")
            try page.write(toFile: path, atomically: true, encoding: .utf8)
            let lint = try runProgram(["mandoc", "-T", "lint", "-W", "error", path])
            #expect(lint.status == 0, "\(lint.output)\(lint.errors)")
            let shown = try consume(["mandoc", "-T", "utf8", "-O", "width=100", path]).replacing(#/.\u{8}/#, with: "")
            for command in Self.commands { #expect(shown.contains("silt \(command)\n"), "\(command)") }
            for words in ["--max-bytes-per-request", "silt hunt --init plan.yml", "SILT(1)"] {
                #expect(shown.contains(words))
            }
            #expect(!shown.contains("demo-server"))
        }

        @Test func bashCompletesCommandsAndOptions() throws {
            let folder = try ScratchFolder()
            let script = folder.file("silt.bash")
            try consume([siltExecutable, "completions", "bash"]).write(
                toFile: script,
                atomically: true,
                encoding: .utf8
            )
            func complete(_ words: [String]) throws -> String {
                try consume([
                    "bash", "-c",
                    """
                    cd '\(folder.path)'; export XDG_STATE_HOME='\(folder.path)/state'
                    PATH=\(URL(filePath: siltExecutable).deletingLastPathComponent().path()):$PATH
                    . \(script)
                    COMP_WORDS=(\(words.joined(separator: " "))) COMP_CWORD=\(words.count - 1)
                    COMP_LINE="${COMP_WORDS[*]}" COMP_POINT=${#COMP_LINE}
                    $(complete -p silt | sed 's/.*-F \\([^ ]*\\) .*/\\1/') silt '\(words.last ?? "")' '\(words.dropLast().last ?? "")'
                    printf '%s\\n' "${COMPREPLY[@]}"
                    """,
                ])
            }
            #expect(try complete(["silt", "hu"]).contains("hunt"))
            #expect(try complete(["silt", "report", "--fl"]).contains("--flame"))

            let run = ["env", "CI=", "XDG_STATE_HOME=\(folder.file("state"))", siltExecutable, "run"]
            #expect(try runProgram(run + ["--", "true"]).status == 0)
            let kept = try complete(["silt", "report", "''"])
            #expect(kept.contains("\(folder.file("state"))/silt/true-"), "\(kept)")
            #expect(kept.split(separator: "\n").contains("silt.bash"), "\(kept)")
            #expect(try complete(["silt", "run", "--", "sle"]).split(separator: "\n").contains("sleep"))
            let sleeper = try StartedProgram([siltExecutable, "run", "--no-keep", "--", "sleep", "30"])
            defer { sleeper.end() }
            try waitUntil("it is traced") {
                try complete(["silt", "top", "''"]).split(separator: "\n").contains { Int($0) != nil }
            }
            let processes = try complete(["silt", "doctor", "\(sleeper.pid)".dropLast().description])
            #expect(processes.split(separator: "\n").contains("\(sleeper.pid)"), "\(processes)")
        }

        @Test func zshAndFishCompleteThem() throws {
            let folder = try ScratchFolder()
            let (zsh, fish) = (folder.file("_silt"), folder.file("silt.fish"))
            try consume([siltExecutable, "completions", "zsh"]).write(toFile: zsh, atomically: true, encoding: .utf8)
            try consume([siltExecutable, "completions", "fish"]).write(toFile: fish, atomically: true, encoding: .utf8)
            let loaded = try consume([
                "zsh", "-fc",
                "fpath=(\(folder.path) $fpath); autoload -Uz compinit; compinit -u -d \(folder.file("dump")); "
                    + "print ${_comps[silt]}; autoload +X _silt && print loaded",
            ])
            #expect(loaded == "_silt\nloaded\n", "\(loaded)")
            let home = ["HOME=\(folder.path)", "XDG_CONFIG_HOME=\(folder.path)", "XDG_DATA_HOME=\(folder.path)"]
            let words = try runProgram(
                ["env"] + home + ["fish", "--no-config", "-c", "source \(fish); complete -C 'silt hu'"]
            )
            #expect(words.output.contains("hunt"), "\(words.output)\(words.errors)")
            let options = try runProgram(
                ["env"] + home + ["fish", "--no-config", "-c", "source \(fish); complete -C 'silt report --fl'"]
            )
            #expect(options.output.contains("--flame"), "\(options.output)\(options.errors)")
        }
    }
}
