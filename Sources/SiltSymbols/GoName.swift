/// Which Go functions only pass allocations on, or wait: the standard library's.
///
/// A Go function is named `path/of/package.Function` or `path/of/package.(*Type).Method`; packages of the standard library
/// have no dot in the first element of their path, and neither has `main`.
package enum GoName {
    /// Whether a function is Go's: by its file, or as one of the runtime's in assembly or of no known file.
    package static func isGo(file: String, function: String) -> Bool {
        file.hasSuffix(".go") || ((file.isEmpty || file.hasSuffix(".s")) && function.hasPrefix("runtime."))
    }

    /// Whether a name is that of a pointer's method, as `main.(*shop).order`: no other language has such.
    static func isMethod(_ function: String) -> Bool { function.contains(".(*") }

    /// `function` of Go code.
    package static func kind(_ function: String) -> FunctionKind {
        let first = function.prefix { $0 != "/" && $0 != "." }
        guard library.contains(String(first)) else { return .program }
        return plumbing.contains(package(of: function)) || first == "internal" ? .allocator : .carrier
    }

    /// Whether Go's runtime keeps what was allocated there for its own next use, so that it is as much as was ever needed at
    /// once: descriptors of goroutines and threads, and what those wait with.
    ///
    /// `stack` innermost first. Heap profiles leave the runtime's frames out unless there are no others (runtime/pprof).
    package static func isKeptByRuntime(_ stack: some Sequence<some StringProtocol>) -> Bool {
        var isEmpty = true
        for function in stack {
            let isOfRuntime = function.hasPrefix("runtime.")
            if isEmpty || isOfRuntime, keeps(String(function)) { return true }
            isEmpty = false
            guard isOfRuntime else { return false }
        }
        return !isEmpty
    }

    /// Whether what a function of the runtime allocates goes to one of its free lists afterwards.
    package static func keeps(_ function: String) -> Bool { keepers.contains(function) }

    /// Whether a function is one through which Go's runtime maps memory (runtime/mem_linux.go, cgo_mmap.go).
    package static func maps(_ function: String) -> Bool {
        ["runtime.mmap", "runtime.callCgoMmap", "runtime.sysReserve", "runtime.sysAlloc"].contains {
            function.hasPrefix($0)
        }
    }

    /// Descriptors of goroutines, threads and deferred calls, and places in a queue (runtime/proc.go, panic.go); the
    /// runtime's functions under other names, which allocate nothing else (runtime/sema.go).
    private static let keepers: Set<String> = [
        "runtime.acquireSudog", "runtime.allocm", "runtime.malg", "runtime.newdefer",
        "sync.runtime_notifyListWait", "sync.runtime_Semacquire", "sync.runtime_SemacquireMutex",
        "sync.runtime_SemacquireRWMutex", "sync.runtime_SemacquireRWMutexR", "sync.runtime_SemacquireWaitGroup",
        "internal/poll.runtime_Semacquire", "internal/sync.runtime_SemacquireMutex",
    ]

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
