/// Functions of language libraries that only run what they were given: a thread's function, what may panic, `main`.
///
/// They say nothing of a way through the program: what is shown of a way leaves them out.
package enum PlumbingNames {
    /// In Rust and libstdc++: starts threads and programs, calls what it was given, catches panics.
    private static let prefixes: [StaticString] = [
        "std::panicking::", "std::panic::", "std::rt::", "std::thread::", "std::sys::", "std::sys_common::",
        "core::ops::function::", "__rust_try", "__rust_begin_short_backtrace", "execute_native_thread_routine",
        "std::__invoke", "void std::__invoke_impl<", "std::_Function_handler<", "std::__function::",
        "std::__future_base::",
    ]

    /// Types of C++'s library whose call operator calls what they hold.
    private static let callables: [StaticString] = [
        "std::function<", "std::move_only_function<", "std::packaged_task<", "std::reference_wrapper<", "std::_Bind<",
    ]

    /// For a function that `AllocatorFrames` takes for one of a library.
    package static func isPlumbing(_ function: String) -> Bool {
        // libc++'s inline namespace.
        var name = function.hasPrefix("std::__1::") ? "std::" + function.dropFirst(10) : function
        // Rust's `<Type>::method` and `<Type as Trait>::method`; what is called is in a box, or behind a reference.
        if name.hasPrefix("<") {
            if name.contains(" as core::ops::function::Fn") { return true }
            name.removeFirst()
        }
        func begins(_ starts: [StaticString]) -> Bool { starts.contains { name.hasPrefix("\($0)") } }
        return begins(prefixes) || begins(callables) && name.contains(">::operator()")
    }

    /// For a function without a name: a stripped libstdc++ starts threads, and calls what it was given.
    package static func isPlumbing(module: String) -> Bool { module.lastPathComponent.hasPrefix("libstdc++.so") }

    /// Swift's compiler writes functions that call others: what a protocol asks for, say.
    package static func isMade(file: String) -> Bool { file.hasSuffix("<compiler-generated>") }
}
