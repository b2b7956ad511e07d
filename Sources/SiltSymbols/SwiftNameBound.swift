/// How long a mangled Swift name can get, before it is demangled (swift/docs/ABI/Mangling.rst).
///
/// A substitution (`A` and what follows) repeats something that came before, so each may double the text. A name of
/// 130 bytes can stand for 8 MB, one of 200 for more than there is memory.
enum SwiftNameBound {
    /// Bytes up to which the runtime may work in this process.
    private static let limit = 64 << 20

    /// True unless the name is certain to stay below some megabytes.
    ///
    /// Nothing is parsed: bytes of identifiers count like operators, so that the answer errs to one side only.
    static func mayBeHuge(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard bytes.count <= 2000 else { return true }
        // An operator of two bytes stands for some 30, a word substitution of one byte for a whole identifier.
        var size = bytes.count * 16
        if bytes.contains(UInt8(ascii: "0")) { size += bytes.count * bytes.count / 4 }
        var doublings = 0
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            guard byte == UInt8(ascii: "A") || byte == UInt8(ascii: "S") else { continue }
            let isReference = byte == UInt8(ascii: "A")
            if isReference { doublings += 1 }
            // Several at once (`AbcD`), or one several times (`A5B`, `S2i`).
            while at < bytes.count {
                if bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") {
                    doublings += 4
                } else if isReference, bytes[at] >= UInt8(ascii: "a"), bytes[at] <= UInt8(ascii: "z") {
                    doublings += 1
                } else {
                    break
                }
                at += 1
            }
        }
        return doublings > 24 || size << doublings > limit
    }
}
