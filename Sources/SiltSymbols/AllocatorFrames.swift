package import SiltText

/// Which functions only pass allocations on: the blame goes to their callers.
///
/// The blame frame of a stack is the innermost frame that is program code; without one, the innermost carrier; without
/// that, the innermost frame. A frame is what the most program-like of its functions is, the inlined ones included.
package final class AllocatorFrames {
    private struct Key: Hashable {
        var function: String
        var module: String
    }

    private var known: [Key: FunctionKind] = [:]
    private let patterns: [ExtendedPattern]

    package init(hide: [String]) throws(PatternError) {
        var patterns: [ExtendedPattern] = []
        for source in hide { patterns.append(try ExtendedPattern(source)) }
        self.patterns = patterns
    }

    /// `function` is demangled, empty when unknown.
    package func kind(function: String, modulePath: String) -> FunctionKind {
        let key = Key(function: function, module: modulePath)
        if let answer = known[key] { return answer }
        let answer = decide(function, modulePath)
        known[key] = answer
        return answer
    }

    /// The same for a function of Go code.
    package func goKind(function: String) -> FunctionKind {
        isHidden(function) ? .allocator : GoName.kind(function)
    }

    /// Whether every function of a module is an allocator, whatever is inlined into it: the C library is C throughout.
    package func isAllocatorThroughout(modulePath: String) -> Bool { WrapperNames.isCLibrary(modulePath: modulePath) }

    private func isHidden(_ name: String) -> Bool { patterns.contains { $0.matches(name) } }

    private func decide(_ function: String, _ modulePath: String) -> FunctionKind {
        if !patterns.isEmpty, !function.isEmpty, isHidden(function) || isHidden(readableName(function)) {
            return .allocator
        }
        if function.isEmpty { return WrapperNames.isRuntime(modulePath: modulePath) ? .allocator : .program }
        if let swift = SwiftName(function) { return kind(swift) }
        let isRuntime = WrapperNames.isRuntime(modulePath: modulePath)
        let name = QualifiedName(function)
        if WrapperNames.swiftRuntimeTypes.contains(where: { name.parameters.holds($0) }) { return .allocator }
        let path = name.components.map(\.name).filter { !WrapperNames.inlineNamespaces.contains($0) }
        guard let last = path.last else { return isRuntime ? .allocator : .program }
        if path.count > 1 || path[0].hasPrefix("<") { return kind(path, isRust: name.parameters.isEmpty, isRuntime) }
        return isRuntime || WrapperNames.exact.contains(last) || WrapperNames.starts.contains(last)
            || WrapperNames.isAllocatorLike(last)
            || WrapperNames.cPrefixes.contains(where: { last.hasPrefix($0) }) ? .allocator : .program
    }

    private func kind(_ name: SwiftName) -> FunctionKind {
        if name.isThunk { return .carrier }
        if name.isGlue || name.isAllocatingInitializer { return .allocator }
        if WrapperNames.swiftModules.contains(name.module) { return .allocator }
        if name.module == "__C" {
            return WrapperNames.exact.contains(name.components.last ?? "") ? .allocator : .program
        }
        return .program
    }

    /// C++ and Rust.
    private func kind(_ path: [String], isRust: Bool, _ isRuntime: Bool) -> FunctionKind {
        let last = path[path.count - 1]
        if last.hasPrefix("operator new") || last.hasPrefix("operator delete") { return .allocator }
        if last.hasPrefix("swift_") || last.hasPrefix("_swift_") { return .allocator }
        if path[0].hasPrefix("<") { return implementation(path[0]) }
        if WrapperNames.isLibraryPath(path, isRust: isRust) || isRuntime {
            return path.contains(where: { WrapperNames.carrierParts.contains($0) }) ? .carrier : .allocator
        }
        return WrapperNames.isAllocatorLike(last) ? .allocator : .program
    }

    /// Rust's `<Type as Trait>::method`: the type's, or the trait's where the type is a primitive or a parameter.
    private func implementation(_ part: String) -> FunctionKind {
        let inner = String(part.dropFirst().dropLast())
        let pieces = Self.splitAs(inner)
        var type = Substring(pieces.type)
        while let word = ["&mut ", "&", "*const ", "*mut ", "dyn ", "["].first(where: { type.hasPrefix($0) }) {
            type = type.dropFirst(word.count)
        }
        let path = QualifiedName(String(type)).components.map(\.name)
        if path.count > 1 || path.first?.hasPrefix("<") == true { return kind(path, isRust: true, false) }
        // A primitive or a type parameter.
        guard let trait = pieces.trait else { return .allocator }
        let traitPath = QualifiedName(trait).components.map(\.name)
        return traitPath.isEmpty ? .allocator : kind(traitPath, isRust: true, false)
    }

    /// At the ` as ` outside brackets.
    private static func splitAs(_ text: String) -> (type: String, trait: String?) {
        var depth = 0
        var previous: UInt8 = 0
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "<"), UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ">") where previous != UInt8(ascii: "-"): depth -= 1
            case UInt8(ascii: " ") where depth == 0 && bytes[index...].starts(with: " as ".utf8):
                return (
                    String(decoding: bytes[..<index], as: UTF8.self),
                    String(decoding: bytes[(index + 4)...], as: UTF8.self)
                )
            default: break
            }
            previous = byte
        }
        return (text, nil)
    }
}
