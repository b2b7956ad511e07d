import Foundation
import SiltRecording
import SiltTestNumbers
import SiltTestSupport
import Testing

@Suite struct RecordingFileTests {
    private func closedRecording(_ folder: Folder) throws -> String {
        let path = folder.file("a.silt")
        let writer = try RecordingWriter(path: path)
        try SmallWorld.write(to: writer)
        try writer.close()
        return path
    }

    private func error(reading path: String) -> RecordingError? {
        do {
            _ = try Recording(path: path)
            return nil
        } catch {
            return error
        }
    }

    @Test func aKilledWriterLeavesEverythingItCommitted() throws {
        let folder = try Folder()
        let path = folder.file("killed.silt")
        let tool = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("RecordingWriterProcess")
        let output = folder.file("output")
        let writer = try StartedProgram([tool.path(), path], output: output)
        defer { writer.end() }
        try waitUntil("eight snapshots are written") {
            try String(contentsOfFile: output, encoding: .utf8).contains("\n7\n")
        }
        writer.end()
        let recording = try Recording(path: path)
        #expect(recording.snapshots.count >= 8)
        #expect(recording.stacks.count == recording.snapshots.count * 1000)
        #expect(recording.counters.count == recording.stacks.count)
        #expect(!recording.isClosed)
        #expect(recording.target.command == ["/bin/endless", "--now"])
    }

    @Test func otherFilesAreNamedAndLeftAlone() throws {
        let folder = try Folder()
        let path = folder.file("notes.txt")
        try Data("hello, this is no recording; it is long enough to hold a header of a hundred bytes, and more".utf8)
            .write(to: URL(fileURLWithPath: path))
        #expect(error(reading: path) == .notARecording(path: path))
        #expect(throws: RecordingError.notARecording(path: path)) { try RecordingWriter(path: path) }
        #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("hello"))
        #expect(error(reading: folder.path) == .notARecording(path: folder.path))
        #expect(error(reading: "/dev/null") == .notARecording(path: "/dev/null"))
    }

    @Test func anotherDatabaseIsNoRecording() throws {
        let folder = try Folder()
        let path = folder.file("other.db")
        _ = try sqlite3(path, "CREATE TABLE a (b); INSERT INTO a VALUES (1)")
        #expect(error(reading: path) == .notARecording(path: path))
        #expect(throws: RecordingError.notARecording(path: path)) { try RecordingWriter(path: path) }
    }

    @Test func aMissingFileSaysSo() throws {
        let folder = try Folder()
        guard case .cannotOpen(_, let reason) = error(reading: folder.file("none.silt")) else {
            Issue.record("no error")
            return
        }
        #expect(reason == "No such file or directory")
    }

    /// Version 1 had no resources: goroutines were processes.
    @Test func theVersionBeforeIsReadAndItsGoroutinesAreNoBlocks() throws {
        let folder = try Folder()
        let path = folder.file("old.silt")
        let writer = try RecordingWriter(path: path)
        try SmallWorld.write(to: writer)
        var counters = RecordedCounters(.heap, process: 2, stack: 1)
        counters.inUseBytes = 3
        try writer.write(counters)
        try writer.write(history: [6], of: .heap, process: 2, stack: 1)
        try writer.close()
        func old(_ table: String, _ columns: String) -> String {
            "CREATE TABLE old AS SELECT \(columns) FROM \(table); DROP TABLE \(table); ALTER TABLE old RENAME TO \(table);"
        }
        let numbers = "snapshot, width, inuse_space, trough_space, inuse_objects, alloc_space, alloc_objects"
        _ = try sqlite3(
            path,
            "DROP VIEW site_series;" + old("site_samples", "process, site, \(numbers)")
                + old("histories", "process, stack, state")
                + old("site_histories", "process, site, state")
                + "INSERT INTO process_kinds VALUES (2, 'goroutine'); PRAGMA user_version = 1;"
        )
        let recording = try Recording(path: path)
        #expect(recording.counters.map(\.resource) == [.heap, .heap, .heap, .goroutine])
        #expect(recording.counters.map(\.inUseBytes) == [100, 200, 300, 3])
        #expect(recording.histories.map(\.resource) == [.heap, .goroutine])
        #expect(recording.groupSamples.map(\.inUseBytes) == [6])
        #expect(recording.processes.map(\.isProfiled) == [false, true])
    }

    @Test func anotherVersionIsNamed() throws {
        let folder = try Folder()
        let path = try closedRecording(folder)
        _ = try sqlite3(path, "PRAGMA user_version = 9")
        #expect(error(reading: path) == .otherVersion(path: path, found: 9, supported: 2))
        #expect("\(RecordingError.otherVersion(path: path, found: 9, supported: 2))".contains("newer silt"))
    }

    @Test func anOlderRecordingIsReplaced() throws {
        let folder = try Folder()
        let path = try closedRecording(folder)
        let writer = try RecordingWriter(path: path)
        try writer.close()
        #expect(try Recording(path: path).stacks.isEmpty)
    }

    @Test func aFileCutAnywhereIsAnErrorAndNoCrash() throws {
        let folder = try Folder()
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: closedRecording(folder))))
        let path = folder.file("cut.silt")
        for length in stride(from: 0, to: bytes.count - 1, by: 997) {
            try Data(bytes[..<length]).write(to: URL(fileURLWithPath: path))
            #expect(error(reading: path) != nil, "cut at \(length) of \(bytes.count)")
        }
    }

    @Test(arguments: [1 as UInt64, 2, 3, 4])
    func randomlyOverwrittenFilesNeverCrash(_ seed: UInt64) throws {
        let folder = try Folder()
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: closedRecording(folder))))
        let path = folder.file("torn.silt")
        var generator = SeededGenerator(seed: seed)
        var errors = 0
        for _ in 0..<100 {
            var torn = bytes
            for _ in 0..<40 {
                let random = generator.next()
                torn[100 + Int(random >> 33) % (torn.count - 100)] = UInt8(truncatingIfNeeded: random >> 20)
            }
            try Data(torn).write(to: URL(fileURLWithPath: path))
            if error(reading: path) != nil { errors += 1 }
        }
        #expect(errors > 0)
    }

    @Test(arguments: [
        "UPDATE call_tree SET steps = '[1,1,1]'", "UPDATE call_tree SET steps = '[0,,1]'",
        "UPDATE call_tree SET steps = '[0,1'", "UPDATE call_tree SET steps = '[-1,1,1]'",
        "UPDATE call_tree SET steps = NULL", "UPDATE call_tree SET steps = '[0,1,1]]'",
        "UPDATE call_tree SET steps = '[0,1,1,1]'", "UPDATE call_tree SET frames = '[1,2]'",
        "UPDATE call_tree SET frames = '[99,2,1]'", "UPDATE call_tree SET frames = '[1,2,4294967297]'",
        "UPDATE call_tree SET frames = '[1,2,99999999999999999999]'", "UPDATE call_tree SET frames = '[1,2,1,1]'",
        "UPDATE call_tree SET frames = ''", "UPDATE call_tree SET frames = '[1 ,2,1]'",
        "UPDATE frames SET module = 7", "INSERT INTO call_tree VALUES (1 << 40, '[0]', '[1]')",
        "INSERT INTO call_tree VALUES (-5, '[0]', '[1]')", "INSERT INTO symbol_rows VALUES (1, 9, 500, 0, 0, 0)",
        "INSERT INTO calls VALUES (1, 500)", "INSERT INTO calls VALUES (99, 1)",
        "UPDATE counter_chunks SET numbers = replace(numbers, '[1,', '[77,')",
        "UPDATE counter_chunks SET numbers = '[[1,1,2,3,4,5,6,7]]'",
        "UPDATE counter_chunks SET numbers = '[[1,1,2,3,4,5,6,7,8,9]]'",
        "UPDATE counter_chunks SET numbers = '[[512,1,2,3,4,5,6,7,8]]'",
        "UPDATE counter_chunks SET numbers = '[[1,1,2,3,4,5,6,7,8],[1,1,2,3,4,5,6,7,8]]'",
        "UPDATE counter_chunks SET numbers = '[[1,1,2,3,4,5,6,7,18446744073709551616]]'",
        "UPDATE counter_chunks SET numbers = '[[1,1,2,3,4,5,6,7,8]'", "UPDATE counter_chunks SET numbers = NULL",
        "DROP TABLE counter_chunks",
    ])
    func inconsistentRowsAreDamage(_ sql: String) throws {
        let folder = try Folder()
        let path = try closedRecording(folder)
        _ = try sqlite3(path, sql)
        guard case .damaged = error(reading: path) else {
            Issue.record("read after \(sql)")
            return
        }
    }

    @Test func theSQLiteShellAnswersQuestions() throws {
        let folder = try Folder()
        let path = try closedRecording(folder)
        #expect(
            try sqlite3(path, "SELECT function, file, line, inuse_space, stacks FROM sites")
                == "outer|/src/a.c|40|600|3\n"
        )
        #expect(
            try sqlite3(path, "SELECT position, function FROM stack_frames WHERE stack = 3 ORDER BY position, depth")
                == "0|inner\n0|outer\n1|\n2|inner\n2|outer\n"
        )
        #expect(try sqlite3(path, "SELECT function, inuse_space, time_ns FROM site_series") == "outer|6|5000000000\n")
        #expect(try sqlite3(path, "PRAGMA integrity_check") == "ok\n")
    }

    /// As it was stored before stacks and counters were put together.
    @Test func aRecordingWithARowAStackIsRead() throws {
        let folder = try Folder()
        let path = try closedRecording(folder)
        let recording = try Recording(path: path)
        let rows = "SELECT stack, parent, frame FROM stacks"
        let counters = "SELECT stack, site, inuse_space, inuse_objects, peak_space, temporary_objects FROM counters"
        #expect(try sqlite3(path, rows) == "1|0|1\n2|1|2\n3|2|1\n")
        #expect(try sqlite3(path, counters) == "1|1|100|1|7|1\n2|1|200|2|7|1\n3|1|300|3|7|1\n")
        _ = try sqlite3(
            path,
            """
            CREATE TABLE old AS \(rows); DROP VIEW stack_frames; DROP VIEW stacks; DROP TABLE call_tree;
            ALTER TABLE old RENAME TO stacks;
            CREATE TABLE old AS SELECT * FROM counters; DROP VIEW sites; DROP VIEW counters; DROP TABLE counter_chunks;
            ALTER TABLE old RENAME TO counters; UPDATE counters SET alloc_space = -1;
            """
        )
        let old = try Recording(path: path)
        #expect(old.stacks == recording.stacks && old.stacks.count == 3)
        #expect(old.counters == recording.counters && old.counters.count == 3)
    }

    /// As stacks were stored before their steps and frames were apart.
    @Test func aRecordingWithNodesIsRead() throws {
        let folder = try Folder()
        let path = try closedRecording(folder)
        let stacks = try Recording(path: path).stacks
        _ = try sqlite3(
            path,
            """
            DROP VIEW stack_frames; DROP VIEW stacks; DROP TABLE call_tree;
            CREATE TABLE stack_chunks (first INTEGER PRIMARY KEY, nodes TEXT);
            INSERT INTO stack_chunks VALUES (1, '[1,4294967298,4294967297]')
            """
        )
        #expect(try Recording(path: path).stacks == stacks && stacks.count == 3)
        _ = try sqlite3(path, "UPDATE stack_chunks SET nodes = '[1,8589934594,4294967297]'")
        #expect(error(reading: path) != nil)
    }

    @Test func aRecordingInAFolderWithoutWritePermissionIsRead() throws {
        let folder = try Folder()
        let path = try closedRecording(folder)
        chmod(path, 0o400)
        chmod(folder.path, 0o500)
        defer { chmod(folder.path, 0o700) }
        #expect(try Recording(path: path).stacks.count == 3)
    }

    private func sqlite3(_ path: String, _ sql: String) throws -> String {
        try runProgram(["sqlite3", path, sql]).output
    }
}
