/// Functions that load code: what is allocated below them comes once for each library or file that is loaded.
@usableFromInline
package enum LoaderNames {
    /// Of which file, or how often, the same name does not say.
    @usableFromInline
    package enum Loader: Sendable {
        /// A library, which is a module of its own.
        case library
        /// A file of a script, once.
        case script
        /// Code that a script has made or read, which may be of a file that it loads.
        case code
    }

    /// What a function has to do with loading; nil of most.
    @usableFromInline
    package enum Role: Sendable {
        case loads(Loader)
        /// CPython: runs code that was compiled, compiles it, runs the program, is its loop, or calls with a tuple.
        case evaluates
        case compiles
        case isMain
        case isLoop
        case calls
    }

    /// The role of a function by its name.
    package static func role(of function: String) -> Role? { roles[function] }

    /// The one that says most of a stack's functions, innermost first; nil: none loads anything.
    ///
    /// CPython's `importlib` compiles and runs a file by `f(*arguments)`, and other code by a plain call. Without symbols of
    /// the interpreter's own, that code is run is seen by `PyEval_EvalCode`, which is exported, below another loop.
    @inlinable
    package static func loader(ofStack functions: some Sequence<Role?>) -> Loader? {
        var (isLibrary, runs, loops) = (false, 0, 0)
        // Since the last loop.
        var (evaluates, executes, compiles, isMain) = (false, false, false, false)
        for role in functions {
            switch role {
            case nil: break
            case .loads(.library): isLibrary = true
            case .loads(.script): return .script
            case .loads(.code): executes = true
            case .evaluates: evaluates = true
            case .compiles: compiles = true
            case .isMain: isMain = true
            case .isLoop:
                runs += evaluates || executes ? 1 : 0
                loops += 1
                (evaluates, executes, compiles) = (false, false, false)
            case .calls: if evaluates || executes || compiles { return .script }
            }
        }
        runs += executes ? 1 : 0
        // A program that is started as a module is itself code that was given to `exec`.
        if isMain, !evaluates, loops > 0 { runs -= 1 }
        return isLibrary ? .library : runs > 0 ? .code : nil
    }

    private static let roles: [String: Role] = {
        var roles = names.mapValues { Role.loads($0) }
        for name in callers { roles[name] = .calls }
        roles["PyEval_EvalCode"] = .evaluates
        for name in ["builtin_compile", "Py_CompileStringObject"] { roles[name] = .compiles }
        for name in ["Py_RunMain", "pymain_run_module"] { roles[name] = .isMain }
        roles["_PyEval_EvalFrameDefault"] = .isLoop
        return roles
    }()

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
