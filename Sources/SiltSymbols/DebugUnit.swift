internal import Clibdw
internal import Glibc

/// One compilation unit: its functions by address, and what the compiler inlined into each.
///
/// Read once per unit and function, in one pass over the entries: libdw's own search for the scopes of an address passes
/// over the whole unit each time.
final class DebugUnit {
    /// A function's own code, or a call inlined into it.
    struct Scope {
        /// Demangled.
        var function: String
        /// Where an inlined function was called.
        var callFile: String?
        var callLine: Int?
    }

    private struct FunctionSpan {
        var start: UInt64
        var end: UInt64
        var die: Dwarf_Die
    }

    /// A function and its inlined calls, each after the call it is in.
    private struct Body {
        var scopes: [Scope] = []
        var parents: [Int] = []
        var spans: [(start: UInt64, end: UInt64, scope: Int)] = []
    }

    private var line: Dwarf_Die
    /// The split unit (DWARF 5, 3.1.3) where there is one.
    private var root: Dwarf_Die
    /// dwfl address − address in the debug information.
    let bias: UInt64
    private let directory: String
    private var functions: [FunctionSpan]?
    /// Whether `functions` has those inside other functions, and inside of types, too.
    private var hasInnerFunctions = false
    private var highestEnds: [UInt64] = []
    private var bodies: [Int: Body] = [:]
    /// Namespaces and classes around functions without a linkage name, by entry.
    private var scopeNames: [UInt: String] = [:]
    private var functionNames: [UInt: String] = [:]
    private static let depthLimit = 256

    init(die: Dwarf_Die, bias: UInt64) {
        line = die
        root = die
        self.bias = bias
        var version: Dwarf_Half = 0
        var type: UInt8 = 0
        var split = Dwarf_Die()
        if let unit = die.cu, dwarf_cu_info(unit, &version, &type, nil, &split, nil, nil, nil) == 0,
            type == UInt8(DW_UT_skeleton), split.addr != nil
        {
            root = split
        }
        var attribute = Dwarf_Attribute()
        let found = dwarf_attr(&line, UInt32(DW_AT_comp_dir), &attribute) != nil ? dwarf_formstring(&attribute) : nil
        directory = found.map { escapedText(cString: $0) } ?? ""
    }

    /// File and line of an address of the debug information's own numbering; nil for code without a line.
    func sourceLine(_ address: UInt64) -> (file: String?, line: Int?) {
        guard let row = dwarf_getsrc_die(&line, address) else { return (nil, nil) }
        var number: Int32 = 0
        dwarf_lineno(row, &number)
        let file = dwarf_linesrc(row, nil, nil).map { absolute(escapedText(cString: $0)) }
        return (file, number > 0 ? Int(number) : nil)
    }

    /// The scopes at an address: innermost inlined call first, the function itself last; empty outside of functions.
    func scopes(_ address: UInt64) -> [Scope] {
        // C has functions inside functions nowhere but as an extension, none in types, and no scopes that names need:
        // most of a unit's entries need not be looked at.
        let all = functions ?? readFunctions(inner: !isC)
        if let index = Self.function(at: address, in: all, highestEnds) {
            return scopes(address, in: bodies[index] ?? readBody(index, all[index].die))
        }
        guard !hasInnerFunctions else { return [] }
        _ = readFunctions(inner: true)
        return scopes(address)
    }

    private var isC: Bool {
        switch UInt32(bitPattern: dwarf_srclang(&root)) {
        case UInt32(DW_LANG_C), UInt32(DW_LANG_C89), UInt32(DW_LANG_C99), UInt32(DW_LANG_C11): true
        default: false
        }
    }

    /// The innermost function at an address.
    private static func function(at address: UInt64, in all: [FunctionSpan], _ highestEnds: [UInt64]) -> Int? {
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        var index = low - 1
        while index >= 0, highestEnds[index] > address, address >= all[index].end { index -= 1 }
        return index >= 0 && address < all[index].end ? index : nil
    }

    private func scopes(_ address: UInt64, in body: Body) -> [Scope] {
        var found = 0
        for span in body.spans where span.start <= address && address < span.end { found = max(found, span.scope) }
        var result: [Scope] = []
        while found > 0 {
            result.append(body.scopes[found])
            found = body.parents[found]
        }
        result.append(body.scopes[0])
        return result
    }

    /// Relative paths are relative to where the compiler ran; a relative directory is in them already.
    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") || !directory.hasPrefix("/") ? path : directory + "/" + path
    }

    // MARK: - Functions

    private func readFunctions(inner: Bool) -> [FunctionSpan] {
        var found: [FunctionSpan] = []
        hasInnerFunctions = inner
        bodies = [:]
        collect(root, scope: "", in: nil, depth: 0, &found)
        found.sort { $0.start != $1.start ? $0.start < $1.start : $0.end > $1.end }
        var highest: UInt64 = 0
        highestEnds = found.map {
            highest = max(highest, $0.end)
            return highest
        }
        functions = found
        return found
    }

    /// `function` is the entry's innermost enclosing function, which names the scope of its local classes.
    private func collect(
        _ entry: Dwarf_Die,
        scope: String,
        in function: Dwarf_Die?,
        depth: Int,
        _ found: inout [FunctionSpan]
    ) {
        var parent = entry
        guard depth < Self.depthLimit else { return }
        var die = Dwarf_Die()
        guard dwarf_child(&parent, &die) == 0 else { return }
        repeat {
            switch dwarf_tag(&die) {
            case Int32(DW_TAG_subprogram):
                let here = die
                Self.forEachRange(&die) { found.append(FunctionSpan(start: $0, end: $1, die: here)) }
                if !scope.isEmpty, let address = die.addr { scopeNames[UInt(bitPattern: address)] = scope }
                if hasInnerFunctions, dwarf_haschildren(&die) > 0 {
                    collect(die, scope: "", in: die, depth: depth + 1, &found)
                }
            case Int32(DW_TAG_namespace), Int32(DW_TAG_class_type), Int32(DW_TAG_structure_type),
                Int32(DW_TAG_union_type), Int32(DW_TAG_module), Int32(DW_TAG_enumeration_type):
                guard hasInnerFunctions, dwarf_haschildren(&die) > 0 else { continue }
                let outer = scope.isEmpty ? function.map { path(of: $0) } ?? "" : scope
                let inner = dwarf_diename(&die).map { escapedText(cString: $0) } ?? Self.unnamed(dwarf_tag(&die))
                collect(die, scope: outer.isEmpty ? inner : outer + "::" + inner, in: nil, depth: depth + 1, &found)
            case Int32(DW_TAG_lexical_block):
                if dwarf_haschildren(&die) > 0 { collect(die, scope: scope, in: function, depth: depth + 1, &found) }
            default: break
            }
        } while Self.advance(&die)
    }

    /// A class without a name is a lambda's, in nearly all cases.
    private static func unnamed(_ tag: Int32) -> String {
        tag == Int32(DW_TAG_namespace) ? "(anonymous namespace)" : "{lambda}"
    }

    /// A function's name without its parameters.
    private func path(of function: Dwarf_Die) -> String {
        var die = function
        let name = name(&die)
        return QualifiedName(name).components.map(\.full).joined(separator: "::")
    }

    /// On to the next sibling; false behind the last.
    private static func advance(_ die: inout Dwarf_Die) -> Bool {
        var next = Dwarf_Die()
        var current = die
        guard dwarf_siblingof(&current, &next) == 0 else { return false }
        die = next
        return true
    }

    /// The ranges of code of an entry (DWARF 5, 2.17).
    static func forEachRange(_ die: inout Dwarf_Die, _ body: (UInt64, UInt64) -> Void) {
        var base: Dwarf_Addr = 0
        var start: Dwarf_Addr = 0
        var end: Dwarf_Addr = 0
        var at = 0
        // Each call moves on by at least one list entry; damaged lists end with an error.
        while true {
            let next = dwarf_ranges(&die, at, &base, &start, &end)
            guard next > 0, next != at else { return }
            at = next
            if end > start { body(start, end) }
        }
    }

    // MARK: - Inlined calls

    private func readBody(_ index: Int, _ function: Dwarf_Die) -> Body {
        var die = function
        var body = Body()
        body.scopes.append(Scope(function: name(&die)))
        body.parents.append(0)
        collectInlined(die, parent: 0, depth: 0, &body)
        bodies[index] = body
        return body
    }

    private func collectInlined(_ entry: Dwarf_Die, parent scope: Int, depth: Int, _ body: inout Body) {
        var parent = entry
        guard depth < Self.depthLimit else { return }
        var die = Dwarf_Die()
        guard dwarf_child(&parent, &die) == 0 else { return }
        repeat {
            switch dwarf_tag(&die) {
            case Int32(DW_TAG_inlined_subroutine):
                let number = body.scopes.count
                let call = callSite(&die)
                body.scopes.append(Scope(function: name(&die), callFile: call.file, callLine: call.line))
                body.parents.append(scope)
                Self.forEachRange(&die) { body.spans.append(($0, $1, number)) }
                collectInlined(die, parent: number, depth: depth + 1, &body)
            case Int32(DW_TAG_lexical_block), Int32(DW_TAG_try_block), Int32(DW_TAG_catch_block),
                Int32(DW_TAG_with_stmt):
                collectInlined(die, parent: scope, depth: depth + 1, &body)
            default: break
            }
        } while Self.advance(&die)
    }

    /// Where an inlined function was called (DWARF 5, 3.3.8.2).
    private func callSite(_ die: inout Dwarf_Die) -> (file: String?, line: Int?) {
        var attribute = Dwarf_Attribute()
        var value: Dwarf_Word = 0
        var line: Int?
        if dwarf_attr(&die, UInt32(DW_AT_call_line), &attribute) != nil, dwarf_formudata(&attribute, &value) == 0 {
            line = value == 0 ? nil : Int(clamping: value)
        }
        var file: String?
        var files: OpaquePointer?
        var count = 0
        if dwarf_attr(&die, UInt32(DW_AT_call_file), &attribute) != nil, dwarf_formudata(&attribute, &value) == 0,
            dwarf_getsrcfiles(&root, &files, &count) == 0, value < UInt64(count),
            let name = dwarf_filesrc(files, Int(value), nil, nil)
        {
            file = absolute(escapedText(cString: name))
        }
        return (file, line)
    }

    // MARK: - Names

    /// The linkage name where there is one, else the plain name with its namespaces; both also of the abstract origin.
    private func name(_ die: inout Dwarf_Die) -> String {
        var origin = die
        for _ in 0..<8 {
            var attribute = Dwarf_Attribute()
            var next = Dwarf_Die()
            guard
                dwarf_attr(&origin, UInt32(DW_AT_abstract_origin), &attribute) != nil
                    || dwarf_attr(&origin, UInt32(DW_AT_specification), &attribute) != nil,
                dwarf_formref_die(&attribute, &next) != nil
            else { break }
            origin = next
        }
        let key = UInt(bitPattern: origin.addr)
        if let known = functionNames[key] { return known }
        let name = readName(&die, &origin)
        functionNames[key] = name
        return name
    }

    private func readName(_ die: inout Dwarf_Die, _ origin: inout Dwarf_Die) -> String {
        var attribute = Dwarf_Attribute()
        for kind in [DW_AT_linkage_name, DW_AT_MIPS_linkage_name] {
            if dwarf_attr_integrate(&die, UInt32(kind), &attribute) != nil, let name = dwarf_formstring(&attribute),
                name.pointee != 0
            {
                return demangle(escapedText(cString: name))
            }
        }
        guard let plain = dwarf_diename(&die) else { return "" }
        let name = escapedText(cString: plain)
        guard let scope = scopeNames[UInt(bitPattern: origin.addr)] else { return name }
        return scope + "::" + name
    }
}
