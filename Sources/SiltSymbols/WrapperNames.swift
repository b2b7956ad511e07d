/// The allocators, wrappers, containers and runtimes silt knows, as data.
///
/// Names are demangled, without return types, parameters, template arguments and inline namespaces.
enum WrapperNames {
    /// Namespaces that do not count: std::__1::vector is std::vector.
    static let inlineNamespaces: Set<String> = ["__1", "__2", "__8", "__cxx11", "__cxx1998", "__ndk1", "__fs", "_V2"]

    /// Functions without a namespace.
    static let exact: Set<String> = [
        // libc and what it allocates in, for programs that carry it inside
        "malloc", "calloc", "realloc", "reallocarray", "free", "posix_memalign", "aligned_alloc", "memalign", "valloc",
        "pvalloc", "cfree", "strdup", "strndup", "wcsdup", "asprintf", "vasprintf", "getline", "getdelim",
        "open_memstream", "fopen", "fopen64", "fdopen", "freopen", "popen", "opendir", "fdopendir", "scandir",
        "qsort_r",
        "qsort", "tsearch", "hcreate", "setlocale", "newlocale", "regcomp", "getaddrinfo", "realpath", "setenv",
        "putenv",
        "getcwd", "glob", "wordexp", "iconv_open", "setvbuf", "malloc_hook_ini", "sysmalloc", "tcache_init",
        // inlined from its headers, where programs are built with checks of buffers
        "open", "open64", "openat", "openat64", "mq_open", "mbstowcs",
        "_int_malloc", "_int_realloc", "_int_memalign", "_mid_memalign", "dlopen", "dlerror", "pthread_create",
        // Python
        "_PyMem_RawMalloc", "_PyMem_RawCalloc", "_PyMem_RawRealloc", "PyMem_Malloc", "PyMem_Calloc", "PyMem_Realloc",
        "PyMem_RawMalloc", "PyMem_RawCalloc", "PyMem_RawRealloc", "PyObject_Malloc", "PyObject_Calloc",
        "PyObject_Realloc", "_PyObject_Malloc", "_PyObject_Calloc", "_PyObject_Realloc", "_PyObject_GC_New",
        "_PyObject_GC_NewVar", "_PyObject_GC_Resize", "_PyObject_GC_Malloc", "_PyObject_GC_Calloc",
        "_PyObject_GC_Alloc",
        "PyType_GenericAlloc", "PyType_GenericNew", "_PyType_AllocNoTrack", "_PyObject_New", "_PyObject_NewVar",
        "PyObject_GC_New", "gc_alloc", "_PyMem_Strdup", "_PyMem_RawStrdup", "_PyMem_RawWcsdup", "_PyBytes_Resize",
        "PyUnicode_New", "PyUnicode_New.localalias", "resize_compact", "unicode_resize", "_PyLong_New", "_PyLong_Copy",
        "PyTuple_New", "tuple_alloc", "_PyTuple_Resize", "PyList_New", "list_resize", "list_preallocate_exact",
        "PyDict_New", "new_dict", "new_keys_object", "new_values", "dictresize", "insertion_resize", "set_table_resize",
        "_PyBytes_FromSize", "_PyUnicodeWriter_PrepareInternal", "pymalloc_alloc", "arena_map_get",
        "arena_map_mark_used", "_PyMem_ArenaAlloc", "new_arena", "_PyObject_Arena_Alloc", "_PyObject_ArenaMmap",
        "_PyMem_DebugMalloc", "_PyMem_DebugRawAlloc", "_PyMem_DebugRawRealloc", "_PyMem_DebugRealloc",
        "allocate_from_new_pool",
        // Perl
        "Perl_safesysmalloc", "Perl_safesyscalloc", "Perl_safesysrealloc", "Perl_more_bodies", "Perl_sv_grow",
        "Perl_sv_grow_fresh", "Perl_new_sv", "S_new_sv", "S_new_body", "Perl_more_sv", "S_more_sv", "Perl_savepvn",
        "Perl_savepv", "Perl_savesvpv", "Perl_savesharedpv", "Perl_savesharedpvn", "Perl_sv_add_arena",
        "Perl_get_arena", "Perl_repeatcpy", "Perl_malloc", "Perl_calloc", "Perl_realloc", "S_hsplit", "Perl_newSV_type",
        "Perl_newSV", "Perl_sv_upgrade", "Perl_av_extend_guts", "Perl_av_extend", "Perl_Slab_Alloc", "S_new_slab",
        "Perl_hv_common", "S_new_he", "S_save_hek_flags", "Perl_sv_newmortal",
        // Redis, jemalloc
        "zmalloc", "zcalloc", "zrealloc", "ztrymalloc", "ztrycalloc", "ztryrealloc", "ztrymalloc_usable",
        "zmalloc_usable", "zrealloc_usable", "zcalloc_usable", "ztrymalloc_usable_internal",
        "ztrycalloc_usable_internal", "ztryrealloc_usable_internal", "ztrycalloc_usable", "ztryrealloc_usable",
        "zcalloc_num", "zstrdup", "zmalloc_no_tcache", "RM_Alloc", "RM_Calloc", "RM_Realloc", "RM_TryAlloc",
        "RM_TryCalloc", "RM_TryRealloc", "RM_Strdup", "RM_PoolAlloc", "sdsnewlen", "_sdsnewlen", "sdsnew", "sdsempty",
        "sdsdup", "sdstrynewlen", "sdsMakeRoomFor", "_sdsMakeRoomFor", "sdsMakeRoomForNonGreedy", "sdsResize",
        "sdsRemoveFreeSpace", "sdscatlen", "sdscat", "sdscatsds", "sdscatvprintf", "sdscatprintf", "sdscatfmt",
        // nginx
        "ngx_alloc", "ngx_calloc", "ngx_memalign", "ngx_palloc", "ngx_pnalloc", "ngx_pcalloc", "ngx_palloc_block",
        "ngx_palloc_large", "ngx_create_pool", "ngx_pmemalign", "ngx_palloc_small", "ngx_create_temp_buf",
        "ngx_array_create", "ngx_array_push", "ngx_array_push_n", "ngx_list_create", "ngx_list_push", "ngx_pstrdup",
        "ngx_alloc_chain_link", "ngx_slab_alloc", "ngx_slab_calloc",
        // git and GNU programs
        "xmalloc", "xcalloc", "xrealloc", "xmallocz", "xstrdup", "xstrndup", "xmemdup", "xmemdupz", "xzalloc",
        "xnmalloc", "xnrealloc", "xstrdup_or_null", "xstrfmt", "xstrvfmt", "xasprintf", "xvasprintf", "xmalloc_flex",
        "xreallocarray", "x2realloc", "x2nrealloc", "xcharalloc", "do_xmalloc", "do_xmallocz", "memory_limit_check",
        "strbuf_grow", "strbuf_add", "strbuf_addch", "strbuf_addstr", "strbuf_addbuf", "strbuf_addf", "strbuf_vaddf",
        "strbuf_init", "strbuf_detach", "xpalloc", "sh_xmalloc", "sh_xrealloc", "savestring", "ximalloc", "xizalloc",
        "xrealloc2", "xalloc", "xalloc_die", "string_list_append", "mem_pool_alloc", "mem_pool_calloc",
        "mem_pool_strdup", "mem_pool_alloc_block", "_obstack_begin", "_obstack_begin_1", "_obstack_newchunk",
        "_obstack_allocated_p", "obstack_alloc", "ggc_internal_alloc", "ggc_internal_cleared_alloc", "ggc_alloc_string",
        "ggc_realloc", "ggc_round_alloc_size_1", "xre_comp", "htab_create_alloc",
        "htab_create_typed_alloc", "htab_expand", "htab_find_slot_with_hash", "htab_find_slot",
        // OpenSSL, libxml2, SQLite, zlib, APR, other pools
        "CRYPTO_malloc", "CRYPTO_zalloc", "CRYPTO_realloc", "CRYPTO_strdup", "CRYPTO_strndup", "CRYPTO_memdup",
        "CRYPTO_clear_realloc", "CRYPTO_secure_malloc", "CRYPTO_secure_zalloc", "CRYPTO_aligned_alloc", "BUF_MEM_grow",
        "BUF_MEM_grow_clean", "BUF_MEM_new", "OPENSSL_sk_new", "OPENSSL_sk_new_null", "OPENSSL_sk_new_reserve",
        "OPENSSL_sk_push", "OPENSSL_sk_insert", "sk_reserve", "OPENSSL_LH_new", "OPENSSL_LH_insert",
        "xmlMallocLoc", "xmlReallocLoc", "xmlMemMalloc", "xmlMemRealloc", "xmlMemStrdup", "xmlMemoryStrdup",
        "xmlMallocAtomicLoc", "xmlStrndup", "xmlStrdup", "xmlCharStrdup", "xmlCharStrndup", "xmlStrcat", "xmlStrncat",
        "xmlBufCreate", "xmlBufCreateSize", "xmlBufResize", "xmlBufAdd", "xmlBufferCreate", "xmlBufferResize",
        "xmlDictAddString", "xmlDictGrow", "xmlDictLookup", "xmlHashCreate", "xmlHashAddEntry3", "xmlHashGrow",
        "sqlite3Malloc", "sqlite3MallocZero", "sqlite3MemMalloc", "sqlite3MemRealloc", "sqlite3DbMallocRaw",
        "sqlite3DbMallocRawNN", "sqlite3DbMallocRawNNTyped", "sqlite3DbMallocZero", "sqlite3Realloc", "sqlite3_malloc",
        "sqlite3_malloc64", "sqlite3_realloc", "sqlite3_realloc64", "dbMallocRawFinish", "mallocWithAlarm",
        "sqlite3DbRealloc", "sqlite3DbReallocOrFree", "dbReallocFinish", "sqlite3DbStrDup", "sqlite3DbStrNDup",
        "sqlite3DbSpanDup", "sqlite3PageMalloc", "pcache1Alloc", "pcache1AllocPage", "pcache1InitBulk",
        "sqlite3StrAccumEnlarge", "sqlite3_mprintf", "sqlite3_vmprintf", "sqlite3MPrintf", "sqlite3VMPrintf",
        "sqlite3StrAccumFinish", "strAccumFinishRealloc", "sqlite3ArrayAllocate", "sqlite3VdbeMemGrow", "growOpArray",
        "resizeOpArray", "zcalloc", "zcfree", "my_malloc", "my_realloc", "my_strdup", "my_memdup", "my_strndup",
        "my_raw_malloc", "my_internal_malloc", "MemoryContextAlloc", "MemoryContextAllocZero",
        "MemoryContextAllocExtended", "MemoryContextAllocZeroAligned", "MemoryContextStrdup", "AllocSetAlloc",
        "AllocSetAllocLarge", "AllocSetAllocFromNewBlock", "AllocSetRealloc", "AllocSetContextCreateInternal",
        "palloc", "palloc0", "palloc_extended", "palloc0fast", "repalloc", "repalloc0", "pstrdup", "pnstrdup",
        "GenerationAlloc", "SlabAlloc", "_emalloc", "_ecalloc", "_erealloc", "_estrdup", "_estrndup", "__zend_malloc",
        "__zend_calloc", "__zend_realloc", "_femalloc", "_fecalloc", "_ferealloc", "_erealloc2", "_ferealloc2",
        "_safe_emalloc", "_safe_femalloc", "_safe_malloc", "_safe_realloc", "_safe_erealloc", "_safe_ferealloc",
        "_smart_string_alloc", "_smart_string_alloc_persistent",
        "ruby_xmalloc", "ruby_xcalloc", "ruby_xrealloc", "ruby_xmalloc2", "ruby_xrealloc2", "objspace_xmalloc0",
        "objspace_xcalloc", "objspace_xrealloc", "luaM_realloc_", "luaM_malloc_", "luaM_growaux_", "l_alloc",
        "luaM_saferealloc_", "luaM_toobig", "lj_mem_realloc", "lj_mem_grow", "talloc_size", "_talloc_array",
        "_talloc_zero", "talloc_strdup", "av_malloc", "av_mallocz", "av_calloc", "av_realloc", "av_realloc_f",
        "av_strdup", "av_memdup", "av_buffer_alloc", "event_mm_malloc_", "event_mm_calloc_", "event_mm_realloc_",
        "event_mm_strdup_", "uv__malloc", "uv__calloc", "uv__realloc", "uv__strdup", "json_malloc", "jsonp_malloc",
        "jsonp_strdup", "cJSON_malloc", "curl_dostrdup", "Curl_dyn_add", "Curl_dyn_addn", "dyn_nappend", "Curl_memdup",
        "mem_alloc", "pool_alloc", "arena_alloc", "heap_alloc", "safe_alloc", "my_alloc", "new_malloc", "checked_alloc",
        "emalloc", "ecalloc", "erealloc", "estrdup", "nmalloc", "safemalloc", "git__malloc", "git__calloc",
        // Rust
        "rust_oom", "__rust_alloc", "__rust_realloc", "__rust_alloc_zeroed", "__rdl_alloc", "__rdl_realloc",
        "__rdl_alloc_zeroed", "__rg_alloc", "__rg_realloc", "__rg_alloc_zeroed",
    ]

    /// How names without a namespace begin.
    static let cPrefixes = [
        "operator new", "operator delete", "__libc_", "__GI_", "__malloc", "__calloc", "__realloc", "_IO_", "__strdup",
        "__strndup", "__vasprintf", "__asprintf", "__getdelim", "__fopen", "__alloc_dir", "__opendir",
        "swift_", "_swift_", "__swift_", "apr_palloc", "apr_pcalloc", "apr_allocator_", "allocator_alloc", "apr_pstr",
        "apr_pmemdup", "apr_psprintf", "apr_pvsprintf", "apr_pool_create", "apr_bucket_alloc", "apr_array_",
        "apr_table_",
        "apr_hash_", "apr_thread_mutex_create",
        "g_malloc", "g_realloc", "g_try_", "g_slice_", "g_strdup", "g_strndup", "g_strconcat", "g_strjoin",
        "g_strsplit",
        "g_memdup", "g_new", "g_aligned_alloc", "g_array_", "g_ptr_array_", "g_byte_array_", "g_hash_table_",
        "g_string_",
        "g_list_", "g_slist_", "g_queue_", "g_tree_", "g_bytes_", "g_object_new", "g_type_create_instance",
        "g_variant_", "g_closure_new", "g_build_", "slab_allocator_", "thread_memory_magazine",
        "je_", "jemalloc", "_rjem_", "mi_malloc", "mi_calloc", "mi_realloc", "mi_zalloc", "mi_heap_", "mi_new", "_mi_",
        "tc_malloc", "tc_calloc",
        "tc_realloc", "tc_new", "tc_memalign", "tc_posix_memalign",
        "scudo_", "rpmalloc", "rpcalloc", "rprealloc", "snmalloc", "_dispatch_",
        // PHP, which has functions of its own for some sizes, and others where it is built with probes
        "_emalloc_", "_zend_mm_", "zend_mm_", "smart_str_",
    ]

    /// Namespaces and classes of C++ whose functions allocate for their callers: the beginning of a path.
    private static let classPaths: [[String]] = [
        ["std"], ["__gnu_cxx"], ["__gnu_debug"], ["__gnu_parallel"], ["__cxxabiv1"], ["swift"], ["__swift"],
        ["ConformanceState"],
        ["tcmalloc"],
        ["mimalloc"], ["absl", "container_internal"], ["absl", "inlined_vector_internal"], ["absl", "cord_internal"],
        ["boost", "container"], ["boost", "unordered"], ["boost", "detail"], ["boost", "shared_ptr"],
        ["boost", "make_shared"], ["boost", "allocate_shared"], ["boost", "function"], ["boost", "pool"],
        ["boost", "any"], ["folly", "fbvector"], ["folly", "f14"], ["folly", "detail"],
        ["google", "protobuf", "Arena"],
        ["google", "protobuf", "internal"], ["os", "malloc"], ["os", "realloc"], ["os", "strdup"], ["Arena", "grow"],
        ["Arena", "Amalloc"], ["llvm", "SmallVectorBase"], ["llvm", "SmallVectorTemplateBase"],
        ["llvm", "SmallVectorImpl"], ["llvm", "SmallVector"], ["llvm", "StringMapImpl"], ["llvm", "StringMap"],
        ["llvm", "DenseMap"], ["llvm", "DenseMapBase"], ["llvm", "BumpPtrAllocatorImpl"], ["llvm", "safe_malloc"],
        ["llvm", "allocate_buffer"], ["llvm", "FoldingSetBase"], ["va_heap", "reserve"], ["va_gc", "reserve"],
        ["vec", "reserve"], ["vec", "safe_push"], ["vec", "safe_grow"], ["hash_table", "alloc_entries"],
        ["hash_table", "expand"], ["hash_table", "find_slot_with_hash"], ["hash_table", "hash_table"],
        ["pool_allocator", "allocate"], ["object_allocator", "allocate"], ["base_pool_allocator"], ["QArrayData"],
        ["QTypedArrayData"], ["QListData"], ["QList"], ["QVector"], ["QHashData"], ["QHash"], ["QMapDataBase"],
        ["QMap"],
        ["QString"], ["QByteArray"], ["QArrayDataPointer"], ["QHashPrivate"], ["QtPrivate"], ["WTF", "fastMalloc"],
        ["WTF", "Vector"], ["WTF", "StringImpl"],
    ]

    /// Crates of Rust whose functions allocate for their callers.
    private static let crates: Set<String> = [
        "std", "alloc", "core", "hashbrown", "__rustc", "indexmap", "smallvec", "arrayvec", "proc_macro", "backtrace",
        "rustc_demangle", "std_detect", "bytes",
    ]

    /// `isRust`: the name has no parameters, as Rust's never have.
    static func isLibraryPath(_ path: [String], isRust: Bool) -> Bool {
        if isRust, crates.contains(path[0]) { return true }
        // abseil's inline namespace has a date: absl::lts_20230802.
        let steps = path.filter { !$0.hasPrefix("lts_") }
        return classPaths.contains { steps.count >= $0.count && steps.starts(with: $0) }
    }

    /// Types of the Swift runtime, whose functions are not all in its namespace.
    static let swiftRuntimeTypes: [StaticString] = [
        "swift::Target", "swift::InProcess", "swift::Demangle", "__swift::", "ConformanceState&",
        "TypeMetadataPrivateState&",
        "ProtocolMetadataPrivateState&",
    ]

    /// How every thread begins, in programs that carry it inside.
    static let starts: Set<String> = ["_start", "__libc_csu_init", "execute_native_thread_routine", "frame_dummy"]

    /// Parts of paths of C++ and Rust libraries that call what they were given.
    static let carrierParts: Set<String> = [
        "_M_invoke", "_M_run", "__invoke", "__invoke_impl", "__invoke_r", "_M_manager", "call_once", "__thread_proxy",
        "__func", "__function", "_Function_handler", "_Invoker", "_State_impl", "_Async_state_impl", "_Task_state",
        "FnOnce", "FnMut", "Fn", "__rust_begin_short_backtrace", "lang_start", "lang_start_internal",
    ]

    /// Modules of Swift whose functions allocate for their callers.
    static let swiftModules: Set<String> = [
        "Swift", "Foundation", "FoundationEssentials", "FoundationInternationalization", "FoundationNetworking",
        "Dispatch", "_Concurrency", "_StringProcessing", "_RegexParser", "RegexBuilder", "Synchronization", "Glibc",
        "Musl", "CoreFoundation", "_Differentiation", "Distributed", "Cxx", "CxxStdlib", "_Builtin_float", "SwiftShims",
        "DequeModule", "OrderedCollections", "HashTreeCollections", "_RopeModule", "BitCollections", "HeapModule",
        "_CollectionsUtilities", "InternalCollectionsUtilities", "CollectionsInternal",
    ]

    /// How the file names of such libraries begin: all their functions allocate for their callers.
    private static let runtimeFiles = [
        "libc.so.", "libc-2.", "libc.musl", "ld-linux", "ld-musl", "ld-2.", "libpthread.so", "libpthread-2.", "libm.so",
        "libdl.so", "librt.so", "libresolv.so", "libnss_", "libstdc++.so", "libc++.so", "libc++abi.so", "libsupc++",
        "libgcc_s.so", "libswift", "lib_Foundation", "libFoundation", "lib_Internal", "libdispatch.so",
        "libBlocksRuntime",
        "libjemalloc", "libtcmalloc", "libmimalloc", "libscudo", "libsnmalloc", "libhoard", "libglib-2.0",
        "libgobject-2.0", "libgthread-2.0", "libapr-1", "libtalloc.so",
        "libstd-", "libsilt-", "libsilt.so",
    ]

    static func isRuntime(modulePath: String) -> Bool {
        let file = fileName(modulePath)
        return runtimeFiles.contains { file.hasPrefix($0) }
    }

    /// silt's library stands in front of some of its functions, which call it.
    static func isCLibrary(modulePath: String) -> Bool {
        let file = fileName(modulePath)
        return file.hasPrefix("libc.so") || file.hasPrefix("ld-linux")
            || file.hasPrefix("libsilt-") || file.hasPrefix("libsilt.so")
    }

    /// A string of its own: prefixes of a substring are compared character by character.
    private static func fileName(_ path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.utf8.index(after: $0)...]) } ?? path
    }

    /// Names that say they allocate: xmalloc, my_calloc, safe_realloc, pool_strdup, MyMalloc.
    static func isAllocatorLike(_ name: String) -> Bool {
        guard name.utf8.count <= 24 else { return false }
        let lower = name.lowercased()
        return endings.contains { ending in
            guard lower.hasSuffix(ending) else { return false }
            let rest = name.dropLast(ending.utf8.count)
            if rest.isEmpty || rest.hasSuffix("_") || rest.utf8.count <= 2 { return true }
            // CamelCase: the ending is a word of its own.
            return name.dropFirst(rest.count).first?.isUppercase == true
        }
    }

    /// Whether a C function of the list, or one that is named like an allocator, hands out memory and does nothing else.
    static func isClosedAllocator(_ name: String) -> Bool {
        guard exact.contains(name) || isAllocatorLike(name) else { return false }
        // A collector runs finalizers of the program.
        guard !name.contains("_GC_"), !name.hasPrefix("gc_"), !name.hasPrefix("objspace_") else { return false }
        let lower = name.lowercased()
        return ["alloc", "strdup", "strndup", "memdup"].contains { lower.contains($0) }
    }

    private static let endings = ["malloc", "calloc", "realloc", "strdup", "strndup", "zalloc", "memdup", "mallocz"]
}
