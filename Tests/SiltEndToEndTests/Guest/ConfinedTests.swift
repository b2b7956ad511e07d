import SiltTestSupport
import Testing

extension EndToEnd {
    /// Programs with few descriptors, little memory or few system calls, and programs that start before we do.
    @Suite(.serialized)
    struct Confined {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }

        @Test(arguments: [
            ["seccomp"], ["files", "8"], ["files", "20"], ["memory", "100000000"], ["memory", "4000000000"],
            ["size", "100000000"], ["stack", "65536"],
        ])
        func aConfinedProgramIsTracedExactly(arguments: [String]) throws {
            let program = try buildWorkload("confined", into: try Self.folder.get())
            let (result, report) = try trace([program] + arguments)
            #expect(result.output == "done\n")
            #expect(result.status == 0)
            let blocks = report.sites(named: "confined_block")
            #expect(blocks.map(\.allocObjects).reduce(0, +) == 200_000)
            #expect(blocks.map(\.inuseObjects).reduce(0, +) == 100_000)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        @Test(arguments: [
            (["files", "5"], "it has no file descriptors left (RLIMIT_NOFILE, ulimit -n)"),
            (["memory", "20000000"], "its memory is limited to less than silt needs beside it"),
            (["data", "20000000"], "its memory is limited to less than silt needs beside it"),
            (["size", "4096"], "its files are limited to less than the memory file takes"),
        ])
        func whatLeavesNoRoomForTheEventsRunsUntracedAndIsNamed(arguments: [String], reason: String) throws {
            let program = try buildWorkload("confined", into: try Self.folder.get())
            let (result, report) = try trace([program] + arguments)
            #expect(result.output == "done\n")
            #expect(result.status == 0)
            #expect(result.errors.contains("is not traced: \(reason)"))
            #expect(report.sites(named: "confined_block").isEmpty)
        }

        /// Silt's numbers lie beyond the limit, which is raised while they are made, or beyond those that select(2) can
        /// name.
        @Test(arguments: [8, 12, 16, 64, 1024, 4096]) func aProgramMayOpenAsManyFilesAsWithoutSilt(limit: Int) throws {
            let program = try buildWorkload("confined", into: try Self.folder.get())
            let words = [program, "files", "\(limit)", "opens"]
            let plain = try runProgram(words)
            #expect(plain.output == "\(min(limit, 1024) - 3)\n")
            let (result, report) = try trace(words)
            #expect(result.output == plain.output)
            #expect(report.sites(named: "confined_block").map(\.allocObjects).reduce(0, +) == 1)
        }

        /// Silt has none while it runs.
        @Test(arguments: [8, 12, 20, 64, 1024])
        func aProgramThatMayNotRaiseItsLimitMayOpenAsManyFilesAsWithoutSilt(limit: Int) throws {
            let program = try buildWorkload("confined", into: try Self.folder.get())
            let words = [program, "files", "\(limit)", "opens", "hard"]
            let plain = try runProgram(words)
            #expect(plain.output == "\(limit - 3)\n")
            let (result, report) = try trace(words)
            #expect(result.output == plain.output)
            #expect(report.sites(named: "confined_block").map(\.allocObjects).reduce(0, +) == 1)
            #expect(report.trust.lost == 0)
            #expect(report.trust.eventsSent == report.trust.eventsReceived)
        }

        /// Below 20 or so silt has too few itself, where it may not allow itself more.
        @Test(arguments: [8, 12, 16, 20, 24, 32, 40]) func theCommandRunsUnderAnyLimitOfFiles(limit: Int) throws {
            let folder = try Self.folder.get()
            let program = try buildWorkload("confined", into: folder)
            let words = "exec \(siltExecutable) run --out \(folder.file("run.silt")) -- \(program) work"
            // Who runs the tests may have left files open.
            let closing = "for file in /proc/$$/fd/*; do [ ${file##*/} -gt 2 ] && eval \"exec ${file##*/}>&-\"; done"
            let result = try runProgram(["bash", "-c", "\(closing); ulimit -n \(limit); \(words)"])
            #expect(result.output == "done\n")
            #expect(result.status == 0)
            let isTraced = result.errors.contains("confined_block")
            #expect(isTraced != result.errors.contains("the command is not traced: silt opens up to 16 files itself"))
            #expect(isTraced || limit < 40, "\(result.errors)")
        }

        /// Each process takes three of silt's own.
        @Test func moreProcessesThanSiltHasDescriptorsForAreTracedOrNamed() throws {
            let folder = try ScratchFolder()
            let program = try buildWorkload("crowd", into: folder)
            let recording = folder.file("run.silt")
            // Who may raise the limit has enough of them.
            let rights = "setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource"
            let words = "exec \(rights) \(siltExecutable) run --out \(recording) -- \(program) 40"
            let closing = "for file in /proc/$$/fd/*; do [ ${file##*/} -gt 2 ] && eval \"exec ${file##*/}>&-\"; done"
            let result = try runProgram(["bash", "-c", "\(closing); ulimit -n 64; \(words)"])
            #expect(result.output == "40\n")
            #expect(result.status == 0)
            let report = try SiltTestSupport.report(of: recording)
            let named = report.untraced.filter { $0.reason == "silt has no descriptors left for it (ulimit -n)" }
            #expect(report.processes.count + named.map(\.processes).reduce(0, +) == 41)
            #expect(!named.isEmpty)
        }

        /// Audited, the loader allocates before the C library knows of an environment.
        @Test(arguments: [false, true])
        func whatAllocatesBeforeAnythingIsInitializedIsTraced(audited: Bool) throws {
            let folder = try ScratchFolder()
            let auditor = try buildWorkload("auditor", into: folder, flags: ["-shared", "-fPIC"])
            let audit = audited ? ["env", "LD_AUDIT=" + auditor] : []
            let library = folder.file("libearly.so")
            let built = try buildWorkload("early", into: folder, flags: ["-shared", "-fPIC", "-DLIBRARY"])
            _ = try runProgram(["mv", built, library])
            let program = try buildWorkload("early", into: folder, flags: ["-rdynamic", library])
            let plain = try runProgram(audit + [program])
            let (result, report) = try trace(audit + [program])
            #expect(plain.output == "0 calls, grown\n")
            #expect(result.output == plain.output)
            #expect(result.status == 0)
            let blocks = report.sites(named: "early_block")
            #expect(blocks.map(\.allocObjects).reduce(0, +) == 100)
            #expect(blocks.map(\.inuseObjects).reduce(0, +) == 49)
            #expect(report.trust.unknownFrees == 0)
        }

        @Test func anAllocatorsFunctionsAreThoseTheLoaderWouldFindOfWhateverType() throws {
            let folder = try ScratchFolder()
            let flags = ["-shared", "-fPIC", "-fno-builtin", "-DLIBRARY"]
            let built = try buildWorkload("chosen", into: folder, flags: flags)
            let library = folder.file("libchosen.so")
            _ = try runProgram(["mv", built, library])
            let program = try buildWorkload("chosen", into: folder, flags: ["-fno-builtin", library])
            let (result, report) = try trace([program])
            #expect(result.output == "none but its own\n")
            #expect(result.status == 0)
            let blocks = report.sites(named: "chosen_block")
            #expect(blocks.map(\.allocObjects).reduce(0, +) == 20)
            #expect(blocks.map(\.inuseObjects).reduce(0, +) == 10)
            #expect(report.target.allocator?.hasSuffix("libchosen.so") == true)
        }

        @Test func whatProgramsDoWithTheAllocatorIsAsWithoutSilt() throws {
            let folder = try ScratchFolder()
            let plugin = try buildWorkload("deepbound", into: folder, flags: ["-shared", "-fPIC"])
            let program = try buildWorkload("allocators", into: folder)
            let checker = "/lib/x86_64-linux-gnu/libc_malloc_debug.so.0"
            // The checking allocator ends a program that frees what it does not know: so no plugin for it.
            let checked = ["LD_PRELOAD": checker, "MALLOC_CHECK_": "3"]
            for (arguments, environment) in [([plugin], [:]), ([plugin], ["MALLOC_ARENA_MAX": "1"]), ([], checked)] {
                let plain = try runProgram([program] + arguments, environment: environment)
                let (result, report) = try trace([program] + arguments, environment: environment)
                #expect(plain.status == 0)
                #expect(plain.output.contains("deep made\napart made\n") == !arguments.isEmpty)
                #expect(result.output == plain.output)
                #expect(result.status == 0)
                #expect(report.sites(named: "kept_block").map(\.allocObjects).reduce(0, +) == 10)
                #expect(report.sites(named: "kept_block").map(\.inuseObjects).reduce(0, +) == 9)
                // What was bound past us is seen; what lives in a namespace of its own is not.
                let seen = report.sites(named: "make_in_plugin").map(\.allocObjects).reduce(0, +)
                #expect(seen == arguments.count)
                #expect(report.trust.unknownFrees == 0)
                let allocator = arguments.isEmpty ? "libc_malloc_debug.so.0" : "libc.so.6"
                #expect(report.target.allocator?.hasSuffix(allocator) == true)
            }
        }

        @Test func theUsersOwnPreloadEntriesAreKept() throws {
            let folder = try ScratchFolder()
            let other = try buildWorkload("deepbound", into: folder, flags: ["-shared", "-fPIC"])
            let command = ["sh", "-c", "cat /proc/self/maps; echo \"preload $LD_PRELOAD\""]
            let (result, _) = try trace(command, environment: ["LD_PRELOAD": other])
            #expect(result.output.contains(other))
            #expect(result.output.contains("libsilt-"))
            #expect(result.output.split(separator: "\n").last?.hasSuffix(":" + other) == true)
        }
    }
}
