import Testing

@testable import SiltSymbols

/// CPython's own way to load a file is told from code that a script runs.
struct LoaderNamesTests {
    private static let loop = ["_PyEval_EvalFrameDefault", "_PyEval_Vector"]
    private static let script = ["PyEval_EvalCode", "run_mod", "pyrun_file", "pymain_run_python", "Py_RunMain", "main"]
    /// As a program is started that is a module.
    private static let module = ["PyObject_Call", "pymain_run_module", "pymain_run_python", "Py_RunMain", "main"]
    private static let exec = ["PyEval_EvalCode", "builtin_exec", "cfunction_vectorcall_FASTCALL_KEYWORDS"]
    private static let content = ["type_new"] + loop

    private static func loader(_ functions: [String]...) -> LoaderNames.Loader? {
        LoaderNames.loader(ofStack: functions.flatMap(\.self).map(LoaderNames.role))
    }

    @Test func whatAScriptKeepsItselfIsNotLoaded() {
        #expect(Self.loader(Self.content, Self.script) == nil)
        #expect(Self.loader(Self.content, Self.exec, Self.loop, Self.module) == nil)
    }

    @Test func whatAScriptRunsMayBeLoaded() {
        #expect(Self.loader(Self.content, Self.exec, Self.loop, Self.script) == .code)
        #expect(Self.loader(Self.content, Self.exec, Self.loop, Self.exec, Self.loop, Self.module) == .code)
        #expect(Self.loader(["Py_CompileStringObject", "builtin_compile"], Self.loop, Self.script) == nil)
    }

    @Test(arguments: ["do_call_core", "PyObject_Call", "_PyVectorcall_Call"])
    func whatImportlibCompilesAndRunsIsAFile(call: String) {
        #expect(Self.loader(Self.content, Self.exec, [call], Self.loop, Self.script) == .script)
        #expect(Self.loader(["Py_CompileStringObject", "", call], Self.loop, Self.script) == .script)
        #expect(Self.loader(["r_object", "marshal_loads"], Self.loop, Self.script) == .script)
        #expect(Self.loader(["list_append", call], Self.loop, Self.script) == nil)
    }

    @Test func withoutSymbolsOfTheInterpretersOwnCodeThatIsRunIsBelowAnotherLoop() {
        let unnamed = ["", ""]
        #expect(Self.loader(Self.content, ["PyEval_EvalCode"], unnamed, Self.loop, Self.script) == .code)
        #expect(Self.loader(Self.content, ["PyEval_EvalCode"], unnamed, Self.loop, Self.module) == nil)
        #expect(Self.loader(Self.content, ["PyEval_EvalCode"], unnamed, ["PyObject_Call"], Self.loop) == .script)
    }

    /// Ruby exports what its `require` calls.
    @Test func otherInterpretersHaveFunctionsThatLoadAFile() {
        #expect(Self.loader(["rb_module_new", "rb_vm_exec", "", "rb_require_string", "rb_vm_exec"]) == .script)
        #expect(Self.loader(["Perl_newSTATEOP", "S_require_file", "Perl_pp_require"]) == .script)
        #expect(Self.loader(["rb_module_new", "rb_vm_exec", "ruby_run_node"]) == nil)
    }
}
