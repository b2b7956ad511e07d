import Testing

@testable import SiltSymbols

/// What runs a program's code is on the way to all that it allocates, and distinguishes none of it.
struct InterpreterNameTests {
    @Test(
        arguments: [
            "_PyEval_EvalFrameDefault", "_PyEval_EvalFrameDefault.cold", "execute_ex", "luaV_execute",
            "JavaCalls::call_helper(JavaValue*, methodHandle const&, JavaCallArguments*, JavaThread*)",
            "thread_entry(JavaThread*, JavaThread*)", "JavaThread::run()", "thread_native_entry(Thread*)",
            "v8::internal::Execution::Call(v8::internal::Isolate*, v8::internal::Handle<v8::internal::Object>)",
            "node::InternalMakeCallback(node::Environment*, v8::Local<v8::Object>)",
        ]
    )
    func theWayIntoAnInterpreterIsALoop(function: String) {
        #expect(InterpreterNames.isLoop(function))
    }

    @Test(
        arguments: [
            "Java_Svc_encode", "native_encode", "thread_entry", "nmethod::nmethod(Method*, CompilerType)",
            "PyDict_SetItem", "v8::internal::Heap::AllocateRaw(int)", "node::Buffer::New(v8::Isolate*)",
        ]
    )
    func whatItCallsIsNot(function: String) {
        #expect(!InterpreterNames.isLoop(function))
    }

    @Test(arguments: ["/usr/bin/python3.11", "/usr/bin/perl", "/usr/lib/libperl.so.5.36", "/usr/bin/lua5.4"])
    func anInterpretersFilesAreKnown(file: String) { #expect(InterpreterNames.isInterpreter(file: file)) }

    @Test(arguments: ["/usr/games/luanti", "/usr/bin/perltidy", "/usr/bin/nodeinfo", "/usr/bin/redis-server"])
    func othersThatBeginLikeThemAreNone(file: String) { #expect(!InterpreterNames.isInterpreter(file: file)) }
}
