internal import ArgumentParser
internal import Glibc
internal import SiltSession
internal import SiltSystem
internal import SiltText

/// What a shell offers for the word at the cursor; asked for each time, so that it is what is there now.
enum Candidates {
    /// Recordings that silt keeps by itself, newest first, then files: those called as recordings and profiles are, or all.
    static func recordings(_ start: String) -> [String] {
        let kept = KeptRecordings()?.paths.filter { $0.hasPrefix(start) } ?? []
        let called = files(start) { path in endings.contains { path.hasSuffix($0) } }
        return kept + (called.contains { !$0.hasSuffix("/") } ? called : files(start))
    }

    private static let endings = [".silt", ".pb.gz", ".pb", ".pprof", ".prof"]

    /// Processes that are traced now.
    static func traced(_ start: String) -> [String] {
        LiveTrace.tracedProcesses().map { String($0.pid) }.filter { $0.hasPrefix(start) }
    }

    /// Processes that may be looked at, silt itself left out.
    static func processes(_ start: String) -> [String] {
        guard start.allSatisfy(\.isNumber) else { return [] }
        return processNumbers().sorted()
            .filter { String($0).hasPrefix(start) && $0 != getpid() && processExecutable($0) != nil }.map(String.init)
    }

    /// Programs on PATH by their name, once a letter is typed, or those in a folder.
    static func programs(_ start: String) -> [String] {
        let isProgram = { (path: String) in access(path.system, X_OK) == 0 }
        guard !start.isEmpty, !start.contains("/"), !start.hasPrefix("~") else { return files(start, isProgram) }
        let folders = (Environment.value("PATH") ?? "").split(separator: ":").map(String.init)
        let found = folders.flatMap { folder in
            FileBytes.names(in: folder).filter { $0.hasPrefix(start) && isProgram("\(folder)/\($0)") }
        }
        return Set(found).sorted() + files(start, isProgram)
    }

    /// Files and folders, as a shell names them; hidden ones only when asked for.
    private static func files(_ start: String, _ isWanted: (String) -> Bool = { _ in true }) -> [String] {
        let slash = start.lastIndex(of: "/").map { start.index(after: $0) } ?? start.startIndex
        let (folder, name) = (String(start[..<slash]), start[slash...])
        var place = folder.isEmpty ? "./" : folder
        if place.hasPrefix("~/"), let home = Environment.value("HOME") { place = home + place.dropFirst() }
        return FileBytes.names(in: place).sorted().compactMap { entry in
            guard entry.hasPrefix(name), name.hasPrefix(".") || !entry.hasPrefix(".") else { return nil }
            if isFolder(place + entry) { return folder + entry + "/" }
            return isWanted(place + entry) ? folder + entry : nil
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path.system, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The word at the cursor, as far as it was typed.
    fileprivate static func start(_ prefix: String) -> String {
        // Shells hand over quotes and backslashes as they were typed.
        prefix.filter { !"\\'\"".contains($0) }
    }
}

extension CompletionKind {
    static let plans = CompletionKind.file(extensions: ["yml", "yaml"])
    static let recordings = offered { Candidates.recordings($0) }
    static let recordingsAndTraces = offered { Candidates.traced($0) + Candidates.recordings($0) }
    static let programs = offered { Candidates.programs($0) }
    static let programsAndProcesses = offered { Candidates.processes($0) + Candidates.programs($0) }

    private static func offered(_ candidates: @escaping @Sendable (String) -> [String]) -> CompletionKind {
        .custom { _, _, prefix in candidates(Candidates.start(prefix)) }
    }
}
