internal import Glibc
package import SiltEvents
internal import SiltText

/// Addresses → functions, files, lines and inlined calls, out of the files that were loaded.
///
/// A file is opened when the first address in it is asked for, and kept open: one that is replaced or removed later is
/// still read. A file that is not the one that was loaded gives no names: its build id differs, or, where there is none,
/// it is another file or was changed since. Files of targets in containers are looked for under `/proc/PID/root`, removed
/// ones under `/proc/PID/exe` and `map_files`, and executables where the target has handed them over.
/// Not for use by two threads at once.
package final class Symbolizer {
    private var files: [Module: Result<SymbolFile, SymbolError>] = [:]
    /// Traced processes, the latest last.
    private var processes: [Int32] = []
    private static let processLimit = 32
    private let loaded = LoadedFiles()

    package init() {}

    /// Files may be found through this process while it lives.
    package func add(process pid: Int32) {
        processes.removeAll { $0 == pid }
        processes.append(pid)
        if processes.count > Self.processLimit { processes.removeFirst() }
    }

    /// What a process says is its executable, by an open file: the process may be gone before its path is looked at.
    ///
    /// Takes the descriptor over.
    package func add(executable descriptor: Int32, path: String) {
        if loaded.add(executable: descriptor, path: path) { forget(path) }
    }

    /// Keeps open what a process has mapped and cannot be found at its path.
    package func look(at pid: Int32) { loaded.look(at: Mapping.all(of: pid), of: pid) }

    /// A process has loaded these files.
    ///
    /// `began`: when the process did (CLOCK_REALTIME, in ns). `pid`: nil when it is a process of another time.
    package func add(modules: [Module], began: Int64, pid: Int32?) {
        var mapped: Set<UInt64>?
        func inodes() -> Set<UInt64> {
            if let mapped { return mapped }
            let found = Set(pid.map { Mapping.all(of: $0).map(\.inode) } ?? [])
            mapped = found
            return found
        }
        for module in modules where module.path.hasPrefix("/") {
            if module.buildID.isEmpty {
                let isNews = loaded.add(path: module.path, began: began, pid: pid, mapped: inodes())
                if isNews { forget(module.path) }
            } else if let pid, files[module] == nil {
                loaded.keep(path: module.path, of: pid)
            }
        }
    }

    /// Several files of this path are loaded.
    private func forget(_ path: String) { files[Module(path: path, buildID: [])] = .failure(.replaced) }

    /// The functions at an address, innermost first; one nameless frame when nothing is known.
    ///
    /// `offset` is in the file's own numbering. Return addresses are looked up one byte earlier, inside the call.
    /// Without `lines` no debug information is read: one frame, named by its symbol.
    package func resolve(_ module: Module, offset: UInt64, exact: Bool, lines: Bool = true) -> [SourceFrame] {
        guard let file = file(module) else { return [SourceFrame(function: "")] }
        let address = exact ? offset : offset &- 1
        return lines ? file.frames(at: address) : [SourceFrame(function: file.symbol(at: address) ?? "")]
    }

    /// The function of another file that is called right before an address, as its symbol has it; nil of what is no return
    /// address.
    package func called(_ module: Module, offset: UInt64, kind: Frame.Kind) -> String? {
        kind == .returnAddress ? file(module)?.called(before: offset) : nil
    }

    /// The function whose symbol covers the address, demangled; no debug information is read.
    ///
    /// The last frame of `resolve` has this name, when there is one. nil also where several symbols name one place.
    package func functionName(_ module: Module, offset: UInt64, exact: Bool) -> String? {
        file(module)?.unambiguousSymbol(at: exact ? offset : offset &- 1)
    }

    /// Why addresses of a file get no lines, as the end of "no line numbers for F: "; nil when they do.
    package func missingLines(_ module: Module) -> String? {
        guard module.path.hasPrefix("/") else { return "it is not a file" }
        if let file = file(module) { return file.missingLines() }
        guard case .failure(let error)? = files[module] else { return nil }
        return error.description
    }

    /// Gives back the memory a file takes; it is opened again when asked for.
    package func release(_ module: Module) { files[module] = nil }

    private func file(_ module: Module) -> SymbolFile? {
        switch files[module] {
        case .success(let file):
            if file.isIntact { return file }
            files[module] = .failure(.overwritten)
            return nil
        case .failure: return nil
        case nil: break
        }
        guard module.path.hasPrefix("/") else { return nil }
        var result = open(module)
        if case .failure(.unreadable) = result, errno == EMFILE, !files.isEmpty {
            // Too many files: those that are open can be opened again.
            files = files.filter { if case .failure = $0.value { true } else { false } }
            result = open(module)
        }
        files[module] = result
        guard case .success(let file) = result else { return nil }
        return file
    }

    private func open(_ module: Module) -> Result<SymbolFile, SymbolError> {
        var failure = SymbolError.gone
        let held = loaded.handles(module.path).map { (place: $0.place, status: Optional($0.status)) }
        for (place, status) in held + candidates(module.path).map({ (place: $0, status: nil) }) {
            do throws(SymbolError) {
                let file = try SymbolFile(path: module.path, place: place, status: status, buildID: module.buildID) {
                    self.loaded.objection(to: $0, path: module.path)
                }
                return .success(file)
            } catch {
                // The first reason that says more than that there is no such file.
                if case .gone = failure { failure = error }
            }
        }
        return .failure(failure)
    }

    /// Where the file may be, the likeliest place first.
    private func candidates(_ path: String) -> [String] {
        var result = [path]
        let removed = " (deleted)"
        let isRemoved = path.hasSuffix(removed)
        let name = isRemoved ? String(path.dropLast(removed.utf8.count)) : path
        for pid in processes.reversed() {
            let executable = "/proc/\(pid)/exe"
            let link = target(of: executable)
            if link == name || link == name + removed { result.append(executable) }
            result.append("/proc/\(pid)/root" + name)
        }
        if isRemoved || access(path.system, F_OK) != 0 {
            for pid in processes.reversed() { result += mappings(of: name, in: pid) }
        }
        return result
    }

    /// Mappings of a removed file, through which it can still be opened (proc_pid_map_files(5), needs privileges).
    private func mappings(of path: String, in pid: Int32) -> [String] {
        let mapping = Mapping.all(of: pid).first { $0.path == path || $0.path == path + " (deleted)" }
        return mapping.map { ["/proc/\(pid)/map_files/\($0.range)"] } ?? []
    }

    private func target(of link: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer -> String? in
            guard let start = buffer.baseAddress else { return nil }
            let length = readlink(link, start, buffer.count)
            return length > 0
                ? String(system: buffer.prefix(length).map { UInt8(bitPattern: $0) }) : nil
        }
    }
}
