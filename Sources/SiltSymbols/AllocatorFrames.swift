package import SiltText

/// Which functions only pass allocations on: the blame goes to their callers.
///
/// The blame frame of a stack is the innermost frame that is program code outside the outermost known allocator; without
/// one, the innermost without a name, then the innermost carrier; without that, the innermost frame. A frame is what the
/// most program-like of its functions is, the inlined ones included.
package final class AllocatorFrames {
    private struct Key: Hashable {
        var function: String
        var module: String
    }

    private var known: [Key: FunctionKind] = [:]
    /// By path of a module: whether it is a runtime's.
    private var runtimes: [String: Bool] = [:]
    private let patterns: [ExtendedPattern]
    private let shown: [ExtendedPattern]

    /// `show`: functions that are program code, whatever silt thinks of them; `hide` wins.
    package init(hide: [String], show: [String] = []) throws(PatternError) {
        var patterns: [ExtendedPattern] = []
        for source in hide { patterns.append(try ExtendedPattern(source)) }
        self.patterns = patterns
        var shown: [ExtendedPattern] = []
        for source in show { shown.append(try ExtendedPattern(source)) }
        self.shown = shown
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
    package static func isAllocatorThroughout(modulePath: String) -> Bool {
        WrapperNames.isCLibrary(modulePath: modulePath)
    }

    /// Whether a module is a shared library, rather than the program itself: by its name, as files are all that is known of
    /// it everywhere.
    package static func isLibrary(modulePath: String) -> Bool {
        let start = modulePath.utf8.lastIndex(of: UInt8(ascii: "/")).map { modulePath.utf8.index(after: $0) }
        return modulePath[(start ?? modulePath.startIndex)...].contains(".so")
    }

    private func isHidden(_ name: String) -> Bool { patterns.contains { $0.matches(name) } }

    /// Whether the user wants a function to be seen as program code.
    package func isShown(function: String) -> Bool {
        !shown.isEmpty && !function.isEmpty
            && shown.contains { $0.matches(function) || $0.matches(readableName(function)) }
    }

    /// Whether a function hands out memory and calls nothing of the program, so that what it calls is part of it.
    ///
    /// A container or `qsort` is not such a function: it calls what the program gave it.
    package func isClosed(function: String, modulePath: String) -> Bool {
        guard kind(function: function, modulePath: modulePath) == .allocator, !isShown(function: function) else {
            return false
        }
        return WrapperNames.isClosedAllocator(function)
    }

    /// Whether a name has a word like alloc in it, as `ngx_resolver_alloc`, `jv_mem_alloc` and `js_malloc_rt` have: what is
    /// called so and has the shape of an allocator is one.
    package static func speaksOfAllocation(_ function: String) -> Bool {
        guard function.utf8.count <= 64 else { return false }
        var words = [""]
        var wasLower = false
        for character in function.prefix(while: { $0 != "(" && $0 != "<" }) {
            if !character.isLetter || character.isUppercase && wasLower { words.append("") }
            if character.isLetter { words[words.count - 1].append(contentsOf: character.lowercased()) }
            wasLower = character.isLowercase
        }
        return words.contains { $0.hasSuffix("alloc") && $0 != "dealloc" || $0 == "allocate" }
    }

    private func decide(_ function: String, _ modulePath: String) -> FunctionKind {
        if !patterns.isEmpty, !function.isEmpty, isHidden(function) || isHidden(readableName(function)) {
            return .allocator
        }
        if function.isEmpty { return isRuntime(modulePath) ? .allocator : .unnamed }
        if isShown(function: function) { return .program }
        if let swift = SwiftName(function) { return kind(swift) }
        let isRuntime = isRuntime(modulePath)
        let name = QualifiedName(function)
        if WrapperNames.swiftRuntimeTypes.contains(where: { name.parameters.holds($0) }) { return .allocator }
        let path = name.components.map(\.name).filter { !WrapperNames.inlineNamespaces.contains($0) }
        guard let last = path.last else { return isRuntime ? .allocator : .program }
        if path.count > 1 || path[0].hasPrefix("<") { return kind(path, isRust: name.parameters.isEmpty, isRuntime) }
        return isRuntime || WrapperNames.exact.contains(last) || WrapperNames.starts.contains(last)
            || WrapperNames.isAllocatorLike(last)
            || WrapperNames.cPrefixes.contains(where: { last.hasPrefix($0) }) ? .allocator : .program
    }

    private func isRuntime(_ modulePath: String) -> Bool {
        if let answer = runtimes[modulePath] { return answer }
        let answer = WrapperNames.isRuntime(modulePath: modulePath)
        runtimes[modulePath] = answer
        return answer
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
