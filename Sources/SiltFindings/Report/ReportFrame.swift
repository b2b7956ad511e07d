internal import SiltSymbols
internal import SiltText

/// One function of a stack, with names.
package struct ReportFrame: Equatable, Sendable {
    /// Empty when unknown: then module and offset say where.
    package var function: String
    package var file: String?
    package var line: Int?
    package var module: String
    package var offset: UInt64
    package var inlined: Bool
    /// Another place of the report has the same name, in another module.
    package var tellsModule = false
    /// The name by which the module was started, where it is a program; nil: that of its file.
    package var startedAs: String?
    /// Of a language's library, and only runs what it was given: says nothing of a way through the program.
    package var isPlumbing = false

    /// What calls main, or a thread's function.
    package var isRuntimeStart: Bool { InterpreterNames.isRuntimeStart(function) }

    /// In a C library without symbols: outermost, what calls main or a thread's function.
    package var isUnnamedInCLibrary: Bool {
        function.isEmpty && AllocatorFrames.isAllocatorThroughout(modulePath: module)
    }

    /// At the same line of a function; without a name, at the same address.
    package func isSamePlace(as other: ReportFrame) -> Bool {
        function == other.function && file == other.file && line == other.line && module == other.module
            && (!function.isEmpty || offset == other.offset)
    }

    /// The function as a reader wants it, or what stands for it.
    package var name: String {
        if isGo { return function }
        if !function.isEmpty { return readableName(function) }
        if module.isEmpty { return "[" + Format.hex(offset) + "]" }
        // The module as such.
        return offset == 0 ? moduleName : moduleName + "+" + Format.hex(offset)
    }

    private var isGo: Bool { GoName.isGo(file: file ?? "", function: function) }

    /// `name` for a terminal in at most `width` characters: shortened by its arguments before it is cut.
    package func name(width: Int) -> String {
        let known = function.isEmpty || isGo ? name : fittedFunction(function, width: width)
        return known.printable.cutInside(to: width)
    }

    /// file:line with the file's last component; the module's when there are no lines.
    package var place: String {
        guard let file, let line else { return function.isEmpty ? "" : moduleName }
        let place = file.lastPathComponent + ":\(line)"
        return tellsModule ? "\(moduleName): \(place)" : String(place)
    }

    /// What a reader knows the module by.
    package var moduleName: String { startedAs ?? String(module.lastPathComponent) }
}
