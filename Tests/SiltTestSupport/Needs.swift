import Foundation

/// Where the programs of the tests are looked for: as `PATH` says, and where servers are, which is not on every user's.
package let programPath: String = {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let folders = path.split(separator: ":").map(String.init)
    return (folders + ["/usr/sbin", "/sbin"].filter { !folders.contains($0) }).joined(separator: ":")
}()

/// The file of a program that is called by its name or path; the name itself when there is none.
package func programFile(_ name: String) -> String {
    if name.contains("/") { return name }
    return programPath.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 } ?? name
}

/// The Debian package of each program, script and library that the tests use and `.ci/packages` lists.
package let packagesOfPrograms: [String: String] = {
    let programs = [
        "apache2-utils": "ab", "binutils": "c++filt ld nm objcopy readelf strip", "chromium": "chromium",
        "chromium-driver": "chromedriver", "clang": "clang clang++", "curl": "curl", "default-jre-headless": "java",
        "dwz": "dwz", "fish": "fish", "g++": "g++", "gcc": "gcc cc", "git": "git", "golang-go": "go gofmt",
        "gunicorn": "gunicorn", "hey": "hey",
        "jq": "jq", "libdevel-nytprof-perl": "flamegraph.pl", "libgoogle-perftools4": "libtcmalloc.so.4",
        "libjemalloc2": "libjemalloc.so.2", "libtcmalloc-minimal4": "libtcmalloc_minimal.so.4",
        "libxml2-utils": "xmllint", "llvm": "llvm-symbolizer", "make": "make", "mandoc": "mandoc",
        "memcached": "memcached", "nghttp2-client": "h2load", "nginx-light": "nginx", "openssl": "openssl",
        "perl": "perl", "pkg-config": "pkg-config", "procps": "pgrep ps", "prometheus": "prometheus promtool",
        "protobuf-compiler": "protoc", "python3": "python3", "redis-server": "redis-server",
        "redis-tools": "redis-benchmark redis-cli", "siege": "siege", "sqlite3": "sqlite3",
        "systemd": "systemd-analyze",
        "tmux": "tmux",
        "util-linux": "setsid unshare", "uwsgi-core": "uwsgi", "valgrind": "valgrind", "wrk": "wrk", "xz-utils": "xz",
        "zsh": "zsh",
        "zstd": "zstd",
    ]
    return Dictionary(
        uniqueKeysWithValues: programs.flatMap { package, names in
            names.split(separator: " ").map { (String($0), package) }
        }
    )
}()

/// The first program that a command names and that is not there, with what installs it; nil when all are there.
///
/// Words of scripts and the command that silt is to trace count, too: a server that is missing would be waited for.
package func missingProgram(
    in words: [String],
    path: String = programPath,
    libraries: String = "/usr/lib/x86_64-linux-gnu"
) -> String? {
    func isThere(_ name: String, in folders: String, _ mode: Int32) -> Bool {
        folders.split(separator: ":").contains { access("\($0)/\(name)", mode) == 0 }
    }
    let ofNames = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "+-._/"))
    for word in words.flatMap({ $0.components(separatedBy: ofNames.inverted) }) {
        let name = word.hasPrefix("/usr/") ? String(word.split(separator: "/").last ?? "") : word
        // A script may be linked to from anywhere: only its path says where it must be.
        guard let package = packagesOfPrograms[name], word != name || !name.hasSuffix(".pl") else { continue }
        let found: Bool
        if word != name {
            found = access(word, F_OK) == 0
        } else if name.contains(".so") {
            found = isThere(name, in: libraries, R_OK)
        } else {
            found = isThere(name, in: path, X_OK)
        }
        if !found { return "\(word) is missing: apt-get install \(package)" }
    }
    return nil
}
