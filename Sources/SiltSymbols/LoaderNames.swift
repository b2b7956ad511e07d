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

    /// The one that says most of a stack's functions, innermost first; nil: none loads anything.
    ///
    /// CPython's `importlib` compiles and runs a file by `f(*arguments)`, and other code by a plain call. Without symbols of
    /// the interpreter's own, that code is run is seen by `PyEval_EvalCode`, which is exported, below another loop.
    package static func loader(ofStack functions: some Sequence<String>) -> Loader? {
        var (isLibrary, runs, loops) = (false, 0, 0)
        // Since the last loop.
        var (evaluates, executes, compiles, isMain) = (false, false, false, false)
        for function in functions {
            switch names[function] {
            case .library: isLibrary = true
            case .script: return .script
            case .code: executes = true
            case nil: break
            }
            switch function {
            case "PyEval_EvalCode": evaluates = true
            case "builtin_compile", "Py_CompileStringObject": compiles = true
            case "Py_RunMain", "pymain_run_module": isMain = true
            case "_PyEval_EvalFrameDefault":
                runs += evaluates || executes ? 1 : 0
                loops += 1
                (evaluates, executes, compiles) = (false, false, false)
            default: if evaluates || executes || compiles, callers.contains(function) { return .script }
            }
        }
        runs += executes ? 1 : 0
        // A program that is started as a module is itself code that was given to `exec`.
        if isMain, !evaluates, loops > 0 { runs -= 1 }
        return isLibrary ? .library : runs > 0 ? .code : nil
    }

    private static let names: [String: Loader] = [
        "dlopen": .library, "dlmopen": .library, "__libc_dlopen_mode": .library, "g_module_open": .library,
        "import_find_and_load": .script, "PyImport_ImportModuleLevelObject": .script, "marshal_loads": .script,
        "S_require_file": .script, "Perl_pp_require": .script,
        "rb_require_internal": .script, "require_internal": .script, "rb_f_require": .script,
        "rb_require_string": .script, "rb_autoload_load": .script, "ll_require": .script,
        "builtin_exec": .code,
    ]

    /// What CPython calls a function by with arguments that are in a tuple.
    private static let callers: Set<String> = [
        "do_call_core", "PyObject_Call", "_PyObject_Call", "PyVectorcall_Call", "_PyVectorcall_Call",
    ]
}
