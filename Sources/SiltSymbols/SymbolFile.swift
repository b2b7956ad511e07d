internal import CSiltSystem
internal import Clibdw
internal import Glibc
internal import SiltEvents
internal import SiltText

/// One file of a target, opened with libdw: its symbols at once, its debug information when a line is asked for.
final class SymbolFile {
    private let session: OpaquePointer
    private let module: OpaquePointer
    /// dwfl address − file address.
    private let bias: UInt64
    private let buildID: [UInt8]
    /// What was opened; a file that is overwritten in place would end this process when its pages are touched.
    private let path: String
    private let status: stat
    private let isCopied: Bool
    private let symbols: SymbolTable
    private var units: DebugUnits?
    private var names: [Int: String] = [:]
    private var lastLook = 0
    private var imports: ImportedCalls?

    nonisolated(unsafe) private static let callbacks: UnsafeMutablePointer<Dwfl_Callbacks> = {
        let made = UnsafeMutablePointer<Dwfl_Callbacks>.allocate(capacity: 1)
        made.initialize(to: Dwfl_Callbacks())
        made.pointee.find_elf = dwfl_build_id_find_elf
        made.pointee.find_debuginfo = findDebugInfo
        made.pointee.section_address = dwfl_offline_section_address
        return made
    }()

    /// Opens `place` when it is the file that the target loaded as `path`, by its build id or else by `objection`.
    ///
    /// `known`: what the file was whose copy `place` may be.
    init(
        path: String,
        place: String,
        status known: stat?,
        buildID: [UInt8],
        objection: (stat) -> SymbolError?
    ) throws(SymbolError) {
        var descriptor = silt_open_regular(place.system)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
            switch errno {
            case ENOENT: throw .gone
            case ENOTSUP, EISDIR: throw .unreadable("it is no regular file")
            default: throw .unreadable(errorText(errno))
            }
        }
        if let known { status = known }
        if buildID.isEmpty, let objection = objection(status) {
            close(descriptor)
            throw objection
        }
        let opened = descriptor
        descriptor = silt_detach(opened)
        isCopied = descriptor != opened
        silt_open_regular_only()
        defer { silt_open_anything() }
        guard let session = dwfl_begin(SymbolFile.callbacks) else {
            close(descriptor)
            throw .unreadable(lastMessage())
        }
        dwfl_report_begin(session)
        guard let module = dwfl_report_offline(session, path.system, path.system, descriptor) else {
            let message = lastMessage()
            close(descriptor)
            dwfl_end(session)
            throw .unreadable(message)
        }
        dwfl_report_end(session, nil, nil)
        var bias: GElf_Addr = 0
        guard dwfl_module_getelf(module, &bias) != nil else {
            let message = lastMessage()
            dwfl_end(session)
            throw .unreadable(message)
        }
        var bits: UnsafePointer<UInt8>?
        var address: GElf_Addr = 0
        let length = dwfl_module_build_id(module, &bits, &address)
        let found = length > 0 ? Array(UnsafeBufferPointer(start: bits, count: Int(length))) : []
        guard buildID.isEmpty || found == buildID else {
            dwfl_end(session)
            throw .differs
        }
        self.session = session
        self.module = module
        self.bias = bias
        self.buildID = buildID.isEmpty ? found : buildID
        self.path = place
        self.status = status
        symbols = SymbolTable(module)
    }

    deinit { dwfl_end(session) }

    /// False once the file was overwritten in place: then no page of it may be touched any more.
    ///
    /// Looked at every 50 ms at most. A file that was replaced by another of the same name stays readable.
    var isIntact: Bool {
        if isCopied { return true }
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
        let milliseconds = now.tv_sec * 1000 + now.tv_nsec / 1_000_000
        guard milliseconds - lastLook > 50 else { return true }
        lastLook = milliseconds
        var current = stat()
        guard stat(path.system, &current) == 0, current.st_dev == status.st_dev, current.st_ino == status.st_ino else {
            return true
        }
        return current.st_size == status.st_size && current.st_mtim.tv_sec == status.st_mtim.tv_sec
            && current.st_mtim.tv_nsec == status.st_mtim.tv_nsec
    }

    func symbol(at address: UInt64) -> String? {
        guard let index = symbols.index(of: address &+ bias) else { return nil }
        if let known = names[index] { return known }
        let name = symbols.name(index)
        names[index] = name
        return name
    }

    /// The symbol's name, unless symbols of the same place have others: then the debug information knows better.
    func unambiguousSymbol(at address: UInt64) -> String? {
        guard let index = symbols.index(of: address &+ bias), !symbols.hasAliases(index) else { return nil }
        return symbol(at: address)
    }

    /// The function of another file that is called right before a return address.
    func called(before address: UInt64) -> String? {
        if let imports { return imports.name(before: address) }
        var bias: GElf_Addr = 0
        guard let elf = dwfl_module_getelf(module, &bias) else { return nil }
        let made = ImportedCalls(elf)
        imports = made
        return made.name(before: address)
    }

    func frames(at address: UInt64) -> [SourceFrame] {
        silt_open_regular_only()
        defer { silt_open_anything() }
        let place = address &+ bias
        let outer = symbol(at: address) ?? ""
        guard let unit = debugUnits().unit(at: place) else { return [SourceFrame(function: outer)] }
        let pc = place &- unit.bias
        var (file, line) = unit.sourceLine(pc)
        var result: [SourceFrame] = []
        let scopes = unit.scopes(pc)
        for scope in scopes.dropLast() {
            result.append(SourceFrame(function: scope.function, file: file, line: line, inlined: true))
            (file, line) = (scope.callFile, scope.callLine)
        }
        var function = outer
        if let written = scopes.last?.function, !written.isEmpty, written != outer,
            outer.isEmpty || symbols.index(of: place).map({ symbols.isAlias(written, of: $0) }) == true
        {
            function = written
        }
        result.append(SourceFrame(function: function, file: file, line: line))
        let named = result.filter { !$0.function.isEmpty }
        return named.isEmpty ? [SourceFrame(function: "", file: file, line: line)] : named
    }

    /// Why there are no lines; nil when there are some.
    func missingLines() -> String? {
        guard debugUnits().isEmpty else { return nil }
        if symbols.isEmpty, buildID.isEmpty { return "it has no symbols" }
        if let compression = unreadableCompression() { return compression }
        return buildID.isEmpty
            ? "build it with -g"
            : "build it with -g, or install its debug symbols (\(debugFilePath(ofBuildID: buildID)))"
    }

    private func debugUnits() -> DebugUnits {
        if let units { return units }
        silt_open_regular_only()
        defer { silt_open_anything() }
        let read = DebugUnits(module)
        units = read
        return read
    }

    /// Debug sections compressed in a way this libelf cannot undo (ELFCOMPRESS_ZSTD needs elfutils 0.189).
    private func unreadableCompression() -> String? {
        var bias: GElf_Addr = 0
        guard let elf = dwfl_module_getelf(module, &bias) else { return nil }
        var section: OpaquePointer?
        while true {
            section = elf_nextscn(elf, section)
            guard let section else { return nil }
            var header = GElf_Shdr()
            var compression = GElf_Chdr()
            guard gelf_getshdr(section, &header) != nil, header.sh_flags & UInt64(SHF_COMPRESSED) != 0,
                gelf_getchdr(section, &compression) != nil
            else { continue }
            if compression.ch_type == 2 {
                return "its debug information is compressed with zstd, which silt cannot read"
            }
        }
    }
}

/// Where distributions keep the separate debug information of a build id.
package func debugFilePath(ofBuildID buildID: [UInt8]) -> String {
    let digits = buildID.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return "/usr/lib/debug/.build-id/" + (digits.first ?? "") + "/" + digits.dropFirst().joined() + ".debug"
}

/// Why a file gives no names.
enum SymbolError: Error, CustomStringConvertible {
    case gone
    case differs
    case replaced
    case overwritten
    case unreadable(String)

    var description: String {
        switch self {
        case .gone: "the file is gone"
        case .differs: "the file was replaced after it was loaded (its build id differs)"
        case .replaced: "the file was replaced after it was loaded (it has no build id, and is not what was loaded)"
        case .overwritten: "the file was overwritten after it was loaded"
        case .unreadable(let reason): "the file cannot be read: \(reason)"
        }
    }
}

private func lastMessage() -> String { dwfl_errmsg(-1).map { String(cString: $0) } ?? "unknown error" }

/// libdw's search by build id and debug link, but without asking debuginfod servers: that takes minutes where they do not answer.
private let findDebugInfo:
    @convention(c) (
        OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?, UnsafePointer<CChar>?, Dwarf_Addr,
        UnsafePointer<CChar>?, UnsafePointer<CChar>?, GElf_Word, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> Int32 = { module, userData, name, base, file, link, checksum, found in
        let servers = getenv("SILT_DEBUGINFOD") == nil ? getenv("DEBUGINFOD_URLS").flatMap { strdup($0) } : nil
        if servers != nil { unsetenv("DEBUGINFOD_URLS") }
        defer {
            if let servers {
                setenv("DEBUGINFOD_URLS", servers, 1)
                free(servers)
            }
        }
        return dwfl_standard_find_debuginfo(module, userData, name, base, file, link, checksum, found)
    }
