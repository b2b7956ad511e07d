internal import CSiltSystem
internal import Glibc
internal import SiltHeap
internal import SiltSystem

/// The address space of a running process (proc_pid_smaps(5), proc_pid_pagemap(5)).
struct MemoryMap {
    let areas: [MemoryArea]
    private let pagemap: Int32

    /// Nil when it may not be read.
    ///
    /// The kernel walks the page tables for it: some 13 ms for each GiB in memory, where pages are of 4 KiB.
    static func read<Result>(_ pid: Int32, _ body: (MemoryMap) -> Result) -> Result? {
        guard let text = FileBytes.read(ifThere: "/proc/\(pid)/smaps"), !text.isEmpty else { return nil }
        let pagemap = open("/proc/\(pid)/pagemap", O_RDONLY | O_CLOEXEC)
        defer { if pagemap >= 0 { close(pagemap) } }
        return body(MemoryMap(areas: areas(in: text), pagemap: pagemap))
    }

    private static let page: UInt64 = 4096
    /// Entries that are read at once.
    private static let stretch = 1 << 16

    /// Bytes of a range that are in memory; the whole range when that cannot be read.
    func residentBytes(_ range: Range<UInt64>) -> UInt64 {
        var page = range.lowerBound / Self.page
        let end = (range.upperBound + Self.page - 1) / Self.page
        guard pagemap >= 0, page < end else { return UInt64(range.count) }
        var resident: UInt64 = 0
        var entries = [UInt64](repeating: 0, count: min(Self.stretch, Int(clamping: end - page)))
        while page < end {
            let wanted = min(entries.count, Int(clamping: end - page))
            let got = entries.withUnsafeMutableBytes { pread(pagemap, $0.baseAddress, wanted * 8, off_t(page) * 8) }
            guard got >= 8 else { return resident * Self.page + (end - page) * Self.page }
            // Bit 63: the page is present.
            resident += UInt64(entries.prefix(got / 8).count { $0 >> 63 != 0 })
            page += UInt64(got / 8)
        }
        return resident * Self.page
    }

    /// What smaps says: a line for each mapping, as maps has it, and then its numbers.
    static func areas(in text: [UInt8]) -> [MemoryArea] {
        var result: [MemoryArea] = []
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let first = line.first else { continue }
            // Names of numbers begin with capitals, addresses are in small letters.
            if first < UInt8(ascii: "A") || first > UInt8(ascii: "Z") {
                if let area = area(line) { result.append(area) }
            } else if !result.isEmpty {
                if line.starts(with: rss) {
                    result[result.count - 1].residentBytes = number(line) * 1024
                } else if result[result.count - 1].kind == .file, line.starts(with: anonymous) {
                    result[result.count - 1].writtenBytes = number(line) * 1024
                } else if line.starts(with: huge) {
                    result[result.count - 1].hugeBytes = number(line) * 1024
                } else if result[result.count - 1].kind == .anonymous, line.starts(with: flags) {
                    result[result.count - 1].isUnreserved = line.split(separator: UInt8(ascii: " ")).contains {
                        $0.elementsEqual("nr".utf8)
                    }
                }
            }
        }
        return result
    }

    private static let rss = Array("Rss:".utf8)
    private static let anonymous = Array("Anonymous:".utf8)
    private static let huge = Array("AnonHugePages:".utf8)
    private static let flags = Array("VmFlags:".utf8)

    private static func number(_ line: ArraySlice<UInt8>) -> UInt64 {
        line.reduce(UInt64(0)) { value, byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                ? value &* 10 &+ UInt64(byte - UInt8(ascii: "0")) : value
        }
    }

    /// As `7f0000000000-7f0000001000 rw-p 00000000 08:01 1234   /path`.
    private static func area(_ line: ArraySlice<UInt8>) -> MemoryArea? {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
        guard words.count >= 5 else { return nil }
        let ends = words[0].split(separator: UInt8(ascii: "-")).map {
            UInt64(String(decoding: $0, as: UTF8.self), radix: 16)
        }
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else { return nil }
        let name = words.count > 5 ? String(decoding: words[5].drop { $0 == UInt8(ascii: " ") }, as: UTF8.self) : ""
        var area = MemoryArea(
            start: start,
            end: end,
            residentBytes: 0,
            kind: kind(name)
        )
        area.isForbidden = words[1].starts(with: Array("---".utf8))
        area.isShared = words[1].last == UInt8(ascii: "s")
        return area
    }

    private static func kind(_ name: String) -> MemoryArea.Kind {
        if name.isEmpty { return .anonymous }
        if name == "[heap]" { return .programBreak }
        if name == "[stack]" { return .stack }
        let file = name.split(separator: "/").last ?? ""
        if name.hasPrefix("/memfd:silt ") || file.hasPrefix("libsilt") && file.contains(".so") { return .own }
        // Names given by prctl(2), and shared memory without a file.
        if name.hasPrefix("[anon:") || name.hasPrefix("/dev/zero") { return .anonymous }
        return .file
    }
}
