internal import CSiltSystem
internal import Clibdw
internal import Glibc
internal import SiltText

/// Where an ELF file has its code: in the file, and in its own numbering of addresses (program headers, elf(5)).
package struct CodeSegment: Equatable, Sendable {
    package var offset: UInt64
    package var address: UInt64
    package var size: UInt64
    /// Linked to that very address (ET_EXEC); else it may be loaded anywhere.
    package var isFixed: Bool

    package init(offset: UInt64, address: UInt64, size: UInt64, isFixed: Bool) {
        self.offset = offset
        self.address = address
        self.size = size
        self.isFixed = isFixed
    }

    /// From the first executable segment to the last; nil when the file is gone, another than it was, or no ELF file.
    package init?(path: String, buildID: [UInt8]) {
        let descriptor = silt_open_regular(path.system)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        elf_version(UInt32(EV_CURRENT))
        guard let elf = elf_begin(descriptor, ELF_C_READ, nil) else { return nil }
        defer { elf_end(elf) }
        var bits: UnsafeRawPointer?
        let length = dwelf_elf_gnu_build_id(elf, &bits)
        let found = length > 0 ? Array(UnsafeRawBufferPointer(start: bits, count: Int(length))) : []
        guard buildID.isEmpty || found.isEmpty || buildID == found else { return nil }
        var header = GElf_Ehdr()
        var count = 0
        guard gelf_getehdr(elf, &header) != nil, elf_getphdrnum(elf, &count) == 0 else { return nil }
        var segment: CodeSegment?
        for index in 0..<Int32(clamping: count) {
            var row = GElf_Phdr()
            guard gelf_getphdr(elf, index, &row) != nil, row.p_type == UInt32(PT_LOAD), row.p_flags & UInt32(PF_X) != 0
            else { continue }
            let end = row.p_vaddr.addingReportingOverflow(row.p_memsz)
            guard !end.overflow else { return nil }
            if let first = segment {
                guard row.p_vaddr >= first.address else { return nil }
                segment?.size = end.partialValue - first.address
            } else {
                segment = CodeSegment(
                    offset: row.p_offset,
                    address: row.p_vaddr,
                    size: row.p_memsz,
                    isFixed: header.e_type == UInt16(ET_EXEC)
                )
            }
        }
        guard let segment else { return nil }
        self = segment
    }
}
