import SiltText
import Testing

@testable import SiltSymbols

struct AllocatorFramesTests {
    private func kind(
        _ function: String,
        in module: String = "/opt/shop/server",
        hide: [String] = []
    ) throws -> FunctionKind {
        try AllocatorFrames(hide: hide).kind(function: function, modulePath: module)
    }

    @Test(arguments: [
        "malloc", "strdup", "xmalloc", "my_strdup", "pool_calloc", "MyMalloc", "safe_realloc", "zmalloc", "ngx_palloc",
        "PyObject_Malloc", "Perl_safesysmalloc", "sqlite3MallocZero", "CRYPTO_malloc", "xmlStrdup", "apr_palloc",
        "g_malloc0", "g_hash_table_insert", "strbuf_grow", "operator new(unsigned long)",
        "_emalloc_56", "_safe_femalloc", "_zend_mm_alloc", "smart_str_erealloc",
        "operator new[](unsigned long)",
        "Order::operator new(unsigned long)",
        "std::vector<int, std::allocator<int> >::push_back(int const&)",
        "void std::vector<Order, std::allocator<Order> >::_M_realloc_insert<Order const&>(Order const&)",
        "std::__1::basic_string<char>::reserve(unsigned long)",
        "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >::_M_create(unsigned long&, unsigned long)",
        "std::_Rb_tree<int, int>::_M_insert_()", "std::shared_ptr<Order> std::make_shared<Order>()",
        "__gnu_cxx::new_allocator<int>::allocate(unsigned long, void const*)", "std::any::emplace<Order>()",
        "void std::stable_sort<int*, bool (*)(int, int)>(int*, int*, bool (*)(int, int))",
        "alloc::alloc::alloc", "<alloc::vec::Vec<u8> as core::clone::Clone>::clone", "<alloc::vec::Vec<u8>>::push",
        "alloc::raw_vec::RawVec<T,A>::grow_one", "hashbrown::raw::RawTable<T,A>::reserve_rehash",
        "std::collections::hash::map::HashMap<K,V,S>::insert", "<[u8] as alloc::slice::ConcatV>::concat",
        "<u8 as <[_]>::to_vec_in::ConvertVec>::to_vec::<alloc::alloc::Global>", "__rustc::__rust_alloc",
        "Swift.Array.append(__owned A) -> ()", "swift_allocObject", "_swift_allocObject_",
        "generic specialization <main.Order> of Swift.Array._copyToNewBuffer(oldCount: Swift.Int) -> ()",
        "main.Order.__allocating_init(size: Swift.Int) -> main.Order",
        "Foundation.Data.init(count: Swift.Int) -> Foundation.Data",
        "outlined init with copy of main.Order", "type metadata accessor for main.Order",
        "getCache(swift::TargetTypeContextDescriptor<swift::InProcess> const&)",
    ])
    func allocatorsAndContainersAreNotToBlame(function: String) throws {
        #expect(try kind(function) == .allocator)
    }

    @Test(arguments: [
        "main", "order_create", "malloc_stats_printer", "alloc_order", "reallocate_seats", "clone", "call", "tc_parse",
        "dispatch_request", "expand", "shop::Cache<Order>::fill(Order)",
        "void shop::fill<std::vector<int> >(std::vector<int>&)",
        "void fill<std::allocator<int> >()", "std_like::vector<int>::push_back(int)", "stdx::load()",
        "shop::by_sort()::{lambda(int, int)#1}::operator()(int, int) const",
        "bool (anonymous namespace)::less<std::string>(std::string const&)", "core::Engine::load(int)",
        "alloc::Table::load(std::string)", "leaks::main", "leaks::main::{{closure}}",
        "<leaks::Shop as core::clone::Clone>::clone",
        "<leaks::Shop>::by_box", "<leaks::main::{closure#0} as core::ops::function::FnOnce<()>>::call_once",
        "leaks::generic::<alloc::vec::Vec<u8>>", "main.Shop.word(Swift.Int) -> ()",
        "generic specialization <Swift.Int64> of main.generic<A>(_: A) -> ()",
        "(extension in main):Swift.Array.leakAll() -> ()",
        "closure #1 (Swift.Int) -> () in main.Shop.mapped(Swift.Int) -> ()",
        "partial apply forwarder for closure #1 () -> () in main.run() -> ()",
        "protocol witness for Swift.Hashable.hash(into: inout Swift.Hasher) -> () in conformance main.Key : Swift.Hashable in main",
        "default argument 0 of main.load(Swift.Int) -> ()",
    ])
    func programCodeIsToBlame(function: String) throws {
        #expect(try kind(function) == .program)
    }

    @Test(arguments: [
        "std::_Function_handler<void (), shop::run()::{lambda()#1}>::_M_invoke(std::_Any_data const&)",
        "std::thread::_State_impl<std::thread::_Invoker<std::tuple<main::{lambda()#1}> > >::_M_run()",
        "std::__1::__function::__func<main::$_0, std::__1::allocator<main::$_0>, void ()>::operator()()",
        "core::ops::function::FnOnce::call_once", "std::sys::backtrace::__rust_begin_short_backtrace",
        "reabstraction thunk helper from @callee_guaranteed () -> () to @callee_guaranteed () -> (@out ())",
    ])
    func whatRunsOtherCodeIsToBlameWhenNothingElseIs(function: String) throws {
        #expect(try kind(function) == .carrier)
    }

    @Test func everythingInARuntimeLibraryAllocatesForItsCaller() throws {
        for module in [
            "/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/libstdc++.so.6.0.30", "/usr/lib/swift/linux/libswiftCore.so",
            "/usr/lib/libglib-2.0.so.0", "/var/tmp/silt-0/lib/x86_64-linux-gnu/libsilt-0123.so",
        ] {
            #expect(try kind("setlocale", in: module) == .allocator)
            #expect(try kind("", in: module) == .allocator)
        }
        #expect(try kind("load", in: "/usr/lib/libcrypto.so.3") == .program)
    }

    @Test func codeWithoutANameIsNeitherProgramCodeNorAWrapper() throws {
        #expect(try kind("") == .unnamed)
        #expect(FunctionKind.carrier < .unnamed && FunctionKind.unnamed < .program)
    }

    @Test func whatAnAllocatorCallsIsPartOfIt() throws {
        let frames = try AllocatorFrames(hide: [])
        func isClosed(_ function: String) -> Bool {
            frames.isClosed(function: function, modulePath: "/opt/shop/server")
        }
        for function in ["malloc", "palloc", "MemoryContextAlloc", "sqlite3Malloc", "xstrdup", "my_calloc"] {
            #expect(isClosed(function), "\(function)")
        }
        // They call what the program gave them, or its finalizers.
        for function in [
            "qsort", "htab_find_slot", "_PyObject_GC_New", "order_create", "std::vector<int>::push_back(int)",
        ] {
            #expect(!isClosed(function), "\(function)")
        }
    }

    @Test func namesThatSpeakOfAllocationAreKnown() {
        for name in [
            "ngx_resolver_alloc", "jv_mem_alloc", "js_malloc_rt", "pool_alloc", "PoolAlloc", "shop::pool_allocate(int)",
        ] {
            #expect(AllocatorFrames.speaksOfAllocation(name), "\(name)")
        }
        for name in ["order_create", "jv_mem_dealloc", "reallocated_seats", "allocation_report"] {
            #expect(!AllocatorFrames.speaksOfAllocation(name), "\(name)")
        }
    }

    @Test func aShownFunctionIsProgramCode() throws {
        let frames = try AllocatorFrames(hide: ["^shop_"], show: ["^palloc$", "^shop_alloc$"])
        #expect(frames.kind(function: "palloc", modulePath: "/opt/shop/server") == .program)
        #expect(!frames.isClosed(function: "palloc", modulePath: "/opt/shop/server"))
        #expect(frames.kind(function: "shop_alloc", modulePath: "/opt/shop/server") == .allocator)
    }

    @Test func hiddenNamesAreMatchedAsTheyAreWrittenAndAsTheyAreShown() throws {
        #expect(try kind("void shop::fill<int>(int)", hide: ["^shop::fill"]) == .allocator)
        #expect(try kind("void shop::fill<int>(int)", hide: ["^void"]) == .allocator)
        #expect(try kind("silt.DemoServer.filled(Swift.Int) -> ()", hide: ["^DemoServer\\.filled\\("]) == .allocator)
        #expect(try kind("shop::fill(int)", hide: ["nothing", "fill$"]) == .program)
        #expect(throws: PatternError.self) { try AllocatorFrames(hide: ["("]) }
    }
}
