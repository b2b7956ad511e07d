internal import Clibdw
internal import Glibc

/// The functions of one file by address, sorted: libdw's own look-up is linear.
struct SymbolTable {
    private struct Symbol {
        var start: UInt64
        var end: UInt64
        var name: UnsafePointer<CChar>
        /// Which of the names of one address is shown: the lowest.
        var priority: UInt32
    }

    private var symbols: [Symbol] = []
    /// By index: the highest end up to there; bounds the search for a symbol that encloses others.
    private var highestEnds: [UInt64] = []

    var isEmpty: Bool { symbols.isEmpty }

    /// Names stay in libdw's memory: the table is valid as long as the module is.
    init(_ module: OpaquePointer) {
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
            let (end, overflow) = value.addingReportingOverflow(info.st_size)
            symbols.append(
                Symbol(
                    start: value,
                    end: overflow ? .max : end,
                    name: name,
                    priority: Self.priority(name, binding: info.st_info >> 4)
                )
            )
        }
        symbols.sort { one, other in
            if one.start != other.start { return one.start < other.start }
            if one.priority != other.priority { return one.priority < other.priority }
            return strcmp(one.name, other.name) < 0
        }
        var highest: UInt64 = 0
        highestEnds.reserveCapacity(symbols.count)
        for symbol in symbols {
            highest = max(highest, symbol.end)
            highestEnds.append(highest)
        }
    }

    /// `strdup` before `__strdup`, global before weak before local, short before long.
    private static func priority(_ name: UnsafePointer<CChar>, binding: UInt8) -> UInt32 {
        var underscores: UInt32 = 0
        while underscores < 15, name[Int(underscores)] == CChar(bitPattern: UInt8(ascii: "_")) { underscores += 1 }
        let rank: UInt32 = binding == 1 ? 0 : binding == 2 ? 1 : 2
        return underscores << 28 | rank << 24 | UInt32(min(strlen(name), 0xff_ffff))
    }

    /// The innermost symbol that covers the address; one without a size reaches to the next.
    func index(of address: UInt64) -> Int? {
        var low = 0
        var high = symbols.count
        while low < high {
            let middle = (low + high) / 2
            if symbols[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        var index = low - 1
        if index >= 0, symbols[index].end == symbols[index].start { return first(of: index) }
        while index >= 0, highestEnds[index] > address {
            if address < symbols[index].end { return first(of: index) }
            index -= 1
        }
        return nil
    }

    /// The name that is shown, among those for the same place.
    private func first(of index: Int) -> Int {
        var first = index
        while first > 0, symbols[first - 1].start == symbols[index].start, symbols[first - 1].end >= symbols[index].end
        {
            first -= 1
        }
        return first
    }

    func name(_ index: Int) -> String { demangle(escapedText(cString: symbols[index].name)) }

    /// True when the place has several mangled symbols, as after the linker has merged equal functions.
    func hasAliases(_ index: Int) -> Bool {
        index + 1 < symbols.count && symbols[index + 1].start == symbols[index].start
            && Self.isMangled(symbols[index + 1].name)
    }

    /// True for a demangled name that another mangled symbol gives the place.
    ///
    /// Names of C are not asked for: the debug information may know a function by an internal one (`__GI_abort`).
    func isAlias(_ function: String, of index: Int) -> Bool {
        var at = index + 1
        while at < symbols.count, symbols[at].start == symbols[index].start, at - index < 64 {
            if Self.isMangled(symbols[at].name), name(at) == function { return true }
            at += 1
        }
        return false
    }

    private static func isMangled(_ name: UnsafePointer<CChar>) -> Bool {
        let first = UInt8(bitPattern: name[0])
        let second = UInt8(bitPattern: name[1])
        return first == UInt8(ascii: "_") && (second == UInt8(ascii: "Z") || second == UInt8(ascii: "R"))
            || first == UInt8(ascii: "$") && (second | 0x20 == UInt8(ascii: "s") || second == UInt8(ascii: "e"))
    }
}
