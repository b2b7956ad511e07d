internal import SiltText

/// A program that runs another language on a heap of its own: what silt sees there, and what it does not.
package enum Interpreter: Equatable, Sendable, CaseIterable {
    case python
    case java
    case node
    case php
    case perl
    case ruby

    /// By the name of a program or of a library that it is linked with; nil for what is none of these.
    package init?(file: String) {
        let name = file.lastPathComponent
        let found = Interpreter.allCases.first { $0.names.contains { Self.isVersion(name, of: $0) } }
        guard let found else { return nil }
        self = found
    }

    /// As python3.11, php-fpm8.2, libpython3.11.so.1.0; no other word that begins alike.
    static func isVersion(_ name: Substring, of program: String) -> Bool {
        name.hasPrefix(program) && name.dropFirst(program.count).allSatisfy { !$0.isLetter || name.contains(".so") }
    }

    private var names: [String] {
        switch self {
        case .python: ["python", "libpython"]
        case .java: ["java", "libjvm.so"]
        case .node: ["node", "nodejs", "libnode.so"]
        case .php: ["php", "php-fpm", "php-cgi", "libphp"]
        case .perl: ["perl", "libperl"]
        case .ruby: ["ruby", "libruby"]
        }
    }

    package var name: String {
        switch self {
        case .python: "Python"
        case .java: "Java"
        case .node: "Node.js"
        case .php: "PHP"
        case .perl: "Perl"
        case .ruby: "Ruby"
        }
    }

    /// What is found as in any other program.
    package var seen: String {
        switch self {
        case .python: "each object of more than 512 bytes, and what extension modules allocate"
        case .java: "direct buffers, what native libraries allocate, the virtual machine's own memory, threads"
        case .node: "Buffers and ArrayBuffers, what addons allocate, Node's own memory"
        case .php: "what extensions and libraries allocate past PHP's own allocator"
        case .perl: "strings, arrays and hashes, what modules in C allocate"
        case .ruby: "long strings, arrays and hashes, what extensions allocate"
        }
    }

    /// What is not, or only as a whole.
    package var unseen: String {
        switch self {
        case .python: "smaller objects one by one (only the arenas they lie in), lines of Python code"
        case .java: "objects of the garbage-collected heap (only its large mappings), lines of Java code"
        case .node: "JavaScript's objects one by one, lines of JavaScript code"
        case .php: "PHP's values one by one (only the chunks of 2 MiB they lie in), lines of PHP code"
        case .perl: "small values one by one (only the arenas they lie in), lines of Perl code"
        case .ruby: "small objects one by one (only the pages they lie in), lines of Ruby code"
        }
    }

    /// What shows more of it.
    package var advice: String {
        switch self {
        case .python: "PYTHONMALLOC=malloc makes each object a block"
        case .java: "jcmd PID GC.class_histogram twice, and compare"
        case .node: "node --heapsnapshot-signal=SIGUSR2, two snapshots, compared in Chrome"
        case .php: "USE_ZEND_ALLOC=0 makes each value a block"
        case .perl: "Devel::Gladiator counts values by kind"
        case .ruby: "ObjectSpace.trace_object_allocations_start, then ObjectSpace.dump_all"
        }
    }
}
