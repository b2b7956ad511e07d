internal import CSiltSystem
internal import Glibc

@_silgen_name("swift_demangle")
private func swiftDemangle(
    _ name: UnsafePointer<UInt8>?,
    _ length: Int,
    _ output: UnsafeMutablePointer<UInt8>?,
    _ outputLength: UnsafeMutablePointer<Int>?,
    _ flags: UInt32
) -> UnsafeMutablePointer<CChar>?

/// A linkage name as its language writes it; the name itself when it is no mangled name.
///
/// C++ through the C++ ABI's `__cxa_demangle` (which reads Rust's legacy names too), Swift through its runtime.
package func demangle(_ linkageName: String) -> String {
    if linkageName.hasPrefix("_Z") {
        var status: Int32 = 0
        guard let text = silt_cxa_demangle(linkageName, &status) else { return linkageName }
        defer { free(text) }
        return withoutRustHash(String(cString: text))
    }
    if linkageName.hasPrefix("$s") || linkageName.hasPrefix("$S") || linkageName.hasPrefix("_$s") {
        var name = linkageName
        let text = name.withUTF8 { swiftDemangle($0.baseAddress, $0.count, nil, nil, 0) }
        guard let text else { return linkageName }
        defer { free(text) }
        return String(cString: text)
    }
    return linkageName
}

/// Rust's legacy mangling ends names in `::h` and 16 hexadecimal digits.
private func withoutRustHash(_ name: String) -> String {
    let tail = name.utf8.suffix(19)
    guard tail.count == 19, tail.starts(with: "::h".utf8),
        tail.dropFirst(3).allSatisfy({ ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) })
    else { return name }
    return String(decoding: name.utf8.dropLast(19), as: UTF8.self)
}
