internal import CDemangle
internal import Glibc

@_silgen_name("swift_demangle")
private func swiftDemangle(
    _ name: UnsafePointer<UInt8>?,
    _ length: Int,
    _ output: UnsafeMutablePointer<UInt8>?,
    _ outputLength: UnsafeMutablePointer<Int>?,
    _ flags: UInt32
) -> UnsafeMutablePointer<CChar>?

/// Bytes of a demangled name; the longest of clang's own are some thousands.
let demangledLimit = 65_535

/// A linkage name as its language writes it; the name itself when it is not a mangled name.
///
/// C++ through libstdc++, Swift through its runtime (whose entry point takes no options), Rust
/// by `RustDemangler`. Suffixes that compilers give to parts and copies of a function are left out, so that
/// `f.cold` and `f.isra.0` are `f`.
///
/// What would get longer than `demangledLimit` stays mangled: a few hundred bytes can stand for gigabytes, since each
/// part of a name may repeat what came before it.
package func demangle(_ linkageName: String) -> String {
    guard linkageName.utf8.count <= demangledLimit else { return cutName(linkageName) }
    let name = withoutCloneSuffix(linkageName)
    if name.hasPrefix("_R"), let text = RustDemangler.demangle(name) { return text }
    if name.hasPrefix("_Z") {
        if let text = RustDemangler.demangle(name) { return text }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: demangledLimit + 1) { text in
            guard let start = text.baseAddress, silt_cxx_demangle(name, start, text.count) != 0 else { return name }
            return escapedText(cString: start)
        }
    }
    if name.hasPrefix("$s") || name.hasPrefix("$S") || name.hasPrefix("_$s") || name.hasPrefix("$e") {
        return demangledSwift(name) ?? name
    }
    return name
}

/// A name that nobody reads to its end.
private func cutName(_ name: String) -> String { escapedText(name.utf8.prefix(demangledLimit)) + "…" }

private func demangledSwift(_ name: String) -> String? {
    var mangled = name
    guard SwiftNameBound.mayBeHuge(name) else {
        let text = mangled.withUTF8 { swiftDemangle($0.baseAddress, $0.count, nil, nil, 0) }
        guard let text else { return nil }
        defer { free(text) }
        return strlen(text) <= demangledLimit ? escapedText(cString: text) : nil
    }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: demangledLimit + 1) { text in
        guard let start = text.baseAddress,
            silt_swift_demangle_contained(mangled, mangled.utf8.count, start, text.count) != 0
        else { return nil }
        return escapedText(cString: start)
    }
}

/// Words that compilers append behind a dot: `.cold` and `.part.0` are pieces, `.isra.0` and `.constprop.0` copies.
package enum CloneMarks {
    /// These stand in no name of a language that writes dots itself.
    package static let certain: Set<Substring> = ["cold", "part", "isra", "constprop", "lto_priv", "llvm"]
    /// All that stand in linkage names.
    static let all = certain.union([
        "clone", "localalias", "resume", "destroy", "cleanup", "warm", "hot", "split", "str2alloca", "actor", "__uniq",
        "default", "ipa", "ra", "icp", "specialized",
    ])
}

/// Without the suffixes of clones, and without the `@@VERSION` of a versioned symbol.
private func withoutCloneSuffix(_ name: String) -> String {
    guard name.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "@") }) else { return name }
    var rest = name[...]
    if let version = rest.utf8.firstIndex(of: UInt8(ascii: "@")), version > rest.startIndex { rest = rest[..<version] }
    while let dot = rest.utf8.lastIndex(of: UInt8(ascii: ".")), dot > rest.startIndex {
        let word = rest[rest.utf8.index(after: dot)...]
        guard !word.isEmpty, CloneMarks.all.contains(word) || word.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
            break
        }
        rest = rest[..<dot]
    }
    return String(rest)
}

/// The text of a NUL-terminated name from a file: what is not UTF-8 becomes `\xNN`, so that different names stay different.
func escapedText(cString: UnsafePointer<CChar>) -> String {
    if let text = String(validatingCString: cString) { return text }
    let length = strlen(cString)
    return cString.withMemoryRebound(to: UInt8.self, capacity: length) {
        escapedText(UnsafeBufferPointer(start: $0, count: length))
    }
}

func escapedText(_ bytes: some Collection<UInt8>) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var result = ""
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
        // A scalar takes one to four bytes.
        var taken = 0
        for length in 1...4 where length <= rest.count {
            if let text = String(validating: rest.prefix(length), as: UTF8.self) {
                result += text
                taken = length
                break
            }
        }
        if taken == 0 {
            let digits = String(rest[rest.startIndex], radix: 16)
            result += "\\x" + (digits.count < 2 ? "0" : "") + digits
            taken = 1
        }
        rest = rest.dropFirst(taken)
    }
    return result
}
