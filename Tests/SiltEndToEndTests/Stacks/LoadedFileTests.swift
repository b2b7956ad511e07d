import Foundation
import SiltTestSupport
import Testing

private let canUnshare = (try? runProgram(["unshare", "-m", "true"]).status) == 0

extension EndToEnd {
    /// Names are those of the files that were loaded, or none.
    @Suite(.serialized)
    struct LoadedFiles {
        private static let noBuildID = "-Wl,--build-id=none"
        private static let strangers = ["other_first", "innocent", "other_last"]

        /// Two files that a path stands for, one after the other.
        private func versions(_ folder: ScratchFolder, _ flags: [String]) throws -> (path: String, other: String) {
            let path = try buildWorkload("swapped", into: folder, flags: flags)
            let (kept, other) = (folder.file("first"), folder.file("other"))
            try FileManager.default.moveItem(atPath: path, toPath: kept)
            try FileManager.default.moveItem(
                atPath: try buildWorkload("swapped", into: folder, flags: flags + ["-DOTHER"]),
                toPath: other
            )
            try FileManager.default.moveItem(atPath: kept, toPath: path)
            return (path, other)
        }

        @Test(arguments: [[], ["fork"]])
        func aProgramWithoutBuildIDWhoseFileIsReplacedGetsNoNamesOfTheOther(arguments: [String]) throws {
            let folder = try ScratchFolder()
            let (path, other) = try versions(folder, [Self.noBuildID])
            let swap = "rm -f \(path); cp \(other) \(path)"
            let (result, report) = try trace([path, swap] + arguments)
            for name in Self.strangers { #expect(report.sites(named: name).isEmpty, "\(result.errors)") }
            // It was handed over before it was replaced.
            #expect(report.sites(named: "real_leaker").map(\.allocObjects).reduce(0, +) == 1000, "\(result.errors)")
        }

        @Test func aLibraryWithoutBuildIDWhoseFileIsReplacedGetsNoNamesOfTheOther() throws {
            let folder = try ScratchFolder()
            let (path, other) = try versions(folder, [Self.noBuildID, "-DLIBRARY", "-shared", "-fPIC"])
            let library = folder.file("libswapped.so")
            try FileManager.default.moveItem(atPath: path, toPath: library)
            let program = try buildWorkload("swapped", into: folder, flags: ["-DSPLIT", library])
            let (result, report) = try trace([program, "cp \(other) \(other).2; mv -f \(other).2 \(library)"])
            for name in Self.strangers { #expect(report.sites(named: name).isEmpty, "\(result.errors)") }
        }

        @Test func aPathThatStandsForTwoFilesWithoutBuildIDOneAfterTheOtherGetsNoNames() throws {
            let folder = try ScratchFolder()
            let (path, other) = try versions(folder, [Self.noBuildID])
            let (result, report) = try trace([
                "sh", "-c", "\(path) true; cp \(other) \(path).2; mv \(path).2 \(path); \(path) true",
            ])
            for name in Self.strangers + ["real_leaker"] {
                #expect(report.sites(named: name).isEmpty, "\(result.errors)")
            }
            #expect(result.errors.contains("the file was replaced"), "\(result.errors)")
        }

        /// Mounted for the program, and unmounted as soon as it has ended: with names all the same.
        @Test(.enabled(if: geteuid() == 0, "needs root"), arguments: [[], [noBuildID]])
        func aFileSystemThatAProgramRanFromCanBeUnmountedWhenItHasEnded(flags: [String]) throws {
            let folder = try ScratchFolder()
            let mount = folder.file("mount")
            let source = packageRoot.path() + "Tests/Workloads/mounted.c"
            let build = ["gcc", "-O1", "-g"] + flags
            func make(_ name: String, _ arguments: [String]) throws {
                #expect(try runProgram(build + [source, "-o", folder.file(name)] + arguments).status == 0)
            }
            try make("libmounted.so", ["-shared", "-fPIC", "-DLIBRARY"])
            try make("program", ["-L\(folder.path)", "-lmounted", "-Wl,-rpath,\(mount)"])
            defer { _ = try? runProgram(["umount", "-l", mount]) }
            let script = """
                mkdir \(mount) && mount -t tmpfs silt \(mount) && cp \(folder.path)/program \(folder.path)/*.so \(mount)
                rm \(folder.path)/program \(folder.path)/*.so
                for i in 1 2 3; do \(mount)/program; done
                umount \(mount); echo "umount $?"
                """
            let (result, report) = try trace(["sh", "-c", script])
            #expect(result.output == "umount 0\n", "\(result.errors)")
            #expect(result.status == 0)
            for (name, bytes) in [("mounted_block", 333), ("mounted_library_block", 444)] as [(String, Int)] {
                let sites = report.sites(named: name)
                #expect(sites.map(\.allocObjects).reduce(0, +) == 300, "\(result.errors)")
                #expect(sites.map(\.allocSpace).reduce(0, +) == 300 * bytes)
                #expect(sites.allSatisfy { ($0.blame.line ?? 0) > 0 })
            }
        }

        @Test func aReplayedTraceGetsNoNamesOfAFileThatWasReplacedSince() throws {
            let folder = try ScratchFolder()
            let (path, other) = try versions(folder, [Self.noBuildID])
            let events = folder.file("run.events")
            #expect(try runProgram([siltExecutable, "run", "--events", events, "--", path, "true"]).status == 0)
            #expect(try runProgram([siltExecutable, "report", events]).output.contains("real_leaker"))
            #expect(try runProgram(["cp", other, path]).status == 0)
            let report = try runProgram([siltExecutable, "report", events]).output
            for name in Self.strangers { #expect(!report.contains(name), "\(report)") }
            #expect(report.contains("the file was replaced"), "\(report)")
        }

        @Test(.enabled(if: canUnshare, "no mount namespace can be made"), arguments: [[], ["fork"]])
        func aShortProgramInAMountNamespaceThatEndsWithItHasNames(arguments: [String]) throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("swapped", into: folder)
            let hidden = folder.file("hidden")
            try FileManager.default.createDirectory(atPath: hidden, withIntermediateDirectories: false)
            let inside = "mount -t tmpfs t \(hidden) && cp \(program) \(hidden)/a && exec \"$@\""
            let command = ["unshare", "-m", "sh", "-c", inside, "sh", "\(hidden)/a"]
            let (result, report) = try trace(command + (arguments.isEmpty ? [] : ["true"] + arguments))
            #expect(report.sites(named: "real_leaker").map(\.allocObjects).reduce(0, +) == 1000, "\(result.errors)")
        }
    }
}
