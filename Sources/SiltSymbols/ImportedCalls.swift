internal import Clibdw
internal import Glibc

/// The functions of other files that one file calls, by the instruction before a return address (x86-64 psABI).
///
/// A function that ends with a jump to another one has no frame; its caller knows which one it called.
struct ImportedCalls {
    private struct Segment {
        var address: UInt64
        var offset: Int
        var size: UInt64
    }

    /// The file, as libelf mapped it.
    private let bytes: UnsafeRawBufferPointer
    private let segments: [Segment]
    /// By the address of the slot that the loader fills in.
    private let names: [UInt64: UnsafePointer<CChar>]

    /// Names and bytes stay in libelf's memory: valid as long as the file is open.
    init(_ elf: OpaquePointer) {
        var size = 0
        let start = elf_rawfile(elf, &size)
        bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : size)
        var header = GElf_Ehdr()
        guard gelf_getehdr(elf, &header) != nil, header.e_machine == UInt16(EM_X86_64) else {
            (segments, names) = ([], [:])
            return
        }
        segments = Self.code(elf)
        names = Self.slots(elf)
    }

    /// The function that is called by the instruction that ends at an address; nil: it is the file's own, or not known.
    func name(before address: UInt64) -> String? {
        // call *slot(%rip)
        if byte(address &- 6) == 0xff, byte(address &- 5) == 0x15 { return name(slot: target(address)) }
        // call stub
        guard byte(address &- 5) == 0xe8, var stub = target(address) else { return nil }
        // endbr64, and a prefix that asks for checked bounds
        if byte(stub) == 0xf3, byte(stub &+ 1) == 0x0f, byte(stub &+ 2) == 0x1e, byte(stub &+ 3) == 0xfa { stub &+= 4 }
        if byte(stub) == 0xf2 { stub &+= 1 }
        // jmp *slot(%rip)
        guard byte(stub) == 0xff, byte(stub &+ 1) == 0x25 else { return nil }
        return name(slot: target(stub &+ 6))
    }

    private func name(slot: UInt64?) -> String? { slot.flatMap { names[$0] }.map { String(cString: $0) } }

    /// What the four bytes before an address lead to from there.
    private func target(_ end: UInt64) -> UInt64? {
        guard let place = place(end &- 4, count: 4) else { return nil }
        let distance = Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Int32.self))
        return end &+ UInt64(bitPattern: Int64(distance))
    }

    private func byte(_ address: UInt64) -> UInt8? { place(address, count: 1).map { bytes[$0] } }

    private func place(_ address: UInt64, count: Int) -> Int? {
        for segment in segments where address >= segment.address && address - segment.address < segment.size {
            let (place, overflow) = segment.offset.addingReportingOverflow(Int(clamping: address - segment.address))
            guard !overflow, place >= 0, place <= bytes.count - count else { return nil }
            return place
        }
        return nil
    }

    private static func code(_ elf: OpaquePointer) -> [Segment] {
        var count = 0
        guard elf_getphdrnum(elf, &count) == 0 else { return [] }
        return (0..<Int32(clamping: count)).compactMap { index in
            var row = GElf_Phdr()
            guard gelf_getphdr(elf, index, &row) != nil, row.p_type == UInt32(PT_LOAD), row.p_flags & UInt32(PF_X) != 0
            else { return nil }
            return Segment(address: row.p_vaddr, offset: Int(clamping: row.p_offset), size: row.p_filesz)
        }
    }

    private static func slots(_ elf: OpaquePointer) -> [UInt64: UnsafePointer<CChar>] {
        // R_X86_64_GLOB_DAT and R_X86_64_JUMP_SLOT
        let kinds: Set<UInt64> = [6, 7]
        var result: [UInt64: UnsafePointer<CChar>] = [:]
        var section = elf_nextscn(elf, nil)
        while let current = section {
            section = elf_nextscn(elf, current)
            var header = GElf_Shdr()
            guard gelf_getshdr(current, &header) != nil, header.sh_type == UInt32(SHT_RELA), header.sh_entsize > 0,
                let rows = elf_getdata(current, nil), let symbols = elf_getscn(elf, Int(header.sh_link))
            else { continue }
            var symbolHeader = GElf_Shdr()
            guard gelf_getshdr(symbols, &symbolHeader) != nil, symbolHeader.sh_type == UInt32(SHT_DYNSYM),
                let symbolRows = elf_getdata(symbols, nil)
            else { continue }
            for index in 0..<Int32(clamping: header.sh_size / header.sh_entsize) {
                var row = GElf_Rela()
                var symbol = GElf_Sym()
                guard gelf_getrela(rows, index, &row) != nil, kinds.contains(row.r_info & 0xffff_ffff),
                    gelf_getsym(symbolRows, Int32(clamping: row.r_info >> 32), &symbol) != nil, symbol.st_name != 0,
                    let name = elf_strptr(elf, Int(symbolHeader.sh_link), Int(symbol.st_name))
                else { continue }
                result[row.r_offset] = UnsafePointer(name)
            }
        }
        return result
    }
}
