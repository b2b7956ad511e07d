import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// What `silt run` leaves behind when nobody named a file, and the commands that then need no name.
    @Suite(.serialized)
    struct KeptRecordings {
        private let state: ScratchFolder
        private var folder: String { state.path + "/silt" }

        init() throws { state = try ScratchFolder() }

        private func silt(_ words: [String], _ variables: [String: String] = [:]) throws -> ProgramResult {
            let own = ["XDG_STATE_HOME": state.path, "CI": ""]
            return try runProgram([siltExecutable] + words, environment: own.merging(variables) { $1 })
        }

        private var files: [String] {
            get throws {
                guard FileManager.default.fileExists(atPath: folder) else { return [] }
                return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            }
        }

        private func permissions(of path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }

        @Test func theCommandRunsWhereThereIsNoRoomForARecording() throws {
            let full = "mount -t tmpfs -o size=64k none /mnt && mkdir /mnt/home && cat /dev/zero >/mnt/x 2>&-;"
            let run = "HOME=/mnt/home XDG_STATE_HOME= CI= \(siltExecutable) run -- sh -c 'echo ran; exit 4'"
            let result = try runProgram(["unshare", "-m", "bash", "-c", "\(full) \(run)"])
            #expect(result.output == "ran\n")
            #expect(result.status == 4)
            #expect(result.errors.contains("no recording is kept: /mnt/home/"))
            #expect(result.errors.contains("INCONCLUSIVE: run too short"))
            let nowhere = try silt(["run", "--", "sh", "-c", "exit 4"], ["XDG_STATE_HOME": "/proc/none"])
            #expect(nowhere.status == 4)
            #expect(nowhere.errors.contains("no recording is kept: /proc/none/silt: No such file or directory"))
        }

        @Test func theLastRunCanBeReportedAgainWithoutAName() throws {
            let run = try silt(["run", "--", "ls", "/"])
            let file = try #require(try files.first)
            #expect(file.hasPrefix("ls-") && file.hasSuffix(".silt"))
            #expect(run.errors.contains("recording: \(folder)/\(file)"))
            #expect(try permissions(of: folder) == 0o700)
            #expect(try permissions(of: folder + "/" + file) == 0o600)
            _ = try silt(["run", "--", "cat", "/dev/null"])
            let report = try silt(["report", "--json"])
            #expect(report.status == 0)
            #expect(report.errors.contains("the last recording: \(folder)/cat-"))
            #expect(report.output.contains("\"executable\": \"cat\"") || report.output.contains("/cat\""))
        }

        @Test func aDemoTakesThePlaceOfTheOneBeforeAndOfNoOther() throws {
            _ = try silt(["run", "--", "true"])
            let file = try #require(try files.first)
            for number in 1...2 {
                let demo = "silt-demo-20261129-12000\(number)-7.silt"
                try FileManager.default.copyItem(atPath: "\(folder)/\(file)", toPath: "\(folder)/\(demo)")
                usleep(10_000)
            }
            for _ in 0..<9 { _ = try silt(["run", "--", "true"]) }
            let left = try files.filter { $0.hasSuffix(".silt") }
            #expect(left.count { $0.hasPrefix("true-") } == 10, "\(left)")
            #expect(left.filter { $0.hasPrefix("silt-demo-") } == ["silt-demo-20261129-120002-7.silt"])
        }

        @Test func theOldestGoWhenThereAreMoreThanTenButNotWhatIsBeingWritten() throws {
            let shell = "while [ ! -e \(state.file("end")) ]; do sleep 0.05; done"
            let first = try StartedProgram(
                [siltExecutable, "run", "--", "sh", "-c", shell],
                environment: ["XDG_STATE_HOME": state.path, "CI": ""]
            )
            defer { first.end() }
            for _ in 0..<100 where try files.isEmpty { usleep(50_000) }
            let running = try #require(try files.first { $0.hasSuffix(".silt") })
            for _ in 0..<12 { _ = try silt(["run", "--", "true"]) }
            let left = try files.filter { $0.hasSuffix(".silt") }
            #expect(left.count == 10 || left.count == 11)
            #expect(left.contains(running))
            #expect(FileManager.default.createFile(atPath: state.file("end"), contents: nil))
            #expect(try first.wait(seconds: 20) == 0)
            #expect(try files.count == 10)
        }

        @Test func theOldestGoWhenAllTogetherAreTooLargeButNotTheNewest() throws {
            for name in ["ls", "cat"] {
                _ = try silt(["run", "--", name, "/dev/null"])
                let file = try #require(try files.first { $0.hasPrefix(name) })
                #expect(truncate(folder + "/" + file, 120_000_000) == 0)
            }
            _ = try silt(["run", "--", "true"])
            #expect(try files.map { $0.prefix { $0 != "-" } } == ["cat", "true"])
        }

        /// The status of the command is passed on, and the recording is there, though nobody reads what silt says.
        @Test func aReaderThatNeverReadsHoldsUpNobody() throws {
            let pipe = state.file("pipe")
            #expect(mkfifo(pipe, 0o600) == 0)
            let reader = open(pipe, O_RDWR | O_NONBLOCK)
            defer { close(reader) }
            let full = [UInt8](repeating: 0, count: 1 << 16)
            while write(reader, full, full.count) > 0 {}
            let program = try StartedProgram(
                [siltExecutable, "run", "--", "sh", "-c", "exit 7"],
                environment: ["XDG_STATE_HOME": state.path, "CI": ""],
                errors: pipe
            )
            defer { program.end() }
            #expect(try program.wait(seconds: 20) == 7)
            #expect(try files.count == 1)
        }

        @Test(arguments: [(["--no-keep"], [:]), ([], ["CI": "true"])] as [([String], [String: String])])
        func nothingIsKeptWhereNobodyComesBackForIt(options: [String], variables: [String: String]) throws {
            let run = try silt(["run"] + options + ["--", "ls", "/"], variables)
            #expect(run.status == 0)
            #expect(!run.errors.contains("recording: "))
            #expect(try files.isEmpty)
        }

        @Test func aCommandThatCannotBeStartedLeavesNothing() throws {
            #expect(try silt(["run", "--", "/nonexistent"]).status == 127)
            #expect(try files.isEmpty)
            let report = try silt(["report"])
            #expect(report.status == 3)
            #expect(report.errors.contains("no recording is kept in \(folder)"))
        }

        /// Whatever else is traced on this machine, by other tests too.
        @Test func topFindsWhatIsTraced() throws {
            let program = try StartedProgram(
                [siltExecutable, "run", "--no-keep", "--", "sleep", "20"],
                environment: ["XDG_STATE_HOME": state.path]
            )
            defer { program.end() }
            var seen = ""
            for _ in 0..<50 {
                let top = try silt(["top", "--once"])
                if top.status == 0, top.output.contains("sleep") { return }
                if top.status == 2, top.errors.contains("(sleep)") { return }
                seen = top.output + top.errors
                usleep(100_000)
            }
            Issue.record("\(seen)")
        }
    }
}
