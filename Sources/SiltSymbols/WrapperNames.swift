/// The allocator wrappers silt knows, as data.
///
/// Names are demangled, without their parameters.
enum WrapperNames {
    /// Whole names, after the last dot of a Swift name.
    static let exact: Set<String> = [
        // libc and what it allocates in
        "malloc", "calloc", "realloc", "reallocarray", "free", "posix_memalign", "aligned_alloc", "memalign", "valloc",
        "pvalloc", "strdup", "__strdup", "strndup", "__strndup", "wcsdup", "asprintf", "vasprintf",
        "__vasprintf_internal",
        "__asprintf", "getline", "getdelim", "_IO_getdelim", "__getdelim", "open_memstream", "fopen", "fopen64",
        "__fopen_internal", "_IO_file_doallocate", "_IO_doallocbuf", "opendir", "__alloc_dir", "qsort_r",
        // Python
        "_PyMem_RawMalloc", "_PyMem_RawCalloc", "_PyMem_RawRealloc", "PyMem_Malloc", "PyMem_Calloc", "PyMem_Realloc",
        "PyMem_RawMalloc", "PyMem_RawCalloc", "PyMem_RawRealloc", "PyObject_Malloc", "PyObject_Calloc",
        "PyObject_Realloc", "_PyObject_Malloc", "_PyObject_Calloc", "_PyObject_Realloc", "_PyObject_GC_New",
        "_PyObject_GC_NewVar", "_PyObject_GC_Resize", "_PyObject_GC_Malloc", "PyType_GenericAlloc",
        "_PyType_AllocNoTrack",
        "_PyObject_New", "_PyObject_NewVar", "_PyMem_Strdup", "PyObject_GC_New",
        // Perl
        "Perl_safesysmalloc", "Perl_safesyscalloc", "Perl_safesysrealloc", "Perl_more_bodies", "Perl_sv_grow",
        "Perl_new_sv", "S_new_body", "Perl_savepvn",
        // Redis, jemalloc
        "zmalloc", "zcalloc", "zrealloc", "ztrymalloc", "ztrycalloc", "ztryrealloc", "ztrymalloc_usable",
        "zmalloc_usable", "zrealloc_usable", "ztrymalloc_usable_internal", "zcalloc_num", "zstrdup", "RM_Alloc",
        "RM_Calloc", "RM_Realloc", "RM_TryAlloc",
        // nginx
        "ngx_alloc", "ngx_calloc", "ngx_memalign", "ngx_palloc", "ngx_pnalloc", "ngx_pcalloc", "ngx_palloc_block",
        "ngx_palloc_large", "ngx_create_pool", "ngx_pmemalign", "ngx_palloc_small",
        // git and GNU programs
        "xmalloc", "xcalloc", "xrealloc", "xmallocz", "xstrdup", "xstrndup", "xmemdup", "xmemdupz", "xzalloc",
        "xnmalloc",
        "xreallocarray", "x2realloc", "x2nrealloc", "xcharalloc", "do_xmalloc", "strbuf_grow", "xpalloc", "sh_xmalloc",
        "sh_xrealloc", "savestring", "ximalloc", "xizalloc",
        // GLib, APR, OpenSSL, libxml2, SQLite, zlib
        "apr_palloc", "apr_pcalloc", "apr_allocator_alloc", "apr_pstrdup", "apr_pool_create_ex", "allocator_alloc",
        "CRYPTO_malloc", "CRYPTO_zalloc", "CRYPTO_realloc", "CRYPTO_strdup", "CRYPTO_memdup", "xmlMallocLoc",
        "xmlStrndup", "xmlStrdup", "xmlStrdup", "zcalloc", "sqlite3Malloc", "sqlite3MallocZero", "sqlite3MemMalloc",
        "sqlite3MemRealloc", "sqlite3DbMallocRaw", "sqlite3DbMallocRawNN", "sqlite3DbMallocZero", "sqlite3Realloc",
        "sqlite3_malloc", "sqlite3_malloc64", "sqlite3_realloc64", "dbMallocRawFinish", "mallocWithAlarm",
        "sqlite3DbRealloc", "sqlite3DbReallocOrFree", "dbReallocFinish", "sqlite3DbStrDup", "sqlite3DbStrNDup",
        // Swift runtime
        "swift_allocObject", "_swift_allocObject_", "swift_slowAlloc", "swift_bufferAllocate", "swift_allocBox",
        "swift_slowAllocTyped", "swift_allocEmptyBox", "_allocateUninitializedArray", "_allocateStringStorage",
        "swift_initStackObject", "_growArrayCapacity",
    ]

    /// How names begin.
    static let prefixes = [
        "operator new", "operator delete", "std::allocator", "std::__new_allocator", "__gnu_cxx::new_allocator",
        "std::__1::", "std::__cxx11::basic_string<", "std::vector<", "std::_Vector_base<", "std::deque<",
        "std::_Deque_base<", "std::map<", "std::set<", "std::multimap<", "std::_Rb_tree<", "std::unordered_map<",
        "std::unordered_set<", "std::_Hashtable<", "std::__detail::", "std::list<", "std::__cxx11::list<",
        "std::allocator_traits", "std::make_shared", "std::make_unique", "std::__shared_count", "std::__shared_ptr",
        "std::shared_ptr<", "std::__allocate_guarded", "std::allocate_shared", "std::_Function_base",
        "std::function<", "std::basic_string<", "std::__uninitialized",
        "void std::", "std::pair<std::_Rb_tree", "std::back_insert_iterator",
        "alloc::alloc::", "alloc::raw_vec::", "alloc::vec::", "alloc::string::", "alloc::boxed::", "alloc::sync::",
        "alloc::rc::", "alloc::slice::", "alloc::collections::", "alloc::fmt::", "alloc::borrow::", "hashbrown::",
        "<alloc::", "__rust_alloc", "__rust_realloc", "__rdl_", "__rg_", "std::alloc::", "std::sys::alloc",
        "std::collections::hash::map::", "core::ops::function::",
        "g_malloc", "g_realloc", "g_try_malloc", "g_slice_", "g_strdup", "g_strndup", "g_memdup", "g_new",
        "je_", "mi_malloc", "mi_calloc", "mi_heap_malloc", "tc_", "os::malloc", "os::realloc",
        "generic specialization", "specialized Array", "Array.", "ContiguousArray.", "_ContiguousArrayBuffer",
        "Dictionary.", "Set.", "static __StringStorage", "String.", "_StringGuts", "ManagedBuffer",
        "UnsafeMutablePointer.", "UnsafeMutableRawPointer.", "static UnsafeMutable",
    ]

    /// Names that say they allocate: xmalloc, my_calloc, safe_realloc, pool_strdup.
    static func isAllocatorLike(_ name: String) -> Bool {
        let text = name.utf8
        guard text.count <= 24 else { return false }
        return endings.contains { ending in
            guard name.hasSuffix(ending) else { return false }
            let rest = name.dropLast(ending.utf8.count)
            return rest.isEmpty || rest.hasSuffix("_") || rest.utf8.count <= 2
        }
    }

    private static let endings = ["malloc", "calloc", "realloc", "strdup", "strndup", "zalloc", "memdup", "mallocz"]
}
