internal import CSiltSystem
internal import Clibdw
internal import Glibc
internal import SiltText

/// What keeps a program from being traced, with what to do instead.
package enum Obstacle: Equatable, Sendable {
    case notFound(String)
    case notExecutable(String)
    case directory(String)
    case notAProgram(String)
    case otherMachine(String)
    case thirtyTwoBit
    case staticallyLinked
    case goWithoutLibc
    case muslLibc(interpreter: String)
    case setuid
    case fileCapabilities
    case mallocInside(symbol: String)
    case sanitizer(String)

    /// What a shell ends with where no such program runs, traced or not; nil where it would.
    var shellStatus: Int32? {
        switch self {
        case .notFound: 127
        case .notExecutable, .directory, .notAProgram: 126
        case .otherMachine, .thirtyTwoBit, .staticallyLinked, .goWithoutLibc, .muslLibc, .setuid, .fileCapabilities,
            .mallocInside, .sanitizer:
            nil
        }
    }

    /// One sentence that names the obstacle.
    package var problem: String {
        switch self {
        case .notFound(let name): "\(name): no such \(name.contains("/") ? "file" : "program on PATH")"
        case .notExecutable(let path): "\(path) is not executable"
        case .directory(let path): "\(path) is a directory"
        case .notAProgram(let path): "\(path) is neither an ELF program nor a script"
        case .otherMachine(let machine): "built for another machine (\(machine)); silt traces x86-64"
        case .thirtyTwoBit: "a 32-bit program; the preload library is 64-bit"
        case .staticallyLinked: "statically linked: no dynamic loader runs, so nothing can be preloaded"
        case .goWithoutLibc: "a Go program without libc: its heap never calls malloc and no loader runs"
        case .muslLibc(let interpreter):
            "linked against \(interpreter.contains("ld-musl") ? "musl" : "another C library") (\(interpreter)); "
                + "the preload library needs glibc"
        case .setuid: "setuid or setgid: the loader ignores LD_PRELOAD for it (ld.so(8), secure-execution mode)"
        case .fileCapabilities: "it has file capabilities: the loader ignores LD_PRELOAD for it (ld.so(8))"
        case .mallocInside(let symbol):
            "\(symbol) is defined inside the executable, so its calls never reach a preloaded library"
        case .sanitizer(let name): "built with \(name), which replaces malloc and must be the first library"
        }
    }

    /// The same behind the program's name, which is not said twice.
    func problem(of program: String) -> String {
        let rest = problem.hasPrefix(program) ? problem.dropFirst(program.count) : ""
        if rest.hasPrefix(": ") { return String(rest.dropFirst(2)) }
        return rest.hasPrefix(" ") ? "it" + rest : problem
    }

    /// Whether a command that is not on PATH is a program of the working directory.
    private func isHere(_ name: String) -> Bool { !name.contains("/") && access("./\(name)".system, X_OK) == 0 }

    /// What the user can do about it.
    package var remedy: String {
        switch self {
        case .notFound(let name): isHere(name) ? "give its path: ./\(name)" : "check the name, or give a path"
        case .notExecutable: "chmod +x it, or name its interpreter"
        case .directory: "name a program in it"
        case .notAProgram: "name the program that runs it"
        case .otherMachine, .thirtyTwoBit: "trace a 64-bit x86 build of it"
        case .staticallyLinked: "link it dynamically (drop -static) and run it again"
        case .goWithoutLibc:
            "silt hunt --pprof http://127.0.0.1:6060/debug/pprof … pulls its own profiles (net/http/pprof)"
        case .muslLibc: "build it for glibc (a Debian or Ubuntu image)"
        case .setuid: "run a copy without the bit: cp PROGRAM /tmp/copy, then trace the copy as the user it needs"
        case .fileCapabilities: "run a copy (cp drops capabilities), or setcap -r it"
        case .sanitizer: "trace a build without -fsanitize"
        case .mallocInside: "build it with the allocator as a shared library, or without -static-lib… for it"
        }
    }
}

/// What `doctor` finds out about a program without running it.
package struct TargetInspection: Sendable {
    /// The ELF file that would run: the program itself, or the interpreter of a script.
    package var executable: String
    /// The chain of `#!` interpreters that led there, outermost script first; empty for a program.
    package var scripts: [String] = []
    package var interpreter: String?
    package var obstacle: Obstacle?
    /// Things that work, but not wholly; one sentence each.
    package var notes: [String] = []
    package var isGo = false
    package var hasLineTables = false
    package var buildID: String?

    package var canBeTraced: Bool { obstacle == nil }
}

/// Looks a command up as execvp(3) does and inspects what would run.
package func inspectTarget(command: String) -> TargetInspection {
    guard let path = findProgram(command) else {
        return TargetInspection(executable: command, obstacle: .notFound(command))
    }
    return inspectProgram(path: path, depth: 0)
}

/// The path execvp(3) would run for a name; nil when there is none.
package func findProgram(_ name: String) -> String? {
    if name.contains("/") { return access(name.system, F_OK) == 0 ? name : nil }
    let path = Environment.value("PATH") ?? "/bin:/usr/bin"
    for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
        let candidate = (directory.isEmpty ? "." : String(directory)) + "/" + name
        var status = stat()
        if access(candidate.system, X_OK) == 0, stat(candidate.system, &status) == 0, status.st_mode & S_IFMT == S_IFREG
        {
            return candidate
        }
    }
    return nil
}

private func inspectProgram(path: String, depth: Int) -> TargetInspection {
    var inspection = TargetInspection(executable: path)
    var status = stat()
    guard stat(path.system, &status) == 0 else {
        inspection.obstacle = .notFound(path)
        return inspection
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
        inspection.obstacle = status.st_mode & S_IFMT == S_IFDIR ? .directory(path) : .notAProgram(path)
        return inspection
    }
    guard access(path.system, X_OK) == 0 else {
        inspection.obstacle = .notExecutable(path)
        return inspection
    }
    let descriptor = silt_open_regular(path.system)
    guard descriptor >= 0 else {
        inspection.obstacle = .notExecutable(path)
        return inspection
    }
    defer { close(descriptor) }
    var head = [UInt8](repeating: 0, count: 256)
    let got = head.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    if got > 2, head[0] == UInt8(ascii: "#"), head[1] == UInt8(ascii: "!") {
        return inspectScript(path: path, line: head[2..<got].prefix { $0 != 10 }, depth: depth)
    }
    if depth == 0, isShellText(head.prefix(max(got, 0))) {
        var inspection = inspectProgram(path: "/bin/sh", depth: depth + 1)
        inspection.scripts.insert(path, at: 0)
        return inspection
    }
    if status.st_mode & (S_ISUID | S_ISGID) != 0, getuid() != status.st_uid || status.st_mode & S_ISGID != 0 {
        inspection.obstacle = .setuid
    } else if getuid() != 0, getxattr(path.system, "security.capability", nil, 0) > 0 {
        inspection.obstacle = .fileCapabilities
    }
    inspectELF(descriptor, &inspection)
    return inspection
}

/// A script without `#!`, which execvp(3) has the shell run: a first line without a NUL, as shells tell it from others.
private func isShellText(_ head: ArraySlice<UInt8>) -> Bool {
    !head.starts(with: [0x7F, 0x45, 0x4C, 0x46]) && !head.prefix { $0 != 10 }.contains(0)
}

private func inspectScript(path: String, line: ArraySlice<UInt8>, depth: Int) -> TargetInspection {
    let words = line.split(separator: UInt8(ascii: " ")).map { String(system: $0) }
    guard depth < 4, let interpreter = words.first else {
        return TargetInspection(executable: path, obstacle: .notAProgram(path))
    }
    var target = interpreter
    if interpreter.hasSuffix("/env"), let named = words.dropFirst().first(where: { !$0.hasPrefix("-") }) {
        target = findProgram(named) ?? named
    }
    var inspection = inspectProgram(path: target, depth: depth + 1)
    inspection.scripts.insert(path, at: 0)
    return inspection
}

/// Reads class, machine, interpreter, symbols and sections (ELF gABI) through libelf, which checks the bounds.
private func inspectELF(_ descriptor: Int32, _ inspection: inout TargetInspection) {
    elf_version(UInt32(EV_CURRENT))
    guard let elf = elf_begin(descriptor, ELF_C_READ, nil) else {
        inspection.obstacle = .notAProgram(inspection.executable)
        return
    }
    defer { elf_end(elf) }
    var header = GElf_Ehdr()
    guard elf_kind(elf) == ELF_K_ELF, gelf_getehdr(elf, &header) != nil else {
        inspection.obstacle = .notAProgram(inspection.executable)
        return
    }
    guard gelf_getclass(elf) == Int32(ELFCLASS64) else {
        inspection.obstacle = header.e_machine == UInt16(EM_X86_64) ? .otherMachine("x32") : .thirtyTwoBit
        return
    }
    guard header.e_machine == UInt16(EM_X86_64) else {
        inspection.obstacle = .otherMachine("ELF machine \(header.e_machine)")
        return
    }
    inspection.interpreter = interpreterPath(elf)
    let sections = ELFSections(elf)
    inspection.hasLineTables = sections.names.contains(".debug_line") || sections.names.contains(".zdebug_line")
    inspection.isGo = sections.names.contains(".gopclntab") || sections.names.contains(".go.buildinfo")
    if inspection.interpreter == nil, isLoader(elf) { return }
    guard let interpreter = inspection.interpreter else {
        inspection.obstacle = inspection.isGo ? .goWithoutLibc : .staticallyLinked
        return
    }
    if interpreter.contains("ld-musl") || !interpreter.contains("ld-linux") {
        inspection.obstacle = .muslLibc(interpreter: interpreter)
        return
    }
    if inspection.isGo {
        inspection.notes.append(
            "a Go program: its Go heap never calls malloc; only what cgo allocates is seen. "
                + "silt hunt --pprof URL sees both heaps"
        )
    }
    if inspection.obstacle == nil, let name = sections.sanitizer {
        inspection.obstacle = .sanitizer(name)
    }
    if inspection.obstacle == nil, let symbol = sections.definedAllocator {
        inspection.obstacle = .mallocInside(symbol: symbol)
    }
}

/// glibc's loader, as a command of its own (ld.so(8)): it takes libraries in as ever.
private func isLoader(_ elf: OpaquePointer) -> Bool {
    var section = elf_nextscn(elf, nil)
    while let current = section {
        defer { section = elf_nextscn(elf, current) }
        var header = GElf_Shdr()
        guard gelf_getshdr(current, &header) != nil, header.sh_type == UInt32(SHT_DYNAMIC), header.sh_entsize > 0,
            let data = elf_getdata(current, nil)
        else { continue }
        for index in 0..<Int32(clamping: header.sh_size / header.sh_entsize) {
            var entry = GElf_Dyn()
            guard gelf_getdyn(data, index, &entry) != nil, entry.d_tag == Int64(DT_SONAME),
                let name = elf_strptr(elf, Int(header.sh_link), Int(entry.d_un.d_val))
            else { continue }
            return String(cString: name) == "ld-linux-x86-64.so.2"
        }
    }
    return false
}

private func interpreterPath(_ elf: OpaquePointer) -> String? {
    var count = 0
    guard elf_getphdrnum(elf, &count) == 0 else { return nil }
    for index in 0..<Int32(clamping: count) {
        var segment = GElf_Phdr()
        guard gelf_getphdr(elf, index, &segment) != nil, segment.p_type == UInt32(PT_INTERP) else { continue }
        // No more of the file than that is read: programs of gigabytes are looked at too.
        guard let offset = Int64(exactly: segment.p_offset), let length = Int(exactly: segment.p_filesz),
            let data = elf_getdata_rawchunk(elf, offset, length, ELF_T_BYTE), let text = data.pointee.d_buf
        else { return nil }
        return UnsafeRawBufferPointer(start: text, count: data.pointee.d_size).prefix { $0 != 0 }.map { $0 }.text
    }
    return nil
}

/// Names of the sections, and the allocator function the program defines itself, if it does.
private struct ELFSections {
    var names: Set<String> = []
    var definedAllocator: String?
    /// A sanitizer whose runtime the program is linked with.
    var sanitizer: String?

    /// A function that each runtime is entered by.
    private static let sanitizers = [
        "__asan_init": "AddressSanitizer", "__tsan_init": "ThreadSanitizer", "__msan_init": "MemorySanitizer",
        "__hwasan_init": "HWAddressSanitizer", "__lsan_init": "LeakSanitizer",
    ]

    init(_ elf: OpaquePointer) {
        var nameTable = 0
        guard elf_getshdrstrndx(elf, &nameTable) == 0 else { return }
        var section = elf_nextscn(elf, nil)
        while let current = section {
            var header = GElf_Shdr()
            if gelf_getshdr(current, &header) != nil {
                if let name = elf_strptr(elf, nameTable, Int(header.sh_name)) { names.insert(String(cString: name)) }
                if header.sh_type == UInt32(SHT_DYNSYM) || header.sh_type == UInt32(SHT_SYMTAB) {
                    findAllocator(elf, current, header)
                }
            }
            section = elf_nextscn(elf, current)
        }
    }

    private mutating func findAllocator(_ elf: OpaquePointer, _ section: OpaquePointer, _ header: GElf_Shdr) {
        guard let data = elf_getdata(section, nil), header.sh_entsize > 0 else { return }
        for index in 0..<Int32(clamping: header.sh_size / header.sh_entsize) {
            var symbol = GElf_Sym()
            guard gelf_getsym(data, index, &symbol) != nil,
                let name = elf_strptr(elf, Int(header.sh_link), Int(symbol.st_name))
            else { continue }
            if name[0] == UInt8(ascii: "_"), name[1] == UInt8(ascii: "_") {
                sanitizer = sanitizer ?? ELFSections.sanitizers[String(cString: name)]
            }
            guard symbol.st_shndx != UInt16(SHN_UNDEF), symbol.st_info & 0xf == UInt8(STT_FUNC) else { continue }
            if strcmp(name, "malloc") == 0 { definedAllocator = "malloc" }
        }
    }
}

extension [UInt8] {
    fileprivate var text: String { String(system: self) }
}
