import Testing

@testable import SiltSymbols

struct ReadableNameTests {
    @Test(arguments: [
        ("main", "main"),
        ("main.(*shop).order", "main.(*shop).order"),
        ("net/http.(*conn).serve.func1", "net/http.(*conn).serve.func1"),
        ("static silt.DemoServer.filled(Swift.Int) -> Swift.UnsafeMutableRawPointer", "DemoServer.filled(_:)"),
        (
            "function signature specialization <Arg[1] = Dead> of static silt.DemoServer.(filled in _390D988AA2C1)(_: Swift.Int, at: Swift.Int) -> ()",
            "DemoServer.filled(_:at:)"
        ),
        (
            "generic specialization <Swift.Int64> of main.generic<A>(_: A, into: inout Swift.Array<Swift.Array<A>>) -> ()",
            "generic(_:into:)"
        ),
        (
            "closure #1 (Swift.Int) -> Swift.UnsafeMutableRawPointer in main.Shop.mapped(Swift.Int) -> ()",
            "Shop.mapped(_:)"
        ),
        ("merged generic specialization <main.A> of main.Cache.put(A) -> ()", "Cache.put(_:)"),
        ("main.Order.__allocating_init(size: Swift.Int) -> main.Order", "Order.init(size:)"),
        ("main.Order.count.getter : Swift.Int", "Order.count.getter"),
        ("(extension in main):Swift.Array.leakAll() -> ()", "Array.leakAll()"),
        ("helper #1 (text: Swift.String) -> () in main.outer(Swift.Int) -> ()", "outer.helper(text:)"),
        (
            "protocol witness for main.Store.put(Swift.Int) -> () in conformance main.ArrayStore : main.Store in main",
            "ArrayStore.put(_:)"
        ),
        ("static main.Point.== infix(main.Point, main.Point) -> Swift.Bool", "Point.==(_:_:)"),
        ("(2) suspend resume partial function for main.fetch() async -> ()", "fetch()"),
        ("void shop::Cache<int>::fill<char>(int, char)", "shop::Cache<int>::fill<char>(int, char)"),
        (
            "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > join(std::vector<int, std::allocator<int> > const&)",
            "join(std::vector<int> const&)"
        ),
        (
            "shop::by_sort()::{lambda(int, int)#1}::operator()(int, int) const",
            "shop::by_sort::{lambda(int, int)#1}::operator()(int, int) const"
        ),
        ("(anonymous namespace)::Pool::take(unsigned long)", "(anonymous namespace)::Pool::take(unsigned long)"),
        ("bool operator< <Key>(Key const&, Key const&)", "operator<<Key>(Key const&, Key const&)"),
        ("Foo::operator std::vector<int>() const", "Foo::operator std::vector<int>() const"),
        ("non-virtual thunk to shop::Derived::make()", "shop::Derived::make()"),
        ("decltype (f(1)) ns::call<int>(int)", "ns::call<int>(int)"),
        ("<leaks::Shop>::by_tree", "leaks::Shop::by_tree"),
        ("<leaks::Shop as leaks::Store>::put", "<leaks::Shop as leaks::Store>::put"),
        ("leaks::generic::<u32>", "leaks::generic::<u32>"),
        ("_GLOBAL__sub_I_Backtrace.cpp", "_GLOBAL__sub_I_Backtrace.cpp"),
    ])
    func aNameIsWhatAReaderWants(name: String, expected: String) {
        #expect(readableName(name) == expected)
    }

    @Test(arguments: [
        ("void shop::Cache<int>::fill<char>(int, char)", 30, "shop::Cache<int>::fill<char>"),
        ("void shop::Cache<std::pair<int, long>>::fill<char>(int, char)", 30, "shop::Cache<…>::fill<…>"),
        ("outer::inner::shop::Cache<int>::fill(int)", 18, "Cache<…>::fill"),
        ("<leaks::Shop as leaks::Store>::put", 20, "<Shop>::put"),
        ("silt.DemoServer.filled(Swift.Int, at: Swift.Int) -> ()", 18, "DemoServer.filled"),
        ("xmalloc", 3, "xmalloc"),
    ])
    func aNameIsShortenedFromItsArgumentsOn(name: String, width: Int, expected: String) {
        #expect(abridgedName(name, width: width) == expected)
    }

    @Test(arguments: [
        ("Server::login(int)", 18, "Server::login(int)"), ("Server::login(int)", 14, "Server::login"),
        ("Server::login(int)", 12, "login"), ("(anonymous namespace)::leak_container(int)", 18, "leak_container"),
        ("shop::AuditLog<Line, std::allocator<Line>>::note(Line)", 20, "AuditLog<…>::note"),
        ("v8::internal::ParserBase<v8::internal::Parser>::ParseVariableDeclarations(int)", 18, "ParseVariabl…tions"),
        ("operator new(unsigned long)", 16, "operator n…long)"), ("make_record shop.c", 12, "make_record"),
        ("shop::Cache<int>::fill<void (*)(int)>(int) cache.cpp:9", 28, "fill cache.cpp:9"),
        ("audit::Journal::record<handle(Journal&)::<lambda(Event&)> > a.cpp", 40, "audit::Journal::record<…> a.cpp"),
        ("handle(audit::Journal&, audit::Request const&) a.cpp", 30, "handle a.cpp"),
        ("handle::{lambda}::operator()", 20, "handle::{lambda}"), ("handle::{lambda}::operator()", 12, "{lambda}"),
        ("libstdc++.so.6+0xa57ba", 12, "libstdc+…7ba"),
    ])
    func whereNoTypeFitsTheFunctionStandsAlone(name: String, width: Int, expected: String) {
        #expect(fittedName(name, width: width) == expected)
    }

    @Test(arguments: [
        ("static silt.DemoServer.serve(portFile: Swift.String) -> Swift.Int32", 28, "DemoServer.serve(portFile:)"),
        ("static silt.DemoServer.serve(portFile: Swift.String) -> Swift.Int32", 18, "DemoServer.serve"),
        ("static silt.DemoServer.serve(portFile: Swift.String) -> Swift.Int32", 8, "serve"),
        (
            "function signature specialization <Arg[1] = Dead> of silt.DemoServer.(filled in _390D988AA6E3387C)(Swift.Int) -> "
                + "Swift.UnsafeMutableRawPointer", 30, "DemoServer.filled(_:)"
        ),
        ("shop::Cache<int, shop::Policy<int>>::fill(int)", 24, "shop::Cache<…>::fill"),
        ("shop::Cache<int, shop::Policy<int>>::fill(int)", 8, "fill"),
    ])
    func aFunctionOfASymbolTableIsReadableInAnyWidth(_ function: String, width: Int, expected: String) {
        #expect(fittedFunction(function, width: width) == expected)
    }

    @Test(arguments: [
        ("_ZN4shop5CacheIiE4fillIcEEviT_", "void shop::Cache<int>::fill<char>(int, char)"),
        ("_ZN4shop4loadEv.cold", "shop::load()"), ("_ZN4shop4loadEv.part.0", "shop::load()"),
        ("_ZN4shop4loadEv.isra.0.constprop.1", "shop::load()"), ("parse.constprop.0.isra.0", "parse"),
        ("parse.llvm.1234567", "parse"), ("memcpy@@GLIBC_2.14", "memcpy"), ("plain", "plain"), (".hidden", ".hidden"),
        ("lib.rs", "lib.rs"), ("$s4main4ShopV4wordyySiF", "main.Shop.word(Swift.Int) -> ()"),
        (
            "$s4main4ShopV4wordyySiFTf4nd_n",
            "function signature specialization <Arg[1] = Dead> of main.Shop.word(Swift.Int) -> ()"
        ),
        ("_Zbroken", "_Zbroken"), ("$sbroken", "$sbroken"),
    ])
    func linkageNamesAreReadAndClonesFolded(name: String, expected: String) {
        #expect(demangle(name) == expected)
    }

    @Test func bytesThatAreNoTextAreEscapedSoThatNamesStayApart() {
        #expect(escapedText([0x66, 0xff, 0x6f, 0xc3, 0xa9, 0x80]) == "f\\xffoé\\x80")
        #expect(escapedText([0xf0, 0x9f]) == "\\xf0\\x9f")
        #expect(escapedText([]) == "")
    }
}
