/// What files look like that are given instead of a profile.
enum FileKind {
    private static let beginnings: [(beginning: String, description: String)] = [
        ("<", "it is an HTML or XML page; the address ends in /debug/pprof"),
        ("{", "it is JSON"),
        ("[", "it is JSON"),
        ("SQLite format 3", "it is an SQLite database, perhaps a silt recording"),
        ("go 1.", "it is an execution trace of Go; take /debug/pprof/heap"),
        ("\u{7f}ELF", "it is an executable or a library"),
        ("heap_v2/", "it is a jemalloc dump, which `go tool pprof` does not read either; look at it with jeprof"),
    ]

    /// First words of the text forms that profilers write, and Go's endpoints for ?debug=1.
    private static let texts = [
        "heap profile:", "goroutine profile:", "goroutine ", "threadcreate profile:", "allocs profile:",
        "--- ", "# ",
    ]

    /// As in "it is JSON"; nil: nothing known, so it may be a profile.
    static func description(of bytes: [UInt8]) -> String? {
        if bytes.isEmpty { return "it is empty" }
        if Gzip.holds(bytes) { return "it is compressed twice; decompress it once" }
        if Zstandard.holds(bytes) { return "it is compressed twice; decompress it once" }
        if texts.contains(where: { bytes.starts(with: $0.utf8) }) {
            return "it is a profile in text form; take it without debug=1, or convert it with `go tool pprof -proto`"
        }
        return beginnings.first { bytes.starts(with: $0.beginning.utf8) }?.description
    }
}
