internal import SiltSystem

/// What a descriptor stands for, in words: its kind, and which one it is.
enum DescriptorWords {
    /// Words for what /proc/PID/fd says (proc_pid_fd(5)); `sockets`: words for sockets by inode.
    static func words(_ link: String, sockets: [UInt64: String]) -> (kind: String, text: String) {
        if link.hasPrefix("/memfd:") {
            // As `/memfd:NAME (deleted)`.
            return ("memory file", String(link.dropFirst("/memfd:".count).dropLast(" (deleted)".count)))
        }
        if link.hasPrefix("/") { return ("file", link) }
        if let inode = inode(ofSocket: link) { return ("socket", sockets[inode] ?? "") }
        if link.hasPrefix("pipe:") { return ("pipe", "") }
        guard link.hasPrefix("anon_inode:") else { return ("other", link) }
        let name = link.dropFirst("anon_inode:".count).filter { $0 != "[" && $0 != "]" }
        return (name == "eventpoll" ? "epoll" : String(name), "")
    }

    /// As `socket:[1234]`.
    static func inode(ofSocket link: String) -> UInt64? {
        guard link.hasPrefix("socket:["), link.hasSuffix("]") else { return nil }
        return UInt64(link.dropFirst("socket:[".count).dropLast())
    }

    /// Words for those sockets, as the network of the process has them (proc_net(5)).
    ///
    /// A table that changes while it is read may pass over a row: it is read twice then.
    static func sockets(_ wanted: Set<UInt64>, of pid: Int32) -> [UInt64: String] {
        var found: [UInt64: String] = [:]
        let tables = ["tcp", "tcp6", "udp", "udp6", "unix"]
        for table in tables + tables where found.count < wanted.count {
            guard let text = FileBytes.read(ifThere: "/proc/\(pid)/net/\(table)") else { continue }
            found.merge(sockets(wanted, in: text, table)) { $1 }
        }
        return found
    }

    /// A busy machine has thousands of connections, nearly all of others: no text is made of those.
    static func sockets(_ wanted: Set<UInt64>, in text: [UInt8], _ table: String) -> [UInt64: String] {
        var found: [UInt64: String] = [:]
        let isUnix = table == "unix"
        text.withUnsafeBytes { all in
            var start = 0
            while start < all.count {
                let line = UnsafeRawBufferPointer(rebasing: all[start...].prefix { $0 != UInt8(ascii: "\n") })
                start += line.count + 1
                guard let inode = number(field: isUnix ? 6 : 9, of: line), wanted.contains(inode) else { continue }
                let fields = line.split(separator: UInt8(ascii: " "), maxSplits: isUnix ? 7 : 10)
                    .map { String(decoding: $0, as: UTF8.self) }
                found[inode] = isUnix ? local(fields) : remote(fields, table)
            }
        }
        return found
    }

    /// The decimal number that a field is, counted from 0; fields lie between spaces.
    private static func number(field wanted: Int, of line: UnsafeRawBufferPointer) -> UInt64? {
        let space = UInt8(ascii: " ")
        var field = -1
        var before = space
        var number: UInt64?
        for byte in line {
            if byte != space, before == space { field += 1 }
            if field > wanted || field == wanted && byte == space { break }
            if field == wanted {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                let (tens, over) = (number ?? 0).multipliedReportingOverflow(by: 10)
                guard !over else { return nil }
                number = tens &+ UInt64(byte - UInt8(ascii: "0"))
            }
            before = byte
        }
        return number
    }

    /// As `0000000000000000: 00000002 00000000 00010000 0001 01 1234 /path`.
    private static func local(_ fields: [String]) -> String { "unix" + (fields.count > 7 ? " " + fields[7] : "") }

    /// As `0: 0100007F:1F90 0100007F:C350 08 00000000:00000000 00:00000000 00000000 0 0 1234 …`.
    private static func remote(_ fields: [String], _ table: String) -> String? {
        guard fields.count >= 10, let here = address(fields[1]), let there = address(fields[2]),
            let state = Int(fields[3], radix: 16)
        else { return nil }
        let isTCP = table.hasPrefix("tcp")
        let peer = there.hasSuffix(":0") ? "" : " – " + there
        let word = isTCP && states.indices.contains(state) ? ", " + states[state] : ""
        return (isTCP ? "tcp " : "udp ") + here + peer + word
    }

    /// Those of the kernel's tcp_states.h.
    private static let states = [
        "", "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "close", "close-wait",
        "last-ack", "listen", "closing",
    ]

    /// As `0100007F:1F90`: words of 4 bytes as the machine has them, and the port.
    static func address(_ text: String) -> String? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16), [8, 32].contains(parts[0].utf8.count) else {
            return nil
        }
        let digits = Array(parts[0].utf8)
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 8) {
            guard let word = UInt32(String(decoding: digits[start..<start + 8], as: UTF8.self), radix: 16) else {
                return nil
            }
            withUnsafeBytes(of: word) { bytes += $0 }
        }
        if bytes.count == 4 { return bytes.map { "\($0)" }.joined(separator: ".") + ":\(port)" }
        if bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) {
            return bytes.suffix(4).map { "\($0)" }.joined(separator: ".") + ":\(port)"
        }
        return "[" + shortened(bytes) + "]:\(port)"
    }

    /// An IPv6 address with its longest run of zeros left out (RFC 5952).
    private static func shortened(_ bytes: [UInt8]) -> String {
        let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            let end = groups[start...].firstIndex { $0 != 0 } ?? 8
            if end - start > max(1, longest.count) { longest = start..<end }
            start = max(end, start) + 1
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return longest.isEmpty ? text(0..<8) : text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<8)
    }
}
