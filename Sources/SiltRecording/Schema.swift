internal import SiltEvents

/// The tables of a recording, in SQL; docs/recording.md says what they mean and how to query them.
enum Schema {
    /// "SILT" in the header of the SQLite file.
    static let applicationID = 0x5349_4c54
    /// Rises when a table changes its meaning; added tables and views do not need it.
    static let version = 2
    /// The oldest that is read: it knew no resources, but processes whose blocks were goroutines.
    static let oldestRead = 1

    /// In the table `process_kinds`.
    static let profileKind = "heap profile"

    /// Keys that are a pair live in WITHOUT ROWID tables: rows arrive in key order, and the pair is stored once.
    static let tables = """
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(version);
        CREATE TABLE target (id INTEGER PRIMARY KEY CHECK (id = 1), command TEXT, directory TEXT, executable TEXT,
            pid INTEGER, allocator TEXT, exit_status INTEGER, signal INTEGER, silt_version TEXT, kernel TEXT,
            snapshot_period_ns INTEGER, start_unix_ns INTEGER, start_ns INTEGER, end_ns INTEGER, untraceable TEXT,
            closed INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE costs (id INTEGER PRIMARY KEY CHECK (id = 1), command_cpu_ns INTEGER, command_peak INTEGER,
            analyzer_cpu_ns INTEGER, analyzer_peak INTEGER);
        CREATE TABLE snapshot_steps (id INTEGER PRIMARY KEY CHECK (id = 1), longest INTEGER);
        CREATE TABLE limits (id INTEGER PRIMARY KEY CHECK (id = 1), memory INTEGER);
        CREATE TABLE live_classes (process INTEGER, kind TEXT, class INTEGER, inuse_objects INTEGER, inuse_space INTEGER,
            PRIMARY KEY (process, kind, class)) WITHOUT ROWID;
        CREATE TABLE processes (process INTEGER PRIMARY KEY, pid INTEGER, parent_pid INTEGER, parent INTEGER,
            command TEXT, executable TEXT, forked INTEGER, start_ns INTEGER, end_ns INTEGER, ended TEXT, status INTEGER);
        CREATE TABLE untraced (program TEXT, reason TEXT, became TEXT, processes INTEGER, milliseconds INTEGER,
            grown INTEGER, starter INTEGER, PRIMARY KEY (program, reason, became)) WITHOUT ROWID;
        CREATE TABLE process_kinds (process INTEGER PRIMARY KEY, kind TEXT);
        CREATE TABLE totals (process INTEGER PRIMARY KEY, alloc_space INTEGER, alloc_objects INTEGER,
            free_space INTEGER, free_objects INTEGER, inuse_space INTEGER, inuse_objects INTEGER,
            peak_inuse_space INTEGER, mapped_space INTEGER);
        CREATE TABLE trust (process INTEGER PRIMARY KEY, \(trustColumns.map { $0 + " INTEGER" }.joined(separator: ", ")));
        CREATE TABLE stops (process INTEGER PRIMARY KEY, time_ns INTEGER);
        CREATE TABLE modules (module INTEGER PRIMARY KEY, path TEXT, build_id BLOB, missing_lines TEXT);
        CREATE TABLE frames (frame INTEGER PRIMARY KEY, module INTEGER, offset INTEGER, kind INTEGER);
        CREATE TABLE call_tree (first INTEGER PRIMARY KEY, steps TEXT, frames TEXT);
        CREATE TABLE counter_chunks (chunk INTEGER PRIMARY KEY, numbers TEXT);
        CREATE TABLE last_counter_chunks (chunk INTEGER PRIMARY KEY, numbers TEXT);
        CREATE TABLE snapshots (process INTEGER, snapshot INTEGER, width INTEGER, time_ns INTEGER,
            inuse_space INTEGER, trough_space INTEGER, inuse_objects INTEGER, alloc_space INTEGER,
            alloc_objects INTEGER, rss INTEGER, pss INTEGER, mapped INTEGER,
            PRIMARY KEY (process, snapshot)) WITHOUT ROWID;
        CREATE TABLE memory (process INTEGER, snapshot INTEGER, live INTEGER, allocator INTEGER, mapped INTEGER,
            stacks INTEGER, files INTEGER, own INTEGER, other INTEGER, PRIMARY KEY (process, snapshot)) WITHOUT ROWID;
        CREATE TABLE memory_details (process INTEGER, snapshot INTEGER, \(detailColumns),
            PRIMARY KEY (process, snapshot)) WITHOUT ROWID;
        CREATE TABLE pinned_pages (process INTEGER, stack INTEGER, bytes INTEGER,
            PRIMARY KEY (process, stack)) WITHOUT ROWID;
        CREATE TABLE moved_blocks (process INTEGER, stack INTEGER, objects INTEGER, bytes INTEGER,
            PRIMARY KEY (process, stack)) WITHOUT ROWID;
        CREATE TABLE descriptor_limits (process INTEGER PRIMARY KEY, descriptors INTEGER, open INTEGER, full_ns INTEGER);
        -- Stays empty: earlier readers ask for it.
        CREATE TABLE samples (resource INTEGER, process INTEGER, stack INTEGER, snapshot INTEGER, width INTEGER,
            inuse_space INTEGER, trough_space INTEGER, inuse_objects INTEGER, alloc_space INTEGER,
            alloc_objects INTEGER, PRIMARY KEY (resource, process, stack, snapshot)) WITHOUT ROWID;
        CREATE TABLE site_samples (resource INTEGER, process INTEGER, site INTEGER, snapshot INTEGER, width INTEGER,
            inuse_space INTEGER, trough_space INTEGER, inuse_objects INTEGER, alloc_space INTEGER,
            alloc_objects INTEGER, PRIMARY KEY (resource, process, site, snapshot)) WITHOUT ROWID;
        CREATE TABLE histories (resource INTEGER, process INTEGER, stack INTEGER, state BLOB,
            PRIMARY KEY (resource, process, stack)) WITHOUT ROWID;
        CREATE TABLE site_histories (resource INTEGER, process INTEGER, site INTEGER, state BLOB,
            PRIMARY KEY (resource, process, site)) WITHOUT ROWID;
        CREATE TABLE strings (string INTEGER PRIMARY KEY, text TEXT);
        CREATE TABLE calls (frame INTEGER PRIMARY KEY, function INTEGER);
        CREATE TABLE symbol_rows (frame INTEGER, depth INTEGER, function INTEGER, file INTEGER, line INTEGER,
            inlined INTEGER, PRIMARY KEY (frame, depth)) WITHOUT ROWID;
        CREATE TABLE phases (phase INTEGER PRIMARY KEY, name TEXT, start_ns INTEGER, end_ns INTEGER, requests INTEGER);
        CREATE TABLE rounds (round INTEGER PRIMARY KEY, phase INTEGER, kind TEXT, requests INTEGER, failed INTEGER,
            start_ns INTEGER, end_ns INTEGER);
        CREATE TABLE hunt_ends (id INTEGER PRIMARY KEY CHECK (id = 1), reason TEXT, planned TEXT);
        CREATE TABLE phase_allocations (process INTEGER, phase INTEGER, stack INTEGER, alloc_objects INTEGER,
            alloc_space INTEGER, PRIMARY KEY (process, phase, stack)) WITHOUT ROWID;
        CREATE TABLE phase_frees (process INTEGER, phase INTEGER, stack INTEGER, free_stack INTEGER,
            free_objects INTEGER, free_space INTEGER, PRIMARY KEY (process, phase, stack, free_stack)) WITHOUT ROWID;
        CREATE TABLE marks (mark INTEGER PRIMARY KEY, name TEXT, time_ns INTEGER);
        CREATE TABLE examples (resource INTEGER, process INTEGER, stack INTEGER, kind TEXT, text TEXT, since_ns INTEGER,
            PRIMARY KEY (resource, process, stack)) WITHOUT ROWID;
        CREATE TABLE thread_stacks (process INTEGER, thread TEXT, stacks TEXT,
            PRIMARY KEY (process, thread)) WITHOUT ROWID;
        """

    /// In the order in which `RecordingWriter.write(_:process:)` binds them and the reader reads them.
    static let trustColumns = [
        "allocations", "frees", "reallocations", "undone_frees", "maps", "unmaps", "remaps", "unknown_kinds",
        "events_sent", "committed_bytes", "received_bytes", "gaps", "unknown_frees", "inherited_frees", "overwritten",
        "unmatched_unfrees", "waits", "wait_ns", "lost", "reentered", "stacks", "stacks_slow", "stacks_truncated",
        "stacks_incomplete", "stacks_missing", "modules_lost", "imports_unbound", "takes", "gives",
        "descriptors_unseen", "off_reason",
    ]

    private static let detailColumns = MemoryDetail.allCases.map { $0.name + " INTEGER" }.joined(separator: ", ")

    /// For the sqlite3 shell: symbols in text, call sites by their stack's innermost frame, stacks frame by frame.
    static let views = """
        CREATE VIEW symbols AS
            SELECT s.frame, s.depth, f.text AS function, p.text AS file, s.line, s.inlined
            FROM symbol_rows s LEFT JOIN strings f ON f.string = s.function LEFT JOIN strings p ON p.string = s.file;
        CREATE VIEW stacks AS
            SELECT first + key AS stack,
                (first + key - json_extract(steps, '$[' || key || ']')) * (json_extract(steps, '$[' || key || ']') <> 0)
                    AS parent,
                value AS frame
            FROM call_tree, json_each(frames) WHERE value <> 0;
        CREATE VIEW stack_frames AS
            SELECT stacks.stack, walked.key AS position, frames.frame, modules.path AS module, frames.offset,
                symbols.depth, symbols.function, symbols.file, symbols.line
            FROM stacks, json_each((
                WITH RECURSIVE walk (frame, caller) AS (
                    SELECT stacks.frame, stacks.parent
                    UNION ALL
                    SELECT json_extract(frames, '$[' || (caller - first) || ']'),
                        (caller - json_extract(steps, '$[' || (caller - first) || ']'))
                            * (json_extract(steps, '$[' || (caller - first) || ']') <> 0)
                    FROM walk JOIN call_tree
                        ON first = (caller - 1) / \(StackChunk.size) * \(StackChunk.size) + 1
                    WHERE caller <> 0)
                SELECT json_group_array(frame) FROM walk)) AS walked
                JOIN frames ON frames.frame = walked.value
                LEFT JOIN modules ON modules.module = frames.module
                LEFT JOIN symbols ON symbols.frame = frames.frame;
        CREATE VIEW counters AS
            SELECT chunk >> 56 AS resource, chunk >> 32 & 16777215 AS process, (chunk & 4294967295) + json_extract(value, '$[0]') AS stack,
                json_extract(value, '$[1]') AS site,
                json_extract(value, '$[2]') AS inuse_space, json_extract(value, '$[3]') AS inuse_objects,
                json_extract(value, '$[4]') AS alloc_space, json_extract(value, '$[5]') AS alloc_objects,
                json_extract(value, '$[6]') AS peak_space, json_extract(value, '$[7]') AS peak_objects,
                json_extract(value, '$[8]') AS temporary_objects
            FROM counter_chunks, json_each(numbers);
        CREATE VIEW sites AS
            SELECT coalesce(symbols.function, modules.path || '+' || frames.offset) AS function, symbols.file, symbols.line,
                sum(inuse_space) AS inuse_space, sum(inuse_objects) AS inuse_objects,
                sum(alloc_space) AS alloc_space, sum(alloc_objects) AS alloc_objects, count(*) AS stacks
            FROM counters JOIN frames ON frames.frame = counters.site
                LEFT JOIN modules ON modules.module = frames.module
                LEFT JOIN symbols ON symbols.frame = counters.site AND symbols.inlined = 0
            WHERE resource = 0 GROUP BY 1, 2, 3;
        CREATE VIEW site_series AS
            SELECT site_samples.*, coalesce(symbols.function, '') AS function, snapshots.time_ns
            FROM site_samples
                LEFT JOIN snapshots ON snapshots.process = site_samples.process
                    AND snapshots.snapshot = site_samples.snapshot
                LEFT JOIN symbols ON symbols.frame = site_samples.site AND symbols.inlined = 0;
        """
}
