/// Functions that load code: what is allocated below them comes once for each library or file that is loaded.
package enum LoaderNames {
    /// Of which file, or how often, the same name does not say.
    package enum Loader: Sendable {
        /// A library, which is a module of its own.
        case library
        /// A file of a script, once.
        case script
        /// Code that a script has made or read, which may be of a file that it loads.
        case code
    }

    /// nil for any other function.
    package static func loader(_ function: String) -> Loader? { names[function] }

    /// A Python program that is started as a module is itself code that was given to `exec`.
    package static func runsModule(_ function: String) -> Bool { function == "pymain_run_module" }

    private static let names: [String: Loader] = [
        "dlopen": .library, "dlmopen": .library, "__libc_dlopen_mode": .library, "g_module_open": .library,
        "import_find_and_load": .script, "PyImport_ImportModuleLevelObject": .script,
        "S_require_file": .script, "Perl_pp_require": .script,
        "rb_require_internal": .script, "require_internal": .script, "rb_f_require": .script,
        "builtin_exec": .code,
    ]
}
