internal import Clibdw
internal import Glibc

/// One function at an address: the one that was compiled there, or one inlined into it.
package struct SourceFrame: Equatable, Sendable {
    /// Demangled; empty when nothing is known.
    package var function: String
    package var file: String?
    package var line: Int?
    /// True for a call that the compiler inlined.
    package var inlined: Bool

    package init(function: String, file: String? = nil, line: Int? = nil, inlined: Bool = false) {
        self.function = function
        self.file = file
        self.line = line
        self.inlined = inlined
    }
}

/// Addresses → functions, files, lines and inlined calls, out of the files that were loaded.
///
/// A file is opened when the first address in it is asked for. A file that is gone, or is not the one that was loaded
/// (its build id differs), gives no names.
package final class Symbolizer {
    private var modules: [ModuleKey: ModuleSymbols?] = [:]

    private struct ModuleKey: Hashable {
        var path: String
        var buildID: [UInt8]
    }

    package init() {}

    /// The functions at an address, innermost first; one nameless frame when nothing is known.
    ///
    /// `offset` is in the file's own numbering. Return addresses are looked up one byte earlier, inside the call.
    package func resolve(modulePath: String, buildID: [UInt8], offset: UInt64, exact: Bool) -> [SourceFrame] {
        guard let module = module(modulePath, buildID) else { return [SourceFrame(function: "")] }
        return module.frames(at: exact ? offset : offset &- 1)
    }

    /// The function whose symbol covers the address, demangled; no debug information is read.
    package func functionName(modulePath: String, buildID: [UInt8], offset: UInt64, exact: Bool) -> String? {
        module(modulePath, buildID)?.symbol(at: exact ? offset : offset &- 1)
    }

    private func module(_ path: String, _ buildID: [UInt8]) -> ModuleSymbols? {
        let key = ModuleKey(path: path, buildID: buildID)
        if let known = modules[key] { return known }
        let opened = ModuleSymbols(path: path, buildID: buildID)
        modules[key] = .some(opened)
        return opened
    }
}

/// libdw's view of one file, with sorted indexes of its own: libdw searches linearly.
private final class ModuleSymbols {
    private struct Symbol {
        var start: UInt64
        var end: UInt64
        var name: UnsafePointer<CChar>
        var isGlobal: Bool
    }

    private struct UnitRange {
        var start: UInt64
        var end: UInt64
        var unit: Int
    }

    private let session: OpaquePointer
    private let module: OpaquePointer
    /// dwfl address − file address.
    private let bias: UInt64
    private var symbols: [Symbol] = []
    private var units: [(die: Dwarf_Die, bias: UInt64)] = []
    private var ranges: [UnitRange]?
    private var names: [Int: String] = [:]
    nonisolated(unsafe) private static let callbacks: UnsafeMutablePointer<Dwfl_Callbacks> = {
        let made = UnsafeMutablePointer<Dwfl_Callbacks>.allocate(capacity: 1)
        made.initialize(to: Dwfl_Callbacks())
        made.pointee.find_elf = dwfl_build_id_find_elf
        made.pointee.find_debuginfo = dwfl_standard_find_debuginfo
        made.pointee.section_address = dwfl_offline_section_address
        return made
    }()

    init?(path: String, buildID: [UInt8]) {
        guard path.hasPrefix("/"), let session = dwfl_begin(ModuleSymbols.callbacks) else { return nil }
        dwfl_report_begin(session)
        guard let module = dwfl_report_offline(session, path, path, -1) else {
            dwfl_end(session)
            return nil
        }
        dwfl_report_end(session, nil, nil)
        var bias: GElf_Addr = 0
        var bits: UnsafePointer<UInt8>?
        var address: GElf_Addr = 0
        guard dwfl_module_getelf(module, &bias) != nil else {
            dwfl_end(session)
            return nil
        }
        let length = dwfl_module_build_id(module, &bits, &address)
        if !buildID.isEmpty, length > 0, let bits {
            guard UnsafeBufferPointer(start: bits, count: Int(length)).elementsEqual(buildID) else {
                dwfl_end(session)
                return nil
            }
        }
        self.session = session
        self.module = module
        self.bias = bias
        readSymbols()
    }

    deinit { dwfl_end(session) }

    func symbol(at address: UInt64) -> String? {
        guard let index = symbolIndex(address &+ bias) else { return nil }
        if let known = names[index] { return known }
        let name = demangle(String(cString: symbols[index].name))
        names[index] = name
        return name
    }

    func frames(at address: UInt64) -> [SourceFrame] {
        let place = address &+ bias
        let outer = symbol(at: address) ?? ""
        guard let range = unitRange(place) else { return [SourceFrame(function: outer)] }
        var unit = units[range.unit].die
        let pc = place &- units[range.unit].bias
        let line = dwarf_getsrc_die(&unit, pc)
        var number: Int32 = 0
        if let line { dwarf_lineno(line, &number) }
        var file = line.flatMap { dwarf_linesrc($0, nil, nil) }.map { String(cString: $0) }
        var lineNumber = number > 0 ? Int(number) : nil
        var scopes: UnsafeMutablePointer<Dwarf_Die>?
        let count = dwarf_getscopes(&unit, pc, &scopes)
        defer { free(scopes) }
        var result: [SourceFrame] = []
        if let scopes {
            for index in 0..<Int(max(0, count)) {
                let tag = dwarf_tag(scopes + index)
                if tag == Int32(DW_TAG_inlined_subroutine) {
                    result.append(
                        SourceFrame(
                            function: functionName(scopes + index) ?? "",
                            file: file,
                            line: lineNumber,
                            inlined: true
                        )
                    )
                    (file, lineNumber) = callSite(scopes + index, unit: &unit)
                } else if tag == Int32(DW_TAG_subprogram) {
                    let name = outer.isEmpty ? functionName(scopes + index) ?? "" : outer
                    result.append(SourceFrame(function: name, file: file, line: lineNumber))
                    break
                }
            }
        }
        if result.last?.inlined != false { result.append(SourceFrame(function: outer, file: file, line: lineNumber)) }
        return result
    }

    /// Where an inlined function was called (DWARF 5, 3.3.8.2).
    private func callSite(_ die: UnsafeMutablePointer<Dwarf_Die>, unit: inout Dwarf_Die) -> (String?, Int?) {
        var attribute = Dwarf_Attribute()
        var value: Dwarf_Word = 0
        var line: Int?
        if dwarf_attr(die, UInt32(DW_AT_call_line), &attribute) != nil, dwarf_formudata(&attribute, &value) == 0 {
            line = Int(clamping: value)
        }
        var file: String?
        var files: OpaquePointer?
        var count = 0
        if dwarf_attr(die, UInt32(DW_AT_call_file), &attribute) != nil, dwarf_formudata(&attribute, &value) == 0,
            dwarf_getsrcfiles(&unit, &files, &count) == 0, value < UInt64(count),
            let name = dwarf_filesrc(files, Int(value), nil, nil)
        {
            file = String(cString: name)
        }
        return (file, line)
    }

    /// The linkage name where there is one, else the plain name; both also of the abstract origin.
    private func functionName(_ die: UnsafeMutablePointer<Dwarf_Die>) -> String? {
        var attribute = Dwarf_Attribute()
        for kind in [DW_AT_linkage_name, DW_AT_MIPS_linkage_name] {
            if dwarf_attr_integrate(die, UInt32(kind), &attribute) != nil, let name = dwarf_formstring(&attribute) {
                return demangle(String(cString: name))
            }
        }
        return dwarf_diename(die).map { String(cString: $0) }
    }

    private func readSymbols() {
        let count = dwfl_module_getsymtab(module)
        guard count > 0 else { return }
        symbols.reserveCapacity(Int(count))
        for index in 0..<count {
            var info = GElf_Sym()
            var value: GElf_Addr = 0
            guard let name = dwfl_module_getsym_info(module, index, &info, &value, nil, nil, nil), name.pointee != 0,
                info.st_shndx != UInt16(SHN_UNDEF)
            else { continue }
            let type = info.st_info & 0xf
            let indirectFunction: UInt8 = 10  // STT_GNU_IFUNC
            guard type == UInt8(STT_FUNC) || type == indirectFunction || (type == 0 && info.st_size > 0) else {
                continue
            }
            symbols.append(
                Symbol(start: value, end: value &+ info.st_size, name: name, isGlobal: info.st_info >> 4 == 1)
            )
        }
        symbols.sort { $0.start != $1.start ? $0.start < $1.start : $0.isGlobal && !$1.isGlobal }
    }

    /// The last symbol that begins at or before the address and covers it; one without a size reaches to the next.
    private func symbolIndex(_ address: UInt64) -> Int? {
        var low = 0
        var high = symbols.count
        while low < high {
            let middle = (low + high) / 2
            if symbols[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        var index = low - 1
        var tries = 0
        while index >= 0, tries < 16 {
            let symbol = symbols[index]
            if address < symbol.end || (symbol.end == symbol.start && tries == 0) {
                while index > 0, symbols[index - 1].start == symbol.start, symbols[index - 1].end >= symbol.end {
                    index -= 1
                }
                return index
            }
            index -= 1
            tries += 1
        }
        return nil
    }

    private func unitRange(_ address: UInt64) -> UnitRange? {
        let sorted = ranges ?? readUnits()
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, address < sorted[low - 1].end else { return nil }
        return sorted[low - 1]
    }

    private func readUnits() -> [UnitRange] {
        var made: [UnitRange] = []
        var die: UnsafeMutablePointer<Dwarf_Die>?
        var bias: Dwarf_Addr = 0
        while true {
            die = dwfl_module_nextcu(module, die, &bias)
            guard let die else { break }
            units.append((die.pointee, bias))
            var base: Dwarf_Addr = 0
            var start: Dwarf_Addr = 0
            var end: Dwarf_Addr = 0
            var at: Int = 0
            while true {
                at = dwarf_ranges(die, at, &base, &start, &end)
                guard at > 0 else { break }
                if end > start { made.append(UnitRange(start: start &+ bias, end: end &+ bias, unit: units.count - 1)) }
            }
        }
        made.sort { $0.start < $1.start }
        ranges = made
        return made
    }
}
