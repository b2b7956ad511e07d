internal import SiltText

/// A demangled name as a reader wants it: without return types, modules, default allocators and compiler-made wrappings.
///
/// `void shop::Cache<int>::fill<char>(int)` becomes `shop::Cache<int>::fill<char>(int)`, Swift names get the form
/// `DemoServer.filled(_:)`. Different functions may get the same text; the recording keeps the whole name.
package func readableName(_ name: String) -> String {
    if GoName.isMethod(name) { return name }
    if let swift = SwiftName(name) { return swift.isGlue || swift.isThunk ? name : swift.readable }
    guard name.utf8.contains(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "(") }) else { return name }
    let parts = QualifiedName(withAliases(name))
    guard !parts.components.isEmpty else { return name }
    return withoutBrackets(parts.components.map(\.full)).joined(separator: "::") + parts.parameters
}

/// Rust's `<shop::Cache>::fill` as `shop::Cache::fill`.
private func withoutBrackets(_ path: [String]) -> [String] {
    guard let first = path.first, first.hasPrefix("<"), first.hasSuffix(">"), !first.holds(" as "),
        first.dropFirst().first?.isLetter == true
    else { return path }
    return [String(first.dropFirst().dropLast())] + path.dropFirst()
}

/// The same in at most `width` characters where that can be: first without parameters, then without template arguments.
///
/// What is still too long loses its outer namespaces, but never the function and its type.
package func abridgedName(_ name: String, width: Int) -> String {
    let readable = readableName(name)
    if readable.count <= width { return readable }
    if let swift = SwiftName(name) {
        guard !swift.isGlue, !swift.isThunk else { return readable }
        let bare = swift.components.joined(separator: ".")
        if bare.count <= width || swift.components.count < 3 { return bare }
        return swift.components.suffix(2).joined(separator: ".")
    }
    guard readable.utf8.contains(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "(") }) else { return readable }
    let parts = QualifiedName(withAliases(name)).components
    guard !parts.isEmpty else { return readable }
    let whole = withoutBrackets(parts.map(\.full)).joined(separator: "::")
    if whole.count <= width { return whole }
    var bare = parts.map { part in
        part.name.hasPrefix("<")
            ? typeOfQualifiedSelf(part.name) : part.full == part.name ? shortLambda(part.name) : part.name + "<…>"
    }
    // What a lambda does is the lambda.
    if bare.count > 1, bare[bare.count - 1] == "operator()", bare[bare.count - 2].hasPrefix("{lambda") {
        bare.removeLast()
        if bare.joined(separator: "::").count <= width { return bare.joined(separator: "::") }
    }
    while bare.count > (bare.first == "(anonymous namespace)" ? 1 : 2), bare.joined(separator: "::").count > width {
        bare.removeFirst()
    }
    return bare.joined(separator: "::")
}

extension Character {
    /// Of a function's own name, a lambda's included.
    package var isNameLike: Bool { isLetter || isNumber || "_{}#".contains(self) }
}

/// Characters of a function before what stands behind it.
private let minimumFunction = 8

/// A readable name in at most `width` characters in any case: rather the function alone than its type and it with a gap.
package func fittedName(_ name: String, width: Int) -> String {
    guard name.count > width else { return name }
    if let place = placeBehind(name) {
        let function = String(name.dropLast(place.count))
        let room = width - place.count
        return room < minimumFunction ? fittedName(function, width: width) : fittedName(function, width: room) + place
    }
    return shortened(name, width: width)
}

/// The same of a demangled name: readable first.
package func fittedFunction(_ function: String, width: Int) -> String {
    let readable = readableName(function)
    return readable.count > width ? shortened(function, width: width) : readable
}

private func shortened(_ name: String, width: Int) -> String {
    let isSwift = SwiftName(name) != nil
    // What has a blank before its parameters is an operator, or a name with something behind it; or Swift's.
    guard isSwift || !name.prefix(while: { $0 != "(" && $0 != "<" }).contains(" ") else {
        return name.cutInside(to: width)
    }
    let short = abridgedName(name, width: width)
    guard short.count > width, let last = short.split(whereSeparator: { $0 == ":" || isSwift && $0 == "." }).last else {
        return short
    }
    let bare = String(last).replacing("<…>", with: "")
    let isWord = bare.allSatisfy(\.isNameLike)
    return (isWord ? bare : short).cutInside(to: width)
}

/// The file behind a name and its blank, as differences have it: ` cache.cpp`, ` cache.cpp:9`.
private func placeBehind(_ name: String) -> Substring? {
    guard let blank = name.lastIndex(of: " ") else { return nil }
    let place = name[blank...]
    let isWord = place.dropFirst().allSatisfy { $0.isLetter || $0.isNumber || "_.-+:".contains($0) }
    return isWord && place.contains(".") ? place : nil
}

/// `{lambda(std::vector<int> const&)#1}` as `{lambda#1}`.
private func shortLambda(_ name: String) -> String {
    guard name.hasPrefix("{lambda("), let mark = name.lastIndex(of: "#") else { return name }
    return "{lambda" + name[mark...]
}

/// Rust's `<shop::Cache as core::iter::Iterator>` as `<Cache>`.
private func typeOfQualifiedSelf(_ name: String) -> String {
    let inner = name.dropFirst().dropLast()
    let parts = QualifiedName(String(inner.prefix { $0 != " " && $0 != "<" })).components
    return "<" + (parts.last?.name ?? "…") + ">"
}

/// Standard names for what the standard library's defaults spell out.
private let aliases: [(long: String, short: String)] = [
    ("std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string"),
    ("std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char>>", "std::string"),
    ("std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char>>", "std::string"),
    ("std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char> >", "std::string"),
    ("std::basic_string_view<char, std::char_traits<char> >", "std::string_view"),
    ("std::basic_string_view<char, std::char_traits<char>>", "std::string_view"),
    ("std::__1::basic_string_view<char, std::__1::char_traits<char>>", "std::string_view"),
    ("std::__cxx11::", "std::"), ("std::__1::", "std::"), ("[abi:cxx11]", ""),
]

private func withAliases(_ name: String) -> String {
    guard name.holds("std::") || name.holds("[abi") else { return name }
    var text = name
    for (long, short) in aliases { text = text.replacing(long, with: short) }
    return withoutDefaultAllocators(text)
}

/// Without `, std::allocator<…>` at the end of template arguments, and the comparisons and hashes before it.
private func withoutDefaultAllocators(_ name: String) -> String {
    var text = Array(name.utf8)
    for word in [
        "std::allocator<", "std::default_delete<", "std::less<", "std::equal_to<", "std::hash<", "std::char_traits<",
    ] {
        let pattern = Array((", " + word).utf8)
        var at = 0
        while at + pattern.count <= text.count {
            guard text[at] == pattern[0], text[at...].starts(with: pattern),
                let end = closing(text, at + pattern.count),
                let next = text[end...].first(where: { $0 != UInt8(ascii: " ") }),
                next == UInt8(ascii: ">") || next == UInt8(ascii: ",")
            else {
                at += 1
                continue
            }
            text.removeSubrange(at..<end)
        }
    }
    return String(decoding: text, as: UTF8.self).replacing(" >", with: ">")
}

/// Index behind the angle bracket that was opened before `start`.
private func closing(_ text: [UInt8], _ start: Int) -> Int? {
    var depth = 1
    for index in start..<text.count {
        switch text[index] {
        case UInt8(ascii: "<"): depth += 1
        case UInt8(ascii: ">") where text[index - 1] != UInt8(ascii: "-"):
            depth -= 1
            if depth == 0 { return index + 1 }
        default: break
        }
    }
    return nil
}
