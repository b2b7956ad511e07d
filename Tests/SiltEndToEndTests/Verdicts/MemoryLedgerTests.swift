import Foundation
import SiltTestSupport
import Testing

extension EndToEnd {
    /// RSS that grows, or hides something, though nothing leaks: with its figure and what helps, which the program proves.
    @Suite(.serialized)
    struct MemoryLedgers {
        static let folder: Result<ScratchFolder, any Error> = Result { try ScratchFolder() }
        static let program: Result<String, any Error> = Result { try buildWorkload("ledger", into: folder.get()) }

        struct Report {
            /// Without line breaks.
            var text: String
            /// Of the process.
            var growthCause: String?
            /// MiB by cause.
            var causes: [String: Double] = [:]
            /// Resident MiB as the program read them, by its word for when.
            var resident: [String: Double] = [:]
            /// What stands above the call sites and the lines on the whole process.
            var opening: String { text.components(separatedBy: " heap: ")[0] }
        }

        /// What is read of `silt report --json`.
        struct Document: Decodable {
            struct Process: Decodable { var memory: Memory? }

            struct Memory: Decodable {
                var growthCause: String?
                var causes: [Cause]
            }

            struct Cause: Decodable {
                var cause: String
                var bytes: Double
                var remedy: String
            }

            var processes: [Process]
        }

        static func resident(_ output: String) -> [String: Double] {
            let lines = output.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count == 2 }
            return Dictionary(uniqueKeysWithValues: lines.map { (String($0[0]), Double($0[1]) ?? 0) })
        }

        static func report(_ use: String, before: [String] = []) throws -> Report {
            let recording = try folder.get().file("\(use).silt")
            let file = try folder.get().file("\(use).data")
            let result = try runProgram(
                before + [
                    siltExecutable, "run", "--out", recording, "--snapshot-every", "100ms", "--", try program.get(),
                    use,
                    "4", file,
                ]
            )
            guard result.status == 0 else { throw TestSetupError(description: "\(use): \(result.errors)") }
            let text = result.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            var report = Report(text: text, resident: resident(result.output))
            let json = try runProgram([siltExecutable, "report", recording, "--json"]).output
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            guard let memory = try decoder.decode(Document.self, from: Data(json.utf8)).processes.first?.memory else {
                throw TestSetupError(description: "\(use): nobody looked at its memory")
            }
            report.growthCause = memory.growthCause
            for cause in memory.causes { report.causes[cause.cause] = cause.bytes / 1_048_576 }
            return report
        }

        /// At once, since they wait for most of the time.
        static let reports: Result<[String: Report], any Error> = Result {
            let uses = ["fragmentation", "untrimmed", "arenas", "caches", "files", "shared", "variables", "huge"]
            return Dictionary(uniqueKeysWithValues: zip(uses, try atOnce(uses) { try report($0) }))
        }

        static func reported(_ use: String) throws -> Report { try #require(try reports.get()[use]) }

        /// The program's resident MiB where silt is not there.
        static func alone(_ use: String, _ settings: [String: String]) throws -> Double {
            let result = try runProgram([try program.get(), use, "1"], environment: settings)
            return try #require(resident(result.output)["used"])
        }

        static func isNear(_ one: Double?, _ other: Double) -> Bool { abs((one ?? 0) - other) <= 0.15 * other }

        @Test func whoPinsPagesIsNamedAndTrimmingDoesNotHelp() throws {
            let report = try Self.reported("fragmentation")
            #expect(report.growthCause == "fragmentation", "\(report.text)")
            #expect(report.opening.contains(" not a leak: allocator retention ("), "\(report.text)")
            #expect(
                report.opening.contains(#/% of these pages are pinned by blocks of .*keep_entry/#),
                "\(report.text)"
            )
            let (used, trimmed, freed) = (
                report.resident["used"] ?? 0, report.resident["trimmed"] ?? 0, report.resident["freed"] ?? 0
            )
            #expect(trimmed > 0.9 * used && freed < 0.3 * used)
            // A page in eight of live blocks is no waste.
            #expect(Self.isNear(report.causes["fragmentation"], (used - freed) * 7 / 8), "\(report.causes)")
        }

        @Test func trimmingGivesBackWhatIsCalledUntrimmed() throws {
            let report = try Self.reported("untrimmed")
            #expect(report.growthCause == "untrimmed", "\(report.text)")
            #expect(report.opening.contains("malloc_trim(0)"), "\(report.text)")
            let given = (report.resident["used"] ?? 0) - (report.resident["trimmed"] ?? 0)
            #expect(Self.isNear(report.causes["untrimmed"], given), "\(report.causes)")
        }

        @Test func manyArenasHoldWhatOneWouldNot() throws {
            let report = try Self.reported("arenas")
            #expect(report.growthCause == "arenas", "\(report.text)")
            #expect(report.opening.contains("MALLOC_ARENA_MAX="), "\(report.text)")
            let one = try Self.alone("arenas", ["MALLOC_ARENA_MAX": "1"])
            #expect(one < 0.4 * (report.causes["arenas"] ?? 0), "\(one) \(report.causes)")
        }

        @Test func cachesOfThreadsHoldWhatTrimmingDoesNotGiveBack() throws {
            let report = try Self.reported("caches")
            #expect(report.growthCause == "thread-caches", "\(report.text)")
            #expect(report.opening.contains("tcache_count=0"), "\(report.text)")
            let (all, none) = (
                try Self.alone("caches", [:]),
                try Self.alone("caches", ["GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"])
            )
            #expect(Self.isNear(report.causes["thread-caches"], all - none), "\(all) \(none) \(report.causes)")
        }

        @Test func pagesOfFilesAndSharedMemoryAreToldApart() throws {
            let files = try Self.reported("files")
            #expect(
                files.growthCause == "files" && files.opening.contains(" by pages of files, not a leak"),
                "\(files.text)"
            )
            let dropped = (files.resident["used"] ?? 0) - (files.resident["dropped"] ?? 0)
            #expect(dropped > 100 && (files.causes["files"] ?? 0) > 0.7 * dropped, "\(files.causes)")
            let shared = try Self.reported("shared")
            #expect(shared.growthCause == "shared-memory" && !shared.opening.contains("not a leak"), "\(shared.text)")
        }

        @Test func aStaticArrayThatIsTouchedIsNoFileThatTheKernelTakesBack() throws {
            let report = try Self.reported("variables")
            #expect(report.growthCause == "variables" && report.opening.contains("static arrays"), "\(report.text)")
            #expect(Self.isNear(report.causes["variables"], report.resident["used"] ?? 0), "\(report.causes)")
            #expect(report.causes["files"] == nil)
        }

        private static var hugePages: String {
            (try? String(contentsOfFile: "/sys/kernel/mm/transparent_hugepage/enabled", encoding: .utf8)) ?? "[never]"
        }

        @Test(.enabled(if: !hugePages.contains("[never]"), "no huge pages"))
        func aByteOfAHugePageTakesAllOfIt() throws {
            let report = try Self.reported("huge")
            #expect(report.growthCause == "huge-pages", "\(report.text)")
            #expect(report.opening.contains("MADV_HUGEPAGE"), "\(report.text)")
            let used = report.resident["used"] ?? 0
            #expect(try Self.alone("plain", [:]) < 0.3 * used)
            #expect((report.causes["huge-pages"] ?? 0) > 0.6 * used, "\(used) \(report.causes)")
        }

        private static var hasSwap: Bool {
            ((try? String(contentsOfFile: "/proc/swaps", encoding: .utf8)) ?? "").split(separator: "\n").count > 1
        }

        @Test(.enabled(if: hasSwap, "no swap"))
        func whatIsSwappedOutIsNotForgotten() throws {
            let report = try Self.report("swapped")
            #expect(report.growthCause == "swapped", "\(report.text)")
            #expect((report.causes["swapped"] ?? 0) > 50, "\(report.causes)")
        }

        private static let memoryGroups = "/sys/fs/cgroup/memory"

        /// Where version 1 is mounted.
        @Test(
            .enabled(if: access(memoryGroups + "/memory.limit_in_bytes", W_OK) == 0, "no writable memory control group")
        )
        func theLimitOfAControlGroupIsShownWithItsDistance() throws {
            let group = Self.memoryGroups + "/silt-ledger-\(getpid())"
            try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: false)
            defer { rmdir(group) }
            try "\(256 << 20)".write(toFile: group + "/memory.limit_in_bytes", atomically: false, encoding: .utf8)
            let script = "echo $$ > \(group)/cgroup.procs && exec \"$@\""
            let report = try Self.report("group", before: ["sh", "-c", script, "sh"])
            let line = try #require(
                report.text.firstMatch(
                    of:
                        #/control group: ([\d.]+) MiB of 256 MiB used, ([\d.]+) MiB left; ([\d.]+) MiB of it is page cache/#
                ),
                "\(report.text)"
            )
            let (used, left) = (try #require(Double(line.1)), try #require(Double(line.2)))
            let cache = try #require(Double(line.3))
            #expect(abs(used + left - 256) < 2 && used > 96 && cache >= 31, "\(line.0)")
            #expect(Self.isNear(report.causes["control-group"], used), "\(report.causes)")
        }
    }
}
