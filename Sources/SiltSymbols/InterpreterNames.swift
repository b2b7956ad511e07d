internal import SiltText

/// The functions in which interpreters run a program's code.
///
/// Such a function is on the way to everything that a script allocates, so it tells nothing apart: what calls into the
/// interpreter does, or what the interpreter calls.
package enum InterpreterNames {
    /// Whether a function is part of an interpreter's loop, or of the way into it.
    package static func isLoop(_ function: String) -> Bool {
        let name = function.hasSuffix(".cold") ? String(function.dropLast(5)) : function
        return exact.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }

    /// Whether a program or library is an interpreter's own: what of it calls into its loop runs any script.
    package static func isInterpreter(file: String) -> Bool {
        let name = file.lastPathComponent
        return Interpreter(file: file) != nil || files.contains { Interpreter.isVersion(name, of: $0) }
    }

    /// Whether a function is main, or what calls it or a thread's function: as little said by it.
    package static func isStart(_ function: String) -> Bool { function == "main" || isRuntimeStart(function) }

    /// Whether a function of the C library calls main, or a thread's function.
    package static func isRuntimeStart(_ function: String) -> Bool {
        ["_start", "start_thread", "clone", "clone3", "__clone", "__clone3", "thread_start"].contains(function)
            || function.hasPrefix("__libc_start")
    }

    /// Beside those of `Interpreter`.
    private static let files = [
        "lua", "luajit", "liblua", "libluajit", "tclsh", "libtcl",
    ]

    private static let exact: Set<String> = [
        // Python
        "run_eval_code_obj", "run_mod", "pyrun_file", "pyrun_simple_file", "pyrun_one", "builtin_exec", "builtin_eval",
        "builtin_exec_impl", "builtin_eval_impl", "gen_send_ex", "gen_send_ex2", "gen_iternext", "gen_send",
        "gen_close_iter", "async_gen_asend_send", "coro_wrapper_send", "method_vectorcall", "vectorcall_method",
        "vectorcall_unbound", "vectorcall_maybe", "call_unbound", "call_unbound_noarg", "object_vacall",
        "do_call_core", "function_code_fastcall", "cfunction_call", "type_call", "slot_tp_init",
        "slot_tp_call", "slot_tp_new", "slot_tp_iternext", "slot_tp_getattr_hook", "slot_tp_richcompare",
        "slot_mp_subscript", "slot_tp_repr", "slot_tp_str", "slot_tp_hash", "slot_tp_descr_get",
        "t_bootstrap", "thread_PyThread_start_new_thread", "pythread_wrapper", "exec_code_in_module",
        "PyImport_ImportModuleLevelObject", "import_find_and_load", "partial_vectorcall", "partial_call",
        "task_step_impl", "Py_RunMain", "Py_BytesMain", "Py_Main",
        "Py_InitializeFromConfig",
        // Perl
        "perl_run", "perl_parse", "S_run_body", "Perl_call_list", "Perl_call_sv", "Perl_call_method", "Perl_call_pv",
        "Perl_eval_sv", "Perl_eval_pv", "S_parse_body",
        // Lua
        "luaV_execute", "luaV_finishOp", "luaD_call", "luaD_callnoyield", "luaD_precall", "luaD_rawrunprotected",
        "luaD_pcall", "lua_callk", "lua_pcallk", "lua_call", "lua_pcall", "lua_resume",
        "lj_vm_call", "lj_BC_FUNCC", "luaB_pcall", "auxresume",
        // Ruby
        "vm_exec", "vm_exec_core", "rb_vm_exec", "vm_sendish", "vm_yield_with_cfunc", "rb_yield", "rb_yield_1",
        "rb_yield_values", "rb_ensure", "rb_protect", "rb_rescue2", "rb_vrescue2", "ruby_exec_node", "rb_ec_exec_node",
        "ruby_run_node", "rb_main", "invoke_block_from_c_bh", "rb_iseq_eval_main", "rb_iseq_eval", "rb_iterate0",
        // PHP
        "execute_ex", "zend_execute", "zend_execute_scripts", "zend_call_function", "zend_execute_ex",
        "php_execute_script",
        "execute_internal", "zend_call_known_function", "zend_call_method",
        // JavaScript: QuickJS, Duktape
        "JS_CallInternal", "JS_Call", "JS_CallFree", "JS_EvalFunction", "JS_EvalFunctionInternal", "JS_EvalInternal",
        "JS_Eval", "async_func_resume", "js_call_c_function", "js_call_bound_function",
        "duk__js_execute_bytecode_inner",
        "duk_js_execute_bytecode", "duk_handle_call_unprotected",
        // Others: Tcl, awk, bash, jq, Guile, Erlang
        "TEBCresume", "TclNRRunCallbacks", "TclEvalEx", "Tcl_EvalEx", "r_interpret", "execute_command_internal",
        "jq_next", "vm_regular_engine", "scm_call_n",
        "beam_jit_call_bif",
    ]

    private static let prefixes = [
        "_PyEval_", "PyEval_", "PyRun_", "_PyRun_", "pymain_", "_PyFunction_Vectorcall", "_PyObject_Vectorcall",
        "PyObject_Vectorcall", "_PyObject_MakeTpCall", "_PyObject_Call", "PyObject_Call", "_PyVectorcall_Call",
        "PyVectorcall_Call", "_PyObject_FastCall", "Perl_runops_", "Perl_pp_entersub", "rb_funcall", "rb_call",
        "vm_call_", "rb_vm_call", "rb_vm_invoke", "ZEND_", "Builtins_", "luaD_call",
        // HotSpot
        "JavaCalls::call", "JavaThread::run", "JavaThread::thread_main_inner", "Thread::call_run",
        "thread_native_entry", "thread_entry(JavaThread", "os::os_exception_wrapper", "jni_invoke_", "jni_Call",
        // V8, and node before it
        "v8::internal::Execution::", "v8::internal::(anonymous namespace)::Invoke", "v8::Function::Call",
        "node::InternalMakeCallback", "node::MakeCallback", "node::AsyncWrap::MakeCallback",
    ]
}
