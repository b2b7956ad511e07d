/// Which Go functions only pass allocations on, or wait: the standard library's.
///
/// A Go function is named `path/of/package.Function` or `path/of/package.(*Type).Method`; packages of the standard library
/// have no dot in the first element of their path, and neither has `main`.
package enum GoName {
    /// Whether a function is Go's: by its file, or as one of the runtime's in assembly.
    package static func isGo(file: String, function: String) -> Bool {
        file.hasSuffix(".go") || (file.hasSuffix(".s") && function.hasPrefix("runtime."))
    }

    /// `function` of Go code.
    package static func kind(_ function: String) -> FunctionKind {
        let first = function.prefix { $0 != "/" && $0 != "." }
        guard library.contains(String(first)) else { return .program }
        return plumbing.contains(package(of: function)) || first == "internal" ? .allocator : .carrier
    }

    /// `net/http` of `net/http.(*conn).serve`.
    private static func package(of function: String) -> String {
        let start = function.lastIndex(of: "/").map { function.index(after: $0) } ?? function.startIndex
        let dot = function[start...].firstIndex(of: ".") ?? function.endIndex
        return String(function[..<dot])
    }

    /// What others wait in and allocate through: who called it says more.
    private static let plumbing: Set<String> = [
        "runtime", "reflect", "sync", "syscall", "time", "io", "bufio", "bytes", "strings", "net", "crypto/tls", "os",
        "context", "container/list", "encoding/json", "fmt", "sort", "strconv",
    ]

    /// First elements of the standard library's package paths (pkg.go.dev/std).
    private static let library: Set<String> = [
        "archive", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug", "embed",
        "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal", "io", "iter",
        "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort",
        "strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time", "unicode", "unique", "unsafe",
        "vendor", "weak",
    ]
}
