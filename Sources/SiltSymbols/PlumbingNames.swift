/// Functions of language libraries that only run what they were given: a thread's function, what may panic, `main`.
///
/// They say nothing of a way through the program: what is shown of a way leaves them out.
package enum PlumbingNames {
    /// Of Rust, and the last of libstdc++: starts threads and programs, catches panics.
    private static let prefixes: [StaticString] = [
        "std::panicking::", "std::panic::", "std::rt::", "std::thread::", "std::sys::", "std::sys_common::",
        "core::ops::function::", "__rust_try", "__rust_begin_short_backtrace", "execute_native_thread_routine",
    ]

    /// Of a function that `AllocatorFrames` takes for one of a library.
    package static func isPlumbing(_ function: String) -> Bool {
        prefixes.contains { function.hasPrefix("\($0)") }
    }

    /// Swift's compiler writes functions that call others: what a protocol asks for, say.
    package static func isMade(file: String) -> Bool { file.hasSuffix("<compiler-generated>") }
}
