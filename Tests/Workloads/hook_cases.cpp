// Edge cases of every function that silt interposes, one line each: the output must be the same
// with and without silt.
//
// `hook_cases list` prints the names that have cases; `hook_cases` runs all, `hook_cases NAME…`
// those. Functions are looked up by name, so that the compiler knows nothing of them, and called
// through volatile pointers.
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>
#include <new>

extern char **environ;

#ifndef MAP_FIXED_NOREPLACE
#    define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace {

const size_t page = 4096;
const size_t half = (size_t)PTRDIFF_MAX;
const size_t sizes[] = {0,
                        1,
                        15,
                        16,
                        100,
                        4096,
                        100000,
                        1 << 20,
                        half - 64,
                        half,
                        half + 1,
                        SIZE_MAX - 8192,
                        SIZE_MAX - 4096,
                        SIZE_MAX - 1,
                        SIZE_MAX};
const size_t counts[] = {0, 1, 7, 1000, (size_t)1 << 32, half, SIZE_MAX};
const size_t aligns[] = {
    0, 1, 2, 3, 4, 7, 8, 16, 24, 64, 100, 4096, 1 << 20, half, half + 1, SIZE_MAX - 1, SIZE_MAX};

const char *hook;

template <typename T> T *real(const char *name) {
    return (T *)dlsym(RTLD_DEFAULT, name);
}

// A line of the comparison: the hook, its case, and what came of it.
#define LINE(form, ...) printf("%s " form "\n", hook, ##__VA_ARGS__)

bool all(const unsigned char *bytes, size_t count, unsigned char value) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

// A block that was asked for: whether there is one, aligned, as large as asked, and writable; then
// it is freed.
void show(const char *what, void *block, size_t bytes, size_t align, bool zeroed = false) {
    int error = errno;
    size_t usable = malloc_usable_size(block);
    if (!block) {
        LINE("%s: null errno %d usable %zu", what, error, usable);
        return;
    }
    size_t sample = bytes < 4096 ? bytes : 4096;
    unsigned char *at = (unsigned char *)block;
    bool zero = !zeroed || (all(at, sample, 0) && all(at + bytes - sample, sample, 0));
    memset(at, 0x5a, sample);
    memset(at + bytes - sample, 0x5a, sample);
    bool aligned = align == 0 || (uintptr_t)block % align == 0;
    errno = 77;
    free(block);
    LINE("%s: block errno %d aligned %d usable %d zeroed %d after free %d", what, error, aligned,
         usable >= bytes, zero, errno);
}

char text[200];

const char *sized(size_t bytes) {
    snprintf(text, sizeof text, "(%zu)", bytes);
    return text;
}

const char *twice(size_t first, size_t second) {
    snprintf(text, sizeof text, "(%zu, %zu)", first, second);
    return text;
}

// ---- malloc and its kin ----

void of_malloc() {
    auto *volatile function = real<void *(size_t)>(hook);
    for (size_t bytes : sizes) {
        errno = 77;
        void *block = function(bytes);
        show(sized(bytes), block, bytes, bytes < 16 ? 8 : 16);
    }
}

void of_calloc() {
    auto *volatile function = real<void *(size_t, size_t)>(hook);
    for (size_t count : counts) {
        for (size_t bytes : sizes) {
            size_t whole;
            if (!__builtin_mul_overflow(count, bytes, &whole) && whole > ((size_t)1 << 30) &&
                whole < half) {
                continue; // whether there is so much memory is the machine's affair
            }
            errno = 77;
            void *block = function(count, bytes);
            show(twice(count, bytes), block, whole, whole < 16 ? 8 : 16, true);
        }
    }
}

// Moves a filled block and says what is kept of it: all that fits, or after a failure everything.
void moved(const char *what, size_t old_bytes, size_t bytes, void *old, void *block) {
    int error = errno;
    if (!block) {
        bool kept = bytes != 0 && old && all((unsigned char *)old, old_bytes, 0x33);
        LINE("%s from %zu: null errno %d kept %d", what, old_bytes, error,
             bytes == 0 || !old || kept);
        if (bytes != 0) {
            free(old);
        }
        return;
    }
    size_t kept = old_bytes < bytes ? old_bytes : bytes;
    LINE("%s from %zu: block errno %d kept %d usable %d", what, old_bytes, error,
         all((unsigned char *)block, kept, 0x33), malloc_usable_size(block) >= bytes);
    free(block);
}

void *filled(size_t bytes) {
    void *block = bytes ? malloc(bytes) : NULL;
    if (block) {
        memset(block, 0x33, bytes);
    }
    return block;
}

void of_realloc() {
    auto *volatile function = real<void *(void *, size_t)>(hook);
    for (size_t old_bytes : {(size_t)0, (size_t)24, (size_t)5000, (size_t)300000}) {
        for (size_t bytes : sizes) {
            void *old = filled(old_bytes);
            errno = 77;
            void *block = function(old, bytes);
            moved(sized(bytes), old_bytes, bytes, old, block);
        }
    }
}

void of_reallocarray() {
    auto *volatile function = real<void *(void *, size_t, size_t)>(hook);
    for (size_t old_bytes : {(size_t)0, (size_t)24, (size_t)5000}) {
        for (size_t count : counts) {
            for (size_t bytes : sizes) {
                size_t whole;
                bool over = __builtin_mul_overflow(count, bytes, &whole);
                if (!over && whole > ((size_t)1 << 30) && whole < half) {
                    continue;
                }
                void *old = filled(old_bytes);
                errno = 77;
                void *block = function(old, count, bytes);
                moved(twice(count, bytes), old_bytes, over ? SIZE_MAX : whole, old, block);
            }
        }
    }
}

void of_free() {
    auto *volatile function = real<void(void *)>(hook);
    for (size_t bytes :
         {(size_t)0, (size_t)1, (size_t)100, (size_t)5000, (size_t)300000, (size_t)40 << 20}) {
        void *block = malloc(bytes);
        errno = 77;
        function(block);
        LINE("(block of %zu): errno %d", bytes, errno);
    }
    errno = 77;
    function(NULL);
    LINE("(NULL): errno %d", errno);
}

// Both came with C23; where the C library has none, free is what they are.
void of_free_sized() {
    auto *volatile function = real<void(void *, size_t)>(hook);
    for (size_t bytes : {(size_t)1, (size_t)100, (size_t)300000}) {
        for (bool resized : {false, true}) {
            void *block = malloc(bytes / 2 + 1);
            block = resized ? realloc(block, bytes) : (free(block), malloc(bytes));
            errno = 77;
            function ? function(block, bytes) : free(block);
            LINE("(block of %zu, resized %d): errno %d", bytes, resized, errno);
        }
    }
    errno = 77;
    function ? function(NULL, 10) : free(NULL);
    LINE("(NULL): errno %d", errno);
}

void of_free_aligned_sized() {
    auto *volatile function = real<void(void *, size_t, size_t)>(hook);
    for (size_t align : {(size_t)16, (size_t)64, page}) {
        void *block = aligned_alloc(align, 2 * align);
        errno = 77;
        function ? function(block, align, 2 * align) : free(block);
        LINE("(block aligned to %zu): errno %d", align, errno);
    }
    errno = 77;
    function ? function(NULL, 16, 16) : free(NULL);
    LINE("(NULL): errno %d", errno);
}

void of_posix_memalign() {
    auto *volatile function = real<int(void **, size_t, size_t)>(hook);
    char mark;
    for (size_t align : aligns) {
        for (size_t bytes : sizes) {
            void *block = &mark;
            errno = 77;
            int result = function(&block, align, bytes);
            if (result != 0) {
                LINE("%s: %d errno %d untouched %d", twice(align, bytes), result, errno,
                     block == &mark);
            } else {
                show(twice(align, bytes), block, bytes, align);
            }
        }
    }
}

// aligned_alloc and memalign.
void of_aligned() {
    auto *volatile function = real<void *(size_t, size_t)>(hook);
    for (size_t align : aligns) {
        for (size_t bytes : sizes) {
            errno = 77;
            void *block = function(align, bytes);
            bool power = align && !(align & (align - 1));
            show(twice(align, bytes), block, bytes, power ? align : 0);
        }
    }
}

// valloc and pvalloc.
void of_pages() {
    auto *volatile function = real<void *(size_t)>(hook);
    for (size_t bytes : sizes) {
        errno = 77;
        void *block = function(bytes);
        show(sized(bytes), block, bytes, page);
    }
}

void of_malloc_usable_size() {
    auto *volatile function = real<size_t(void *)>(hook);
    errno = 77;
    size_t none = function(NULL);
    LINE("(NULL): %zu errno %d", none, errno);
    for (size_t bytes :
         {(size_t)0, (size_t)1, (size_t)24, (size_t)25, (size_t)5000, (size_t)300000}) {
        void *block = malloc(bytes);
        size_t usable = function(block);
        memset(block, 1, usable);
        LINE("(block of %zu): enough %d errno %d", bytes, usable >= bytes, errno);
        free(block);
    }
}

// ---- operator new and delete ----

int handled;

void handler() {
    if (++handled == 3) {
        std::set_new_handler(nullptr);
    }
}

template <typename Call> void of_new(size_t align, bool throwing, Call call) {
    for (bool with_handler : {false, true}) {
        for (size_t bytes : sizes) {
            handled = 0;
            std::set_new_handler(with_handler ? handler : nullptr);
            void *block = nullptr;
            const char *thrown = "nothing";
            errno = 77;
            try {
                block = call(bytes);
            } catch (const std::bad_alloc &) {
                thrown = "bad_alloc";
            }
            int error = errno;
            if (!block) {
                // What errno is after an exception was thrown is nobody's promise.
                LINE("(%zu, align %zu): null thrown %s handled %d errno %d", bytes, align, thrown,
                     handled, throwing ? 0 : error);
                continue;
            }
            // libstdc++ rounds a size up to the alignment, and SIZE_MAX up to 0.
            size_t usable = malloc_usable_size(block);
            memset(block, 1, bytes < usable ? bytes : usable);
            LINE("(%zu, align %zu): block thrown %s handled %d errno %d aligned %d usable %d",
                 bytes, align, thrown, handled, error, (uintptr_t)block % align == 0,
                 malloc_usable_size(block) >= bytes);
            free(block);
        }
    }
    std::set_new_handler(nullptr);
}

bool has(const char *part) {
    return strstr(hook, part) != NULL;
}

void of_operator_new() {
    bool quiet = has("nothrow"), aligned = has("align_val");
    for (size_t align : {(size_t)1, (size_t)8, (size_t)64, page}) {
        if (!aligned && align != 8) {
            continue;
        }
        if (aligned && quiet) {
            auto *volatile function = real<void *(size_t, size_t, const std::nothrow_t &)>(hook);
            of_new(align, false,
                   [&](size_t bytes) { return function(bytes, align, std::nothrow); });
        } else if (aligned) {
            auto *volatile function = real<void *(size_t, size_t)>(hook);
            of_new(align, true, [&](size_t bytes) { return function(bytes, align); });
        } else if (quiet) {
            auto *volatile function = real<void *(size_t, const std::nothrow_t &)>(hook);
            of_new(align, false, [&](size_t bytes) { return function(bytes, std::nothrow); });
        } else {
            auto *volatile function = real<void *(size_t)>(hook);
            of_new(align, true, [&](size_t bytes) { return function(bytes); });
        }
    }
}

void of_operator_delete() {
    bool quiet = has("nothrow"), aligned = has("align_val"),
         with_size = has("ZdlPvm") || has("ZdaPvm");
    for (size_t bytes :
         {(size_t)0, (size_t)1, (size_t)100, (size_t)5000, (size_t)300000, SIZE_MAX}) {
        size_t asked = bytes == SIZE_MAX ? 10 : bytes, align = aligned ? 64 : 16;
        void *block = nullptr;
        if (bytes != SIZE_MAX) {
            block =
                aligned ? ::operator new(bytes, std::align_val_t(align)) : ::operator new(bytes);
        }
        void *function = dlsym(RTLD_DEFAULT, hook);
        errno = 77;
        if (aligned && with_size) {
            ((void (*)(void *, size_t, size_t))function)(block, asked, align);
        } else if (aligned && quiet) {
            ((void (*)(void *, size_t, const std::nothrow_t &))function)(block, align,
                                                                         std::nothrow);
        } else if (aligned) {
            ((void (*)(void *, size_t))function)(block, align);
        } else if (with_size) {
            ((void (*)(void *, size_t))function)(block, asked);
        } else if (quiet) {
            ((void (*)(void *, const std::nothrow_t &))function)(block, std::nothrow);
        } else {
            ((void (*)(void *))function)(block);
        }
        LINE("(%s of %zu): errno %d", block ? "block" : "NULL", asked, errno);
    }
}

// ---- mappings ----

const size_t lengths[] = {0, 1, page, 5 * page, half, SIZE_MAX - page, SIZE_MAX};

const char *place(void *at, void *wanted) {
    return at == MAP_FAILED         ? "failed"
           : wanted && at == wanted ? "there"
           : (uintptr_t)at % page   ? "unaligned"
                                    : "pages";
}

void of_mmap() {
    auto *volatile function = real<void *(void *, size_t, int, int, int, off_t)>(hook);
    char file[] = "/tmp/silt-hook-cases-XXXXXX";
    int both = mkstemp(file), reading = open(file, O_RDONLY | O_CLOEXEC),
        folder = open("/", O_RDONLY | O_CLOEXEC);
    if (write(both, "contents", 8) != 8 || ftruncate(both, 3 * page) != 0) {
        exit(2);
    }
    unlink(file);
    void *taken = function(NULL, 4 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct {
        const char *name;
        int number;
    } descriptors[] = {{"none", -1},
                       {"closed", 987},
                       {"writable", both},
                       {"readable", reading},
                       {"folder", folder}};
    const int flags[] = {0,
                         MAP_PRIVATE,
                         MAP_SHARED,
                         MAP_PRIVATE | MAP_ANONYMOUS,
                         MAP_SHARED | MAP_ANONYMOUS,
                         MAP_SHARED_VALIDATE | MAP_SYNC,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 63 << 26,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE};
    for (auto descriptor : descriptors) {
        for (int flag : flags) {
            for (size_t length : lengths) {
                for (off_t offset :
                     {(off_t)0, (off_t)1, (off_t)page, (off_t)-4096, (off_t)LONG_MIN}) {
                    errno = 77;
                    void *at = function(NULL, length, PROT_READ | PROT_WRITE, flag,
                                        descriptor.number, offset);
                    LINE("(%zu, flags %x, %s, offset %ld): %s errno %d", length, flag,
                         descriptor.name, (long)offset, place(at, NULL), errno);
                    if (at != MAP_FAILED) {
                        if (descriptor.number == both && offset == 0) {
                            LINE("  contents %d", memcmp(at, "contents", 8) == 0);
                        }
                        munmap(at, length);
                    }
                }
            }
        }
    }
    int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
        kept = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    for (int flag : {fixed, kept}) {
        for (size_t shift : {(size_t)0, (size_t)1, page}) {
            void *wanted = (char *)taken + shift;
            errno = 77;
            void *at = function(wanted, page, PROT_READ, flag, -1, 0);
            LINE("(taken + %zu, flags %x): %s errno %d", shift, flag, place(at, wanted), errno);
        }
        for (uintptr_t wanted : {(uintptr_t)0xfffffffffffff000, (uintptr_t)0x800000000000}) {
            errno = 77;
            void *at = function((void *)wanted, page, PROT_READ, flag, -1, 0);
            LINE("(beyond, flags %x): %s errno %d", flag, place(at, (void *)wanted), errno);
        }
    }
    for (int prot : {PROT_NONE, PROT_READ, PROT_EXEC, 0x10000}) {
        errno = 77;
        void *at = function(NULL, page, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        LINE("(prot %x): %s errno %d", prot, place(at, NULL), errno);
    }
    close(both);
    close(reading);
    close(folder);
}

void of_munmap() {
    auto *volatile function = real<int(void *, size_t)>(hook);
    for (size_t shift : {(size_t)0, (size_t)1, page}) {
        for (size_t length : lengths) {
            char *at = (char *)mmap(NULL, 8 * page, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            memset(at, 7, 8 * page);
            if (length > 8 * page && shift != 1 && length < SIZE_MAX - page) {
                continue;
            }
            errno = 77;
            int result = function(at + shift, length);
            unsigned char there;
            LINE("(+%zu, %zu): %d errno %d last page %d", shift, length, result, errno,
                 mincore(at + 7 * page, page, &there) == 0 && at[8 * page - 1] == 7);
            munmap(at, 8 * page);
            errno = 77;
            result = function(at, 8 * page);
            LINE("  again, nothing there: %d errno %d", result, errno);
        }
    }
    for (uintptr_t address :
         {(uintptr_t)0, (uintptr_t)1, (uintptr_t)0x7ffffffff000, (uintptr_t)0xfffffffffffff000}) {
        errno = 77;
        int result = function((void *)address, page);
        LINE("(%#lx): %d errno %d", (unsigned long)address, result, errno);
    }
}

void of_mremap() {
    auto *volatile function = real<void *(void *, size_t, size_t, int, ...)>(hook);
    const size_t olds[] = {0, 1, page, 4 * page, half, SIZE_MAX};
    for (int kind : {MAP_PRIVATE, MAP_SHARED}) {
        for (int flags : {0, MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED, 4,
                          MREMAP_MAYMOVE | 4, 64}) {
            for (size_t old_length : olds) {
                for (size_t length :
                     {(size_t)0, (size_t)1, 2 * page, 4 * page, 6 * page, half, SIZE_MAX}) {
                    for (size_t shift : {(size_t)0, (size_t)1}) {
                        // A page behind it is taken, so that it cannot grow where it is; the target
                        // is free.
                        char *at = (char *)mmap(NULL, 16 * page, PROT_READ | PROT_WRITE,
                                                kind | MAP_ANONYMOUS, -1, 0);
                        char *target = (char *)mmap(NULL, 16 * page, PROT_NONE,
                                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                        munmap(at + 5 * page, 11 * page);
                        mmap(at + 4 * page, 2 * page, PROT_READ,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
                        memset(at, 9, 4 * page);
                        errno = 77;
                        char *moved =
                            (char *)function(at + shift, old_length, length, flags, target);
                        int error = errno;
                        bool kept = moved == MAP_FAILED ? all((unsigned char *)at, 4 * page, 9)
                                    : flags & 4
                                        ? true
                                        : moved[0] == (kind == MAP_SHARED || old_length ? 9 : 0);
                        const char *where = moved == MAP_FAILED ? "failed"
                                            : moved == at       ? "same"
                                            : moved == target   ? "target"
                                                                : "moved";
                        LINE("(%s +%zu, %zu, %zu, flags %x): %s errno %d kept %d",
                             kind == MAP_SHARED ? "shared" : "private", shift, old_length, length,
                             flags, where, error, kept);
                        munmap(at, 6 * page);
                        munmap(target, 16 * page);
                        if (moved != MAP_FAILED) {
                            munmap(moved, length);
                        }
                    }
                }
            }
        }
    }
    for (uintptr_t address : {(uintptr_t)0, (uintptr_t)0x10000, (uintptr_t)0xfffffffffffff000}) {
        errno = 77;
        void *moved = function((void *)address, page, 2 * page, MREMAP_MAYMOVE);
        LINE("(%#lx, nothing there): %s errno %d", (unsigned long)address, place(moved, NULL),
             errno);
    }
}

void of_dlopen() {
    auto *volatile function = real<void *(const char *, int)>(hook);
    const int flags[] = {RTLD_LAZY,
                         RTLD_NOW,
                         0,
                         RTLD_LAZY | RTLD_NOLOAD,
                         RTLD_LAZY | RTLD_DEEPBIND,
                         RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE,
                         -1};
    for (const char *name : {"", "libc.so.6", "libm.so.6", "libresolv.so.2", "libnowhere.so.1",
                             "/nonexistent/lib.so", "/etc/passwd", "$ORIGIN/nothing.so"}) {
        for (int flag : flags) {
            dlerror();
            errno = 77;
            void *handle = function(*name ? name : NULL, flag);
            int error = errno;
            const char *text = dlerror();
            LINE("(%s, %d): %d errno %d error %s", name, flag, handle != NULL, error,
                 text ? text : "none");
            void *again = handle ? dlopen(*name ? name : NULL, RTLD_LAZY) : NULL;
            if (handle && (again != handle || dlclose(again) || dlclose(handle))) {
                LINE("  not the same as before, or not closed");
            }
        }
    }
}

void of_dlsym() {
    auto *volatile function = real<void *(void *, const char *)>(hook);
    dlopen("libresolv.so.2", RTLD_LAZY | RTLD_DEEPBIND);
    const struct {
        const char *name;
        void *handle;
    } handles[] = {{"default", RTLD_DEFAULT},
                   {"next", RTLD_NEXT},
                   {"program", dlopen(NULL, RTLD_LAZY)},
                   {"libc", dlopen("libc.so.6", RTLD_LAZY)},
                   {"libm", dlopen("libm.so.6", RTLD_LAZY | RTLD_DEEPBIND)}};
    for (auto handle : handles) {
        for (const char *name : {"malloc", "free", "posix_memalign", "_Znwm", "mallocx", "tc_free",
                                 "cos", "environ", "nowhere", "", "dlsym"}) {
            dlerror();
            errno = 77;
            void *found = function(handle.handle, name);
            int error = errno;
            const char *text = dlerror();
            LINE("(%s, %s): %d errno %d error %s", handle.name, name, found != NULL, error,
                 text ? text : "none");
            LINE("  the same %d", found == function(handle.handle, name));
        }
    }
    auto *allocate = (void *(*)(size_t))function(handles[3].handle, "malloc");
    auto *give_back = (void (*)(void *))function(handles[3].handle, "free");
    auto *resize = (void *(*)(void *, size_t))function(handles[3].handle, "realloc");
    for (size_t bytes : sizes) {
        errno = 77;
        void *block = allocate(bytes);
        LINE("malloc of libc (%zu): %d errno %d", bytes, block != NULL, errno);
        errno = 77;
        void *other = block ? resize(block, 100) : NULL;
        LINE("realloc of libc: %d errno %d", other != NULL, errno);
        errno = 77;
        give_back(other ? other : block);
        LINE("free of libc: errno %d", errno);
    }
}

void of_dlclose() {
    auto *volatile function = real<int(void *)>(hook);
    for (const char *name : {"", "libc.so.6", "libm.so.6", "libresolv.so.2", "libnowhere.so.1"}) {
        void *handle = dlopen(*name ? name : NULL, RTLD_LAZY);
        if (!handle) {
            LINE("(%s): not opened", name);
            continue;
        }
        dlerror();
        errno = 77;
        int result = function(handle);
        LINE("(%s): %d errno %d error %s", name, result, errno, dlerror());
        if (strstr(name, "libc.so")) {
            result = function(handle);
            const char *error = dlerror();
            LINE("  once more than it was opened: %d error %s", result, error ? error : "none");
        }
    }
}

// ---- descriptors ----

// Runs the body in a child process, since it changes what a process has for good; says how that
// ended.
template <typename Body> void in_child(const char *what, Body body) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        body();
        fflush(stdout);
        _exit(40);
    }
    int status = 0;
    waitpid(child, &status, 0);
    LINE("%s: ended with %x", what, status);
}

// Whether each of the first numbers is open, and which number is the next.
void show_open(const char *what) {
    char open_ones[21] = "";
    for (int i = 0; i < 20; i++) {
        open_ones[i] = fcntl(i, F_GETFD) < 0 ? '-' : fcntl(i, F_GETFD) & FD_CLOEXEC ? 'c' : 'o';
    }
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    LINE("  %s: open %s next %d", what, open_ones, next);
}

void some_open() {
    for (int i = 3; i < 20; i++) {
        close(i);
    }
    for (int i = 3; i < 10; i++) {
        dup2(0, i);
    }
}

void of_close() {
    auto *volatile function = real<int(int)>(hook);
    // With the numbers that silt's own descriptors have: they are not the program's.
    bool with_own = getenv("HOOK_CASES_OWN_NUMBERS");
    for (int number : {-1, INT_MIN, INT_MAX, 9876, 3, 5, 1000, 1001, 1023}) {
        if (number >= 1000 && number < 9876 && !with_own) {
            continue;
        }
        in_child("close", [&] {
            some_open();
            for (int i = 0; i < 2; i++) {
                errno = 77;
                int result = function(number);
                LINE("(%d): %d errno %d", number, result, errno);
            }
            show_open("after");
        });
    }
}

void of_dup2() {
    auto *volatile two = real<int(int, int)>(hook);
    auto *volatile three = real<int(int, int, int)>(hook);
    bool has_flags = has("dup3");
    for (int flags : {0, O_CLOEXEC, O_NONBLOCK, -1}) {
        if (!has_flags && flags) {
            continue;
        }
        in_child("dup", [&] {
            some_open();
            for (int from : {0, 3, 15, -1, INT_MAX}) {
                for (int to : {3, 12, 15, -1, INT_MAX, 1 << 20}) {
                    errno = 77;
                    int result = has_flags ? three(from, to, flags) : two(from, to);
                    LINE("(%d, %d, flags %x): %d errno %d", from, to, flags, result, errno);
                }
            }
            show_open("after");
        });
    }
}

void of_close_range() {
    auto *volatile function = real<int(unsigned, unsigned, int)>(hook);
    const unsigned bounds[][2] = {{3, 5},   {5, 3},         {12, 14},  {4, 4},
                                  {3, ~0u}, {2000000, ~0u}, {~0u, ~0u}};
    for (auto bound : bounds) {
        for (int flags :
             {0, 1 << 1 /* CLOSE_RANGE_UNSHARE */, 1 << 2 /* CLOSE_RANGE_CLOEXEC */, 1 << 10, -1}) {
            in_child("close_range", [&] {
                some_open();
                errno = 77;
                int result = function(bound[0], bound[1], flags);
                LINE("(%u, %u, flags %x): %d errno %d", bound[0], bound[1], flags, result, errno);
                show_open("after");
            });
        }
    }
}

void of_closefrom() {
    auto *volatile function = real<void(int)>(hook);
    for (int first : {3, 7, 15, 100000, INT_MAX, -1}) {
        in_child("closefrom", [&] {
            if (first < 0) {
                dup2(1, 700);
            }
            some_open();
            errno = 77;
            function(first < 0 ? 10 : first);
            LINE("(%d): errno %d", first, errno);
            show_open("after");
        });
    }
}

// What a call answered: the number, and whether an exec closes it; then it is closed.
void show_number(const char *what, int fd) {
    int error = errno, flags = fd < 0 ? -1 : fcntl(fd, F_GETFD);
    LINE("%s: %d errno %d flags %d", what, fd, error, flags);
    if (fd >= 0) {
        close(fd);
    }
}

const char *hex(int first, int second = 0) {
    snprintf(text, sizeof text, "(%#x, %#x)", first, second);
    return text;
}

// open, openat, and what the headers make of them where no mode is given.
void of_open() {
    auto *volatile two = real<int(const char *, int, ...)>(hook);
    auto *volatile three = real<int(int, const char *, int, ...)>(hook);
    bool at = has("openat"), without_mode = has("_2");
    char folder[] = "/tmp/silt-hook-cases-XXXXXX", made[100];
    if (!mkdtemp(folder)) {
        exit(2);
    }
    snprintf(made, sizeof made, "%s/made", folder);
    const struct {
        const char *name, *path;
    } files[] = {{"null", "/dev/null"}, {"nothing", "/nonexistent/x"}, {"no name", ""},
                 {"folder", folder},    {"below", "/etc/passwd/x"},    {"new", made},
                 {"address", (char *)1}};
    for (auto file : files) {
        for (int flags :
             {O_RDONLY, O_RDWR | O_CLOEXEC, O_RDWR | O_CREAT, O_WRONLY | O_CREAT | O_EXCL,
              O_RDONLY | O_DIRECTORY, O_RDWR | O_TMPFILE, O_PATH, -1}) {
            bool needs_mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
            if (without_mode && needs_mode) {
                continue; // ends the program, with a word on its terminal
            }
            for (int from : {AT_FDCWD, 987}) {
                if (from != AT_FDCWD && !at) {
                    continue;
                }
                errno = 77;
                int fd = at             ? without_mode ? three(from, file.path, flags)
                                                       : three(from, file.path, flags, 0640)
                                     : without_mode ? two(file.path, flags)
                                        : two(file.path, flags, 0640);
                int error = errno;
                struct stat status;
                bool is_made = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
                LINE("(%s) mode %o", file.name, is_made ? status.st_mode & 0777 : 0);
                errno = error;
                show_number(hex(flags, from), fd);
            }
        }
    }
    unlink(made);
    rmdir(folder);
}

void of_creat() {
    auto *volatile function = real<int(const char *, mode_t)>(hook);
    char file[] = "/tmp/silt-hook-cases-XXXXXX";
    close(mkstemp(file));
    for (const char *path : {(const char *)file, "/nonexistent/x", "", "/"}) {
        errno = 77;
        show_number(path == file ? "(file)" : path, function(path, 0600));
    }
    unlink(file);
}

void of_socket() {
    auto *volatile one = real<int(int, int, int)>("socket");
    auto *volatile pair = real<int(int, int, int, int *)>("socketpair");
    for (int domain : {AF_UNIX, AF_INET, 0, -1, 999}) {
        for (int type : {(int)SOCK_STREAM, (int)SOCK_DGRAM | SOCK_CLOEXEC, 0, -1}) {
            int ends[2] = {-7, -7};
            errno = 77;
            if (!has("pair")) {
                show_number(hex(domain, type), one(domain, type, 0));
                continue;
            }
            int result = pair(domain, type, 0, ends);
            LINE("%s: %d errno %d", hex(domain, type), result, errno);
            show_number("  first", ends[0]);
            show_number("  second", ends[1]);
        }
    }
}

void of_accept() {
    auto *volatile three = real<int(int, sockaddr *, socklen_t *)>("accept");
    auto *volatile four = real<int(int, sockaddr *, socklen_t *, int)>("accept4");
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0),
        null = open("/dev/null", O_RDWR);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path + 1, 100, "silt-hook-cases-%d", getpid());
    if (bind(listener, (sockaddr *)&address, sizeof address) || listen(listener, 9)) {
        exit(2);
    }
    for (int flags : {0, (int)SOCK_CLOEXEC, -1}) {
        for (int from : {-1, 987, null, listener}) {
            for (bool knock : {false, true}) {
                int client = socket(AF_UNIX, SOCK_STREAM, 0);
                if (knock) {
                    connect(client, (sockaddr *)&address, sizeof address);
                }
                sockaddr_un peer = {};
                socklen_t length = sizeof peer;
                errno = 77;
                int fd = has("4") ? four(from, (sockaddr *)&peer, &length, flags)
                                  : three(from, (sockaddr *)&peer, &length);
                show_number(hex(flags, from == listener), fd);
                LINE("  length %u", length);
                close(client);
            }
        }
    }
    close(listener);
    close(null);
}

// pipe and pipe2.
void of_pipe() {
    auto *volatile one = real<int(int *)>("pipe");
    auto *volatile two = real<int(int *, int)>("pipe2");
    for (int flags : {0, O_CLOEXEC, O_NONBLOCK, -1}) {
        int ends[2] = {-7, -7};
        errno = 77;
        int result = has("2") ? two(ends, flags) : one(ends);
        LINE("(%#x): %d errno %d", flags, result, errno);
        show_number("  first", ends[0]);
        show_number("  second", ends[1]);
    }
}

// What takes one number: dup, epoll_create and the like.
void of_number() {
    auto *volatile function = real<int(int)>(hook);
    for (int number : {0, 1, -1, INT_MAX, 987, O_CLOEXEC, O_RDWR}) {
        errno = 77;
        show_number(hex(number), function(number));
    }
}

// What takes two: eventfd, timerfd_create and the like.
void of_numbers() {
    auto *volatile function = real<int(int, int)>(hook);
    for (int first : {0, 1, -1, 7, getpid()}) {
        for (int second : {0, O_CLOEXEC, O_NONBLOCK, -1}) {
            errno = 77;
            int fd = function(first, second);
            show_number(hex(first == getpid() ? 99 : first, second), fd);
        }
    }
}

void of_fanotify_init() {
    auto *volatile function = real<int(unsigned, unsigned)>(hook);
    for (unsigned flags : {0U, 1U, 7U, 0xffffffffU}) {
        for (unsigned file_flags : {0U, (unsigned)O_CLOEXEC, 0xffffffffU}) {
            errno = 77;
            show_number(hex((int)flags, (int)file_flags), function(flags, file_flags));
        }
    }
}

void of_inotify_init() {
    auto *volatile function = real<int()>(hook);
    errno = 77;
    show_number("()", function());
}

void of_fcntl() {
    auto *volatile function = real<int(int, int, ...)>(hook);
    for (int fd : {0, -1, 987}) {
        for (int command : {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, 9999}) {
            for (long argument : {0l, 50l, -1l, 1l << 40}) {
                errno = 77;
                int result = function(fd, command, argument);
                if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
                    show_number(hex(fd, (int)argument), result);
                } else {
                    LINE("(%d, %d, %ld): %d errno %d", fd, command, argument, result, errno);
                }
            }
        }
    }
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    char file[] = "/tmp/silt-hook-cases-XXXXXX";
    int fd = mkstemp(file);
    errno = 77;
    int result = function(fd, F_SETLK, &lock);
    LINE("(F_SETLK): %d errno %d", result, errno);
    result = function(fd, F_GETLK, &lock);
    LINE("(F_GETLK): %d type %d errno %d", result, lock.l_type, errno);
    close(fd);
    unlink(file);
}

void of_signalfd() {
    auto *volatile function = real<int(int, const sigset_t *, int)>(hook);
    sigset_t mask;
    sigemptyset(&mask);
    int there = signalfd(-1, &mask, 0);
    for (int fd : {-1, 987, 0}) {
        for (int flags : {0, O_CLOEXEC, -1}) {
            errno = 77;
            show_number(hex(fd, flags), function(fd, &mask, flags));
        }
    }
    errno = 77;
    int result = function(there, &mask, 0);
    LINE("(there): same %d errno %d", result == there, errno);
    close(there);
}

void of_memfd_create() {
    auto *volatile function = real<int(const char *, unsigned)>(hook);
    for (const char *name : {"", "some", (const char *)1}) {
        for (int flags : {0, 1, -1}) {
            errno = 77;
            show_number(hex(flags, name == (const char *)1), function(name, (unsigned)flags));
        }
    }
}

// mkstemp and its kin.
void of_mkstemp() {
    void *function = dlsym(RTLD_DEFAULT, hook);
    bool suffix = has("temps"), flagged = has("mko");
    for (const char *form :
         {"/tmp/silt-XXXXXX.c", "/tmp/silt-XXXXXX", "/tmp/XXX", "/nonexistent/XXXXXX.c", ""}) {
        for (int length : {0, 2, -1, 100}) {
            for (int flags : {0, O_CLOEXEC, O_APPEND}) {
                char name[100];
                strcpy(name, form);
                errno = 77;
                int fd = suffix && flagged
                             ? ((int (*)(char *, int, int))function)(name, length, flags)
                         : suffix || flagged
                             ? ((int (*)(char *, int))function)(name, suffix ? length : flags)
                             : ((int (*)(char *))function)(name);
                int error = errno;
                LINE("(%s, %d) changed %d", form, length, strcmp(name, form) != 0);
                errno = error;
                show_number(hex(flags), fd);
                if (fd >= 0) {
                    unlink(name);
                }
            }
        }
    }
}

void of_shm_open() {
    auto *volatile function = real<int(const char *, int, mode_t)>(hook);
    char mine[100];
    snprintf(mine, sizeof mine, "/silt-hook-cases-%d", getpid());
    for (const char *name : {(const char *)mine, "/silt/none", ""}) {
        for (int flags : {O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL}) {
            errno = 77;
            show_number(hex(flags, name == mine), function(name, flags, 0600));
        }
    }
    shm_unlink(mine);
}

void of_mq() {
    auto *volatile open_queue = real<int(const char *, int, ...)>("mq_open");
    auto *volatile close_queue = real<int(int)>("mq_close");
    auto *volatile unlink_queue = real<int(const char *)>("mq_unlink");
    char mine[100];
    snprintf(mine, sizeof mine, "/silt-hook-cases-%d", getpid());
    for (const char *name : {(const char *)mine, "none", "/silt/none", ""}) {
        for (int flags : {O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL}) {
            errno = 77;
            int queue = open_queue(name, flags, 0600, (void *)NULL);
            LINE("(%s, %#x): %d errno %d", name == mine ? "mine" : name, flags, queue, errno);
            errno = 77;
            int result = close_queue(queue);
            LINE("  closed: %d errno %d", result, errno);
        }
    }
    unlink_queue(mine);
}

// ---- streams and folders ----

void show_stream(const char *what, FILE *stream) {
    int error = errno;
    LINE("%s: %s errno %d number %d", what, stream ? "stream" : "null", error,
         stream ? fileno(stream) : -1);
}

void of_fopen() {
    auto *volatile function = real<FILE *(const char *, const char *)>(hook);
    for (const char *path : {"/dev/null", "/nonexistent/x", "", "/"}) {
        for (const char *mode : {"r", "w+e", "a", "x", ""}) {
            errno = 77;
            FILE *stream = function(path, mode);
            show_stream(path, stream);
            if (stream) {
                fclose(stream);
            }
        }
    }
}

void of_freopen() {
    auto *volatile function = real<FILE *(const char *, const char *, FILE *)>(hook);
    for (const char *path : {"/dev/zero", "/nonexistent/x", (const char *)NULL}) {
        for (const char *mode : {"r", "we"}) {
            FILE *stream = fopen("/dev/null", "r+");
            errno = 77;
            FILE *again = function(path, mode, stream);
            show_stream(path ? path : "NULL", again);
            LINE("  same %d, closed %d", again == stream, again ? fclose(again) : 0);
            show_open("after");
        }
    }
}

void of_tmpfile() {
    auto *volatile function = real<FILE *()>(hook);
    errno = 77;
    FILE *stream = function();
    show_stream("()", stream);
    fclose(stream);
}

// fclose and pclose.
void of_fclose() {
    auto *volatile function = real<int(FILE *)>(hook);
    char bytes[10];
    for (int way = 0; way < 5; way++) {
        FILE *stream = way == 0   ? fopen("/dev/null", "r")
                       : way == 1 ? popen("exit 3", "r")
                       : way == 2 ? fdopen(dup(0), "r")
                       : way == 3 ? fmemopen(bytes, sizeof bytes, "r")
                                  : fopen("/dev/full", "w");
        if (!stream || (has("pclose") && way != 1)) {
            continue;
        }
        if (way == 4) {
            fputs("what finds no room", stream);
        } else if (way == 2) {
            close(fileno(stream));
        }
        errno = 77;
        int result = function(stream);
        LINE("(way %d): %d errno %d", way, result, errno);
        show_open("after");
    }
}

// opendir and closedir.
void of_folder() {
    auto *volatile open_folder = real<DIR *(const char *)>("opendir");
    auto *volatile close_folder = real<int(DIR *)>("closedir");
    for (const char *path : {"/", "/nonexistent", "", "/etc/passwd"}) {
        errno = 77;
        DIR *folder = open_folder(path);
        LINE("(%s): %d errno %d number %d", path, folder != NULL, errno,
             folder ? dirfd(folder) : -1);
        errno = 77;
        int result = close_folder(folder);
        LINE("  closed: %d errno %d", result, errno);
    }
    show_open("after");
}

// ---- messages ----

// recvmsg and recvmmsg.
void of_recvmsg() {
    auto *volatile one = real<ssize_t(int, msghdr *, int)>("recvmsg");
    auto *volatile many = real<int(int, mmsghdr *, unsigned, int, timespec *)>("recvmmsg");
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends)) {
        exit(2);
    }
    for (int sent : {0, 1, 3}) {
        for (size_t room : {(size_t)0, CMSG_SPACE(sizeof(int)), CMSG_SPACE(8 * sizeof(int))}) {
            for (int flags : {(int)MSG_DONTWAIT, (int)MSG_DONTWAIT | MSG_CMSG_CLOEXEC}) {
                alignas(16) char control[200] = "", bytes[20] = "words";
                iovec part = {bytes, 5};
                msghdr message = {};
                message.msg_iov = &part;
                message.msg_iovlen = 1;
                if (sent) {
                    message.msg_control = control;
                    message.msg_controllen = CMSG_SPACE((size_t)sent * sizeof(int));
                    cmsghdr *head = CMSG_FIRSTHDR(&message);
                    head->cmsg_len = CMSG_LEN((size_t)sent * sizeof(int));
                    head->cmsg_level = SOL_SOCKET;
                    head->cmsg_type = SCM_RIGHTS;
                    memset(CMSG_DATA(head), 0, (size_t)sent * sizeof(int));
                }
                sendmsg(ends[0], &message, 0);
                for (int round = 0; round < 2; round++) {
                    mmsghdr received = {};
                    part.iov_len = sizeof bytes;
                    received.msg_hdr.msg_iov = &part;
                    received.msg_hdr.msg_iovlen = 1;
                    received.msg_hdr.msg_control = room ? control : NULL;
                    received.msg_hdr.msg_controllen = room;
                    errno = 77;
                    long got = has("mm") ? many(ends[1], &received, 1, flags, NULL)
                                         : one(ends[1], &received.msg_hdr, flags);
                    LINE("(%d, room %zu): %ld errno %d flags %x control %zu", sent, room, got,
                         errno, received.msg_hdr.msg_flags, received.msg_hdr.msg_controllen);
                    show_open("after");
                    for (int fd = ends[1] + 1; fd < ends[1] + 5; fd++) {
                        close(fd);
                    }
                }
            }
        }
    }
    for (int from : {-1, 987, 0}) {
        mmsghdr received = {};
        errno = 77;
        long got = has("mm") ? many(from, &received, 1, MSG_DONTWAIT, NULL)
                             : one(from, &received.msg_hdr, MSG_DONTWAIT);
        LINE("(from %d): %ld errno %d", from, got, errno);
    }
    close(ends[0]);
    close(ends[1]);
}

// ---- prctl and system calls ----

void of_prctl() {
    auto *volatile function = real<int(int, ...)>(hook);
    char name[17] = "";
    errno = 77;
    int result = function(PR_SET_NAME, "a name too long for the kernel", 0, 0, 0);
    LINE("(PR_SET_NAME): %d errno %d", result, errno);
    result = function(PR_GET_NAME, name, 0, 0, 0);
    LINE("(PR_GET_NAME): %d %s errno %d", result, name, errno);
    for (int option :
         {0, -1, 12345, PR_SET_DUMPABLE, PR_GET_DUMPABLE, PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS,
          PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_SET_SECCOMP, PR_SET_KEEPCAPS, PR_CAPBSET_READ,
          PR_SET_TIMERSLACK, PR_SET_CHILD_SUBREAPER}) {
        for (unsigned long argument : {0ul, 2ul, 70ul, ~0ul}) {
            // A filter at address 0, 70, … does not exist.
            in_child("prctl", [&] {
                errno = 77;
                int answer = function(option, argument, 0ul, 0ul, 0ul);
                LINE("(%d, %lu): %d errno %d", option, argument, answer, errno);
                void *block = malloc(100);
                LINE("  a block after it: %d", block != NULL);
                free(block);
            });
        }
    }
}

void of_syscall() {
    auto *volatile function = real<long(long, ...)>(hook);
    errno = 77;
    LINE("(getpid): %d errno %d", function(SYS_getpid) == getpid(), errno);
    for (long number :
         {-1l, 99999l, (long)SYS_close, (long)SYS_dup2, (long)SYS_close_range, (long)SYS_prctl,
          (long)SYS_seccomp, (long)SYS_munmap, (long)SYS_mremap, (long)SYS_execve}) {
        errno = 77;
        long result = function(number, -1l, -1l, -1l, -1l, -1l, -1l);
        LINE("(%ld, -1 …): %ld errno %d", number, result, errno);
    }
    errno = 77;
    long at = function(SYS_mmap, NULL, 2 * page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0l);
    LINE("(mmap): %s errno %d", place((void *)at, NULL), errno);
    errno = 77;
    LINE("(munmap): %ld errno %d", function(SYS_munmap, at, 2 * page), errno);
}

// What may be done with the third of eight pages once `protect` has been called on some of them.
template <typename F> void protections(int key, F protect) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        exit(2);
    }
    int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    for (int prot : {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC,
                     PROT_READ | PROT_WRITE | PROT_EXEC, 0x40, -1}) {
        for (size_t shift : {(size_t)0, (size_t)1, 2 * page}) {
            for (size_t length : lengths) {
                char *at = (char *)mmap(NULL, 8 * page, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                munmap(at + 7 * page, page);
                errno = 77;
                int result = protect(at + shift, length, prot);
                int error = errno;
                /* A pipe copies what it is given. */
                bool reads = write(ends[1], at + 2 * page, 1) == 1;
                bool writes = read(zero, at + 2 * page, 1) == 1;
                LINE("(key %d, +%zu, %zu, %#x): %d errno %d read %d written %d", key, shift, length,
                     prot, result, error, reads, writes);
                munmap(at, 8 * page);
            }
        }
    }
    for (uintptr_t address : {(uintptr_t)0, (uintptr_t)1, (uintptr_t)0xfffffffffffff000}) {
        errno = 77;
        int result = protect((char *)address, page, PROT_READ);
        LINE("(%#lx): %d errno %d", (unsigned long)address, result, errno);
    }
    close(ends[0]);
    close(ends[1]);
    close(zero);
}

void of_mprotect() {
    auto *volatile function = real<int(void *, size_t, int)>(hook);
    protections(-1, [=](char *at, size_t length, int prot) { return function(at, length, prot); });
}

void of_pkey_mprotect() {
    auto *volatile function = real<int(void *, size_t, int, int)>(hook);
    for (int key : {-1, 0, 5, 99, -2}) {
        protections(key, [=](char *at, size_t length, int prot) {
            return function(at, length, prot, key);
        });
    }
}

// ---- the program break ----

// Where it is, less where it was, and what a call has answered.
void moved(char *start, const char *what, long result) {
    int error = errno;
    LINE("%s: %ld errno %d, break %ld", what, result, error, (long)((char *)sbrk(0) - start));
    errno = 77;
}

void of_sbrk() {
    auto *volatile function = real<void *(intptr_t)>(hook);
    char *start = (char *)function(0);
    errno = 77;
    const intptr_t far = (intptr_t)1 << 46;
    for (intptr_t step : {0L, 100L, 65536L, -50L, -65586L, INTPTR_MAX, INTPTR_MIN, far, -far}) {
        auto *at = (char *)function(step);
        moved(start, "sbrk", at == (char *)-1 ? -1 : (long)(at - start));
    }
}

void of_brk() {
    auto *volatile function = real<int(void *)>(hook);
    char *start = (char *)sbrk(0);
    errno = 77;
    for (char *to : {start, start + 100, start + 65536, start + 10, start}) {
        moved(start, "brk", function(to));
    }
    moved(start, "brk too far", function((void *)((uintptr_t)start + ((uintptr_t)1 << 46))));
    moved(start, "brk to nowhere", function(nullptr));
}

// ---- keys of threads ----

int destroyed;
void destroy(void *) {
    destroyed++;
}

// As many as there are, twice.
template <typename K, typename R>
void keys(int (*volatile create)(K *, void (*)(void *)), R (*remove)(K)) {
    for (int round = 0; round < 2; round++) {
        static K all[3000];
        int count = 0, result;
        errno = 77;
        while ((result = create(&all[count], count % 2 ? destroy : NULL)) == 0 && count < 2999) {
            count++;
        }
        LINE("%d keys, then %d errno %d, again %d", count, result, errno,
             create(&all[count], NULL));
        for (int i = 0; i < count; i++) {
            pthread_key_t key;
            memcpy(&key, &all[i], sizeof key);
            int set = pthread_setspecific(key, &all[i]);
            if (i % 100 == 0) {
                LINE("  key %d: %d, its value %d", i, set, pthread_getspecific(key) == &all[i]);
            }
        }
        for (int i = 0; i < count; i++) {
            remove(all[i]);
        }
        K more;
        LINE("  more: %d, %d", create(&more, destroy), destroyed);
        remove(more);
    }
}

void of_pthread_key_create() {
    keys(real<int(pthread_key_t *, void (*)(void *))>(hook),
         real<int(pthread_key_t)>("pthread_key_delete"));
}

void of_tss_create() {
    keys(real<int(unsigned *, void (*)(void *))>(hook), real<void(unsigned)>("tss_delete"));
}

// ---- threads ----

void *hand_back(void *value) {
    errno = 5; // its own
    return value;
}

void *wait_to_be_canceled(void *) {
    for (;;) {
        pause();
    }
}

// Ends when the semaphore says so.
void *wait_for(void *semaphore) {
    sem_wait((sem_t *)semaphore);
    return semaphore;
}

void *detach_oneself(void *number) {
    *(int *)number = pthread_detach(pthread_self());
    sem_t *ended = (sem_t *)((int *)number + 2);
    sem_post(ended);
    return NULL;
}

timespec later(clockid_t clock, long nanoseconds) {
    timespec at;
    clock_gettime(clock, &at);
    at.tv_nsec += nanoseconds;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

void of_pthread_create() {
    auto *volatile create =
        real<int(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)>(hook);
    for (size_t stack : {(size_t)0, (size_t)PTHREAD_STACK_MIN, (size_t)1 << 20, half}) {
        for (int state : {PTHREAD_CREATE_JOINABLE, PTHREAD_CREATE_DETACHED}) {
            pthread_attr_t attributes;
            pthread_attr_init(&attributes);
            pthread_attr_setdetachstate(&attributes, state);
            if (stack) {
                pthread_attr_setstacksize(&attributes, stack);
            }
            sem_t go;
            sem_init(&go, 0, 0);
            pthread_t thread = 77;
            errno = 77;
            int result = create(&thread, stack || state ? &attributes : NULL, wait_for, &go);
            LINE("(stack %zu, state %d): %d errno %d untouched %d", stack, state, result, errno,
                 thread == 77);
            if (result == 0) {
                int seen = -1;
                pthread_attr_t got;
                pthread_getattr_np(thread, &got);
                pthread_attr_getdetachstate(&got, &seen);
                pthread_attr_destroy(&got);
                sem_post(&go);
                void *value = NULL;
                int left = state ? 0 : pthread_join(thread, &value);
                LINE("  state %d, joined %d, its value %d", seen, left, value == &go);
                usleep(state ? 100000 : 0);
            }
            pthread_attr_destroy(&attributes);
        }
    }
    // More than there may be: as another user, whose threads are counted.
    in_child("no more", [&] {
        rlimit none = {0, 0};
        setrlimit(RLIMIT_NPROC, &none);
        if (setuid(65534) != 0) {
            exit(2);
        }
        pthread_t thread;
        errno = 77;
        int result = create(&thread, NULL, hand_back, NULL);
        LINE("(): %d errno %d", result, errno);
    });
}

// A join with a time that has come, where the function has one.
int joined(pthread_t thread, void **value) {
    timespec at = later(CLOCK_REALTIME, 0), steady = later(CLOCK_MONOTONIC, 0);
    if (has("pthread_timedjoin_np")) {
        auto *timed = real<int(pthread_t, void **, const timespec *)>(hook);
        return timed(thread, value, &at);
    }
    if (has("pthread_clockjoin_np")) {
        auto *timed = real<int(pthread_t, void **, clockid_t, const timespec *)>(hook);
        return timed(thread, value, CLOCK_MONOTONIC, &steady);
    }
    return real<int(pthread_t, void **)>(hook)(thread, value);
}

/** The same of a thread that is about to end: those ways that do not wait are asked again. */
int joined_in_the_end(pthread_t thread, void **value) {
    int result = joined(thread, value);
    for (int tries = 0; tries < 5000 && (result == EBUSY || result == ETIMEDOUT); tries++) {
        usleep(1000);
        result = joined(thread, value);
    }
    return result;
}

int destroyed_joiners;

void *join_for_ever(void *thread) {
    pthread_cleanup_push([](void *) { destroyed_joiners++; }, NULL);
    timespec at = later(CLOCK_REALTIME, 0), steady = later(CLOCK_MONOTONIC, 0);
    at.tv_sec += 100;
    steady.tv_sec += 100;
    if (has("pthread_timedjoin_np")) {
        real<int(pthread_t, void **, const timespec *)>(hook)(*(pthread_t *)thread, NULL, &at);
    } else if (has("pthread_clockjoin_np")) {
        auto *timed = real<int(pthread_t, void **, clockid_t, const timespec *)>(hook);
        timed(*(pthread_t *)thread, NULL, CLOCK_MONOTONIC, &steady);
    } else {
        real<int(pthread_t, void **)>(hook)(*(pthread_t *)thread, NULL);
    }
    pthread_cleanup_pop(0);
    return NULL;
}

// pthread_join and those of its kin that have a value.
void of_pthread_join() {
    bool waits = has("pthread_join");
    pthread_t thread;
    int number = 0;
    for (int wait : {0, 50000}) {
        pthread_create(&thread, NULL, hand_back, &number);
        usleep(waits ? wait : 50000);
        void *value = NULL;
        errno = 77;
        int result = joined_in_the_end(thread, &value);
        LINE("(over %d): %d value %d errno %d", wait > 0, result, value == &number, errno);
    }
    pthread_create(&thread, NULL, hand_back, &number);
    LINE("(no value): %d", joined_in_the_end(thread, NULL));
    LINE("(itself): %d", joined(pthread_self(), NULL));
    sem_t go;
    sem_init(&go, 0, 0);
    pthread_create(&thread, NULL, wait_for, &go);
    if (!waits) {
        errno = 77;
        int result = joined(thread, NULL);
        LINE("(running): %d errno %d", result, errno);
    }
    if (!has("pthread_tryjoin_np")) {
        // A joiner that is canceled leaves a thread that can be joined.
        pthread_t joiner;
        void *value = NULL;
        pthread_create(&joiner, NULL, join_for_ever, &thread);
        usleep(50000);
        pthread_cancel(joiner);
        pthread_join(joiner, &value);
        LINE("(canceled): %d destroyed %d", value == PTHREAD_CANCELED, destroyed_joiners);
    }
    pthread_detach(thread);
    LINE("(detached): %d", joined(thread, NULL));
    sem_post(&go);
    pthread_create(&thread, NULL, wait_to_be_canceled, NULL);
    pthread_cancel(thread);
    void *value = NULL;
    int result = joined_in_the_end(thread, &value);
    LINE("(canceled thread): %d value %d", result, value == PTHREAD_CANCELED);
}

void of_pthread_detach() {
    auto *volatile detach = real<int(pthread_t)>(hook);
    sem_t go;
    sem_init(&go, 0, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for, &go);
    errno = 77;
    int once = detach(thread), twice = detach(thread);
    LINE("(running): %d, again %d errno %d", once, twice, errno);
    sem_post(&go);
    pthread_create(&thread, NULL, hand_back, NULL);
    usleep(50000);
    LINE("(over): %d", detach(thread));
    struct {
        int result, unused;
        sem_t ended;
    } own = {-1, 0, {}};
    sem_init(&own.ended, 0, 0);
    pthread_create(&thread, NULL, detach_oneself, &own);
    sem_wait(&own.ended);
    LINE("(itself): %d", own.result);
}

int return_seven(void *) {
    return 7;
}

void of_thrd() {
    auto *volatile create = real<int(thrd_t *, thrd_start_t, void *)>("thrd_create");
    auto *volatile join = real<int(thrd_t, int *)>("thrd_join");
    auto *volatile detach = real<int(thrd_t)>("thrd_detach");
    for (int wait : {0, 50000}) {
        thrd_t thread;
        int value = 0;
        errno = 77;
        int result = create(&thread, return_seven, NULL);
        usleep(wait);
        int left = join(thread, &value);
        LINE("(over %d): %d joined %d value %d errno %d", wait > 0, result, left, value, errno);
    }
    thrd_t thread;
    create(&thread, return_seven, NULL);
    LINE("(no value): %d", join(thread, NULL));
    LINE("(itself): %d", join(thrd_current(), NULL));
    create(&thread, return_seven, NULL);
    usleep(50000);
    LINE("(detached): %d", detach(thread));
}

// ---- timers, semaphores, locales, segments ----

} // namespace

// The functions of programs that were linked long ago: they deal in numbers.
extern "C" int old_timer_create(clockid_t, sigevent *, int *);
extern "C" int old_timer_delete(int);
// Those that have the shell run what the kernel cannot execute.
extern "C" __typeof__(posix_spawn) old_spawn, old_spawnp;
__asm__(".symver old_timer_create,timer_create@GLIBC_2.2.5");
__asm__(".symver old_timer_delete,timer_delete@GLIBC_2.2.5");
__asm__(".symver old_spawn,posix_spawn@GLIBC_2.2.5");
__asm__(".symver old_spawnp,posix_spawnp@GLIBC_2.2.5");

namespace {

void tell(sigval) {}

// timer_create and timer_delete.
void of_timer() {
    auto *volatile create = real<int(clockid_t, sigevent *, timer_t *)>("timer_create");
    auto *volatile remove = real<int(timer_t)>("timer_delete");
    for (clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, 4711}) {
        for (int notify : {-1, (int)SIGEV_SIGNAL, (int)SIGEV_NONE, (int)SIGEV_THREAD, 99}) {
            sigevent event = {};
            event.sigev_notify = notify;
            event.sigev_signo = SIGUSR1;
            event.sigev_notify_function = tell;
            timer_t timer = (timer_t)77;
            errno = 77;
            int result = create(clock, notify < 0 ? NULL : &event, &timer);
            LINE("(%d, %d): %d errno %d untouched %d", clock, notify, result, errno,
                 timer == (timer_t)77);
            if (result == 0) {
                itimerspec state = {};
                int left = timer_gettime(timer, &state);
                errno = 77;
                int once = remove(timer);
                LINE("  there %d, deleted %d errno %d", left, once, errno);
            }
        }
    }
    errno = 77;
    int never = remove((timer_t)4711);
    LINE("(4711): %d errno %d", never, errno);
    for (int i = 0; i < 3; i++) {
        int number = 77;
        errno = 77;
        int made = old_timer_create(CLOCK_REALTIME, NULL, &number);
        int error = errno;
        int deleted = old_timer_delete(number), again = old_timer_delete(number);
        LINE("(old): %d number %d errno %d deleted %d again %d errno %d", made, number, error,
             deleted, again, errno);
    }
}

void of_itimer() {
    auto *volatile set = real<int(int, const itimerval *, itimerval *)>("setitimer");
    const itimerval never = {}, once = {{0, 0}, {9, 0}}, often = {{7, 0}, {9, 0}};
    const itimerval odd = {{7, 2000000}, {9, 0}};
    for (int clock : {(int)ITIMER_REAL, (int)ITIMER_VIRTUAL, (int)ITIMER_PROF, 3, -1}) {
        for (const itimerval *wanted :
             {&often, &once, &odd, &often, (const itimerval *)NULL, &never}) {
            itimerval before = {{77, 77}, {77, 77}};
            errno = 77;
            int result = set(clock, wanted, &before);
            LINE("(%d, %ld): %d errno %d interval before %ld", clock,
                 wanted ? (long)wanted->it_interval.tv_sec : -1, result, errno,
                 (long)before.it_interval.tv_sec);
        }
    }
    errno = 77;
    int result = set(ITIMER_REAL, (const itimerval *)8, NULL);
    LINE("(bad address): %d errno %d", result, errno);
}

// sem_open and sem_close.
void of_semaphore() {
    auto *volatile open_one = real<sem_t *(const char *, int, ...)>("sem_open");
    auto *volatile close_one = real<int(sem_t *)>("sem_close");
    char name[50];
    snprintf(name, sizeof name, "/silt-hook-cases-%d", getpid());
    for (const char *wanted : {(const char *)name, "/no-such-semaphore", "", "/a/b"}) {
        for (int flags : {0, O_CREAT, O_CREAT | O_EXCL}) {
            if (flags && wanted != name) {
                continue;
            }
            errno = 77;
            sem_t *one = open_one(wanted, flags, (mode_t)0600, 3u);
            LINE("(%s, %x): %s errno %d", wanted == name ? "name" : wanted, flags,
                 one != SEM_FAILED ? "open" : "failed", errno);
            if (one == SEM_FAILED) {
                continue;
            }
            int value = -1;
            sem_getvalue(one, &value);
            sem_t *same = open_one(wanted, 0);
            errno = 77;
            int once = close_one(same), twice = close_one(one);
            LINE("  value %d same %d closed %d %d errno %d", value, same == one, once, twice,
                 errno);
        }
    }
    sem_unlink(name);
    sem_t never = {};
    errno = 77;
    int result = close_one(&never);
    LINE("(not open): %d errno %d", result, errno);
}

void of_locale() {
    bool plain = !has("__");
    auto *volatile make =
        real<locale_t(int, const char *, locale_t)>(plain ? "newlocale" : "__newlocale");
    auto *volatile copy = real<locale_t(locale_t)>(plain ? "duplocale" : "__duplocale");
    auto *volatile remove = real<void(locale_t)>(plain ? "freelocale" : "__freelocale");
    locale_t none = (locale_t)0, c = make(LC_ALL_MASK, "C", none);
    for (const char *wanted : {"C", "POSIX", "C.UTF-8", "no_SUCH", ""}) {
        for (int mask : {LC_ALL_MASK, LC_CTYPE_MASK, 1 << 30}) {
            errno = 77;
            locale_t one = make(mask, wanted, none);
            LINE("(%x, %s): %d C %d errno %d", mask, wanted, one != none, one == c, errno);
            if (!one) {
                continue;
            }
            locale_t two = copy(one);
            locale_t three = make(LC_TIME_MASK, "C", two);
            LINE("  copy %d C %d changed %d", two != none, two == c, three == two);
            errno = 77;
            remove(three);
            remove(one);
            LINE("  freed errno %d", errno);
        }
    }
    locale_t global = copy(LC_GLOBAL_LOCALE);
    LINE("(global): %d", global != none);
    remove(global);
}

// shmat and shmdt.
void of_segment() {
    auto *volatile attach = real<void *(int, const void *, int)>("shmat");
    auto *volatile detach = real<int(const void *)>("shmdt");
    int id = shmget(IPC_PRIVATE, 3 * page + 1, IPC_CREAT | 0600);
    for (int flags : {0, SHM_RDONLY}) {
        errno = 77;
        char *at = (char *)attach(id, NULL, flags), *again = (char *)attach(id, NULL, flags);
        LINE("(flags %x): %d errno %d", flags, at != (char *)-1, errno);
        if (!flags) {
            at[3 * page] = 7;
        }
        int seen = again[3 * page];
        errno = 77;
        int once = detach(at), twice = detach(at), inside = detach(again + page),
            last = detach(again);
        LINE("  seen %d detached %d %d %d %d errno %d", seen, once, twice, inside, last, errno);
    }
    errno = 77;
    LINE("(at 1): %d errno %d", attach(id, (void *)1, 0) == (void *)-1, errno);
    shmctl(id, IPC_RMID, NULL);
    errno = 77;
    LINE("(gone): %d errno %d", attach(id, NULL, 0) == (void *)-1, errno);
}

// ---- new images ----

// Arguments that end in NULL, and an environment without what silt puts there.
char *const arguments[] = {(char *)"sh",
                           (char *)"-c",
                           (char *)"echo \"  ran $0 $# $SEEN ${SILT_SEEN-none}\"; exit 9",
                           (char *)"zero \t*",
                           (char *)"one",
                           NULL};
char *const surroundings[] = {(char *)"SEEN=yes", (char *)"PATH=/usr/bin:/bin", NULL};

void of_exec() {
    char folder[] = "/tmp/silt-hook-cases-XXXXXX", empty[100], text_file[100], script[100];
    if (!mkdtemp(folder) || setenv("SEEN", "inherited", 1) != 0) {
        exit(2);
    }
    snprintf(empty, sizeof empty, "%s/empty", folder);
    snprintf(text_file, sizeof text_file, "%s/text", folder);
    snprintf(script, sizeof script, "%s/script", folder);
    close(open(empty, O_CREAT | O_WRONLY, 0700));
    close(open(text_file, O_CREAT | O_WRONLY, 0600));
    int number = open(script, O_CREAT | O_WRONLY, 0700);
    const char *line = "#!/bin/sh\necho \"  script $# $1\"\nexit 8\n";
    if (write(number, line, strlen(line)) < 0) {
        exit(2);
    }
    close(number);
    struct {
        const char *name, *path;
    } images[] = {{"sh", "/bin/sh"},
                  {"sh by name", "sh"},
                  {"nothing", "/nonexistent/x"},
                  {"no name", ""},
                  {"folder", "/"},
                  {"empty file", empty},
                  {"text", text_file},
                  {"script", script},
                  {"below a file", "/etc/passwd/x"},
                  {"bad address", (const char *)1}};
    for (auto image : images) {
        const char *path = image.path;
        bool searches = has("execvp") || has("execlp") || has("spawnp");
        // These look at the path before they call the kernel.
        if (path == (const char *)1 && (searches || has("fexecve"))) {
            continue;
        }
        in_child(image.name, [&] {
            errno = 77;
            long result = 0;
            int open_one = has("fexecve") || has("execveat") ? open(path, O_PATH) : -1;
            if (!strcmp(hook, "execve") || !strcmp(hook, "execvpe")) {
                result = real<int(const char *, char *const *, char *const *)>(hook)(
                    path, arguments, surroundings);
            } else if (!strcmp(hook, "execv") || !strcmp(hook, "execvp")) {
                result = real<int(const char *, char *const *)>(hook)(path, arguments);
            } else if (!strcmp(hook, "execl") || !strcmp(hook, "execlp")) {
                auto *function = real<int(const char *, const char *, ...)>(hook);
                result = function(path, "sh", arguments[1], arguments[2], "l0", "l1", "l2", "l3",
                                  "l4", (char *)NULL);
            } else if (!strcmp(hook, "execle")) {
                auto *function = real<int(const char *, const char *, ...)>(hook);
                result = function(path, "sh", arguments[1], arguments[2], "e0", "e1", (char *)NULL,
                                  surroundings);
            } else if (!strcmp(hook, "fexecve")) {
                result = real<int(int, char *const *, char *const *)>(hook)(open_one, arguments,
                                                                            surroundings);
            } else if (!strcmp(hook, "execveat")) {
                auto *function =
                    real<int(int, const char *, char *const *, char *const *, int)>(hook);
                result = function(open_one, "", arguments, surroundings, AT_EMPTY_PATH);
            } else {
                auto *older = has("spawnp") ? old_spawnp : old_spawn;
                for (auto *function : {real<__typeof__(posix_spawn)>(hook), older}) {
                    pid_t child = 0;
                    result = function(&child, path, NULL, NULL, arguments, surroundings);
                    int status = 0;
                    bool ended = result == 0 && waitpid(child, &status, 0) == child;
                    LINE("(%s, %s): %ld errno %d child %d status %x", image.name,
                         function == older ? "old" : "new", result, errno, ended, status);
                }
                return;
            }
            LINE("(%s): %ld errno %d", image.name, result, errno);
        });
    }
    for (const char *path : {empty, text_file, script, folder}) {
        remove(path);
    }
}

void of_system() {
    auto *volatile function = real<int(const char *)>(hook);
    for (const char *line :
         {(const char *)NULL, "exit 3", "kill -9 $$", "no-such-program-here 2> /dev/null", ""}) {
        errno = 77;
        int result = function(line);
        LINE("(%s): %x errno %d", line ? line : "NULL", result, errno);
    }
}

void of_popen() {
    auto *volatile function = real<FILE *(const char *, const char *)>(hook);
    for (const char *mode : {"r", "w", "re", "x", ""}) {
        errno = 77;
        FILE *pipe = function("exit 5", mode);
        int error = errno;
        LINE("(%s): %s errno %d status %x", mode, pipe ? "pipe" : "null", error,
             pipe ? pclose(pipe) : 0);
    }
}

// fork, vfork and _Fork.
void of_fork() {
    auto *volatile function = real<pid_t()>(hook);
    if (has("vfork")) {
        pid_t child = vfork();
        if (child == 0) {
            _exit(6);
        }
        int status = 0;
        waitpid(child, &status, 0);
        LINE("(): ended with %x", status);
        return;
    }
    fflush(stdout);
    errno = 77;
    pid_t child = function();
    if (child == 0) {
        void *block = malloc(100);
        free(block);
        _exit(block && errno == 77 ? 6 : 7);
    }
    int status = 0, error = errno;
    waitpid(child, &status, 0);
    LINE("(): ended with %x errno %d", status, error);
}

int cloned(void *argument) {
    _exit(*(int *)argument);
}

void of_clone() {
    auto *volatile function = real<int(int (*)(void *), void *, int, void *, ...)>(hook);
    static char stack[64 << 10] __attribute__((aligned(16)));
    for (int flags : {0, CLONE_VM, CLONE_VM | CLONE_VFORK, CLONE_FILES, CLONE_VM | CLONE_FILES,
                      CLONE_SIGHAND, CLONE_THREAD}) {
        int argument = 6, status = 0, result = 0;
        errno = 77;
        pid_t child = function(cloned, stack + sizeof stack, flags | SIGCHLD, &argument);
        int error = errno;
        if (child > 0) {
            result = waitpid(child, &status, 0) == child;
        }
        LINE("(%#x): %d errno %d ended %d with %x", flags, child > 0, error, result, status);
    }
    errno = 77;
    pid_t child = function(NULL, NULL, SIGCHLD, NULL);
    LINE("(NULL): %d errno %d", child, errno);
}

// ---- no memory ----

size_t address_space() {
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%zu", &pages) != 1) {
        exit(2);
    }
    fclose(file);
    return pages * page;
}

// Every function that takes memory, with 64 MiB more than the limit allows: which fails, how, and
// what is left.
void without_memory() {
    const size_t bytes = (size_t)128 << 20;
    rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    rlimit small = limit;
    small.rlim_cur = address_space() + bytes / 2;
    if (setrlimit(RLIMIT_AS, &small) != 0) {
        exit(2);
    }
    for (const char *name : {"malloc", "valloc", "pvalloc"}) {
        hook = name;
        errno = 77;
        show("(no memory)", real<void *(size_t)>(name)(bytes), bytes, 0);
    }
    for (const char *name : {"aligned_alloc", "memalign"}) {
        hook = name;
        errno = 77;
        show("(no memory)", real<void *(size_t, size_t)>(name)(64, bytes), bytes, 0);
    }
    hook = "calloc";
    errno = 77;
    show("(no memory)", real<void *(size_t, size_t)>(hook)(1024, bytes / 1024), bytes, 0);
    hook = "realloc";
    void *old = filled(5000);
    errno = 77;
    moved("(no memory)", 5000, bytes, old, real<void *(void *, size_t)>(hook)(old, bytes));
    hook = "reallocarray";
    old = filled(5000);
    errno = 77;
    moved("(no memory)", 5000, bytes, old,
          real<void *(void *, size_t, size_t)>(hook)(old, 1024, bytes / 1024));
    hook = "posix_memalign";
    char mark;
    void *block = &mark;
    errno = 77;
    int result = real<int(void **, size_t, size_t)>(hook)(&block, 64, bytes);
    LINE("(no memory): %d errno %d untouched %d", result, errno, block == &mark);
    for (const char *name : {"mmap", "mmap64"}) {
        hook = name;
        errno = 77;
        auto *function = real<void *(void *, size_t, int, int, int, off_t)>(hook);
        block = function(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        LINE("(no memory): %s errno %d", place(block, NULL), errno);
    }
    hook = "mremap";
    unsigned char *at = (unsigned char *)mmap(NULL, page, PROT_READ | PROT_WRITE,
                                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(at, 9, page);
    errno = 77;
    block = real<void *(void *, size_t, size_t, int, ...)>(hook)(at, page, bytes, MREMAP_MAYMOVE);
    LINE("(no memory): %s errno %d kept %d", place(block, NULL), errno, all(at, page, 9));
    for (const char *name : {"_Znwm", "_Znam"}) {
        hook = name;
        auto *volatile function = real<void *(size_t)>(hook);
        const char *thrown = "nothing";
        block = nullptr;
        try {
            block = function(bytes);
        } catch (const std::bad_alloc &) {
            thrown = "bad_alloc";
        }
        LINE("(no memory): %d thrown %s", block != nullptr, thrown);
    }
    for (const char *name : {"_ZnwmRKSt9nothrow_t", "_ZnamRKSt9nothrow_t"}) {
        hook = name;
        auto *volatile function = real<void *(size_t, const std::nothrow_t &)>(hook);
        errno = 77;
        block = function(bytes, std::nothrow);
        LINE("(no memory): %d errno %d", block != nullptr, errno);
    }
    setrlimit(RLIMIT_AS, &limit);
}

const struct {
    const char *name;
    void (*cases)();
} hooks[] = {
    {"malloc", of_malloc},
    {"calloc", of_calloc},
    {"realloc", of_realloc},
    {"reallocarray", of_reallocarray},
    {"free", of_free},
    {"free_sized", of_free_sized},
    {"free_aligned_sized", of_free_aligned_sized},
    {"posix_memalign", of_posix_memalign},
    {"aligned_alloc", of_aligned},
    {"memalign", of_aligned},
    {"valloc", of_pages},
    {"pvalloc", of_pages},
    {"malloc_usable_size", of_malloc_usable_size},
    {"_Znwm", of_operator_new},
    {"_Znam", of_operator_new},
    {"_ZnwmRKSt9nothrow_t", of_operator_new},
    {"_ZnamRKSt9nothrow_t", of_operator_new},
    {"_ZnwmSt11align_val_t", of_operator_new},
    {"_ZnamSt11align_val_t", of_operator_new},
    {"_ZnwmSt11align_val_tRKSt9nothrow_t", of_operator_new},
    {"_ZnamSt11align_val_tRKSt9nothrow_t", of_operator_new},
    {"_ZdlPv", of_operator_delete},
    {"_ZdaPv", of_operator_delete},
    {"_ZdlPvRKSt9nothrow_t", of_operator_delete},
    {"_ZdaPvRKSt9nothrow_t", of_operator_delete},
    {"_ZdlPvm", of_operator_delete},
    {"_ZdaPvm", of_operator_delete},
    {"_ZdlPvSt11align_val_t", of_operator_delete},
    {"_ZdaPvSt11align_val_t", of_operator_delete},
    {"_ZdlPvSt11align_val_tRKSt9nothrow_t", of_operator_delete},
    {"_ZdaPvSt11align_val_tRKSt9nothrow_t", of_operator_delete},
    {"_ZdlPvmSt11align_val_t", of_operator_delete},
    {"_ZdaPvmSt11align_val_t", of_operator_delete},
    {"mmap", of_mmap},
    {"mmap64", of_mmap},
    {"munmap", of_munmap},
    {"mremap", of_mremap},
    {"mprotect", of_mprotect},
    {"pkey_mprotect", of_pkey_mprotect},
    {"brk", of_brk},
    {"sbrk", of_sbrk},
    {"dlopen", of_dlopen},
    {"dlsym", of_dlsym},
    {"pthread_key_create", of_pthread_key_create},
    {"tss_create", of_tss_create},
    {"pthread_create", of_pthread_create},
    {"pthread_detach", of_pthread_detach},
    {"pthread_join", of_pthread_join},
    {"pthread_tryjoin_np", of_pthread_join},
    {"pthread_timedjoin_np", of_pthread_join},
    {"pthread_clockjoin_np", of_pthread_join},
    {"thrd_create", of_thrd},
    {"thrd_detach", of_thrd},
    {"thrd_join", of_thrd},
    {"timer_create", of_timer},
    {"timer_delete", of_timer},
    {"setitimer", of_itimer},
    {"sem_open", of_semaphore},
    {"sem_close", of_semaphore},
    {"newlocale", of_locale},
    {"__newlocale", of_locale},
    {"duplocale", of_locale},
    {"__duplocale", of_locale},
    {"freelocale", of_locale},
    {"__freelocale", of_locale},
    {"shmat", of_segment},
    {"shmdt", of_segment},
    {"dlclose", of_dlclose},
    {"close", of_close},
    {"dup2", of_dup2},
    {"dup3", of_dup2},
    {"close_range", of_close_range},
    {"closefrom", of_closefrom},
    {"open", of_open},
    {"open64", of_open},
    {"__open_2", of_open},
    {"__open64_2", of_open},
    {"openat", of_open},
    {"openat64", of_open},
    {"__openat_2", of_open},
    {"__openat64_2", of_open},
    {"creat", of_creat},
    {"creat64", of_creat},
    {"socket", of_socket},
    {"socketpair", of_socket},
    {"accept", of_accept},
    {"accept4", of_accept},
    {"pipe", of_pipe},
    {"pipe2", of_pipe},
    {"dup", of_number},
    {"fcntl", of_fcntl},
    {"fcntl64", of_fcntl},
    {"eventfd", of_numbers},
    {"epoll_create", of_number},
    {"epoll_create1", of_number},
    {"timerfd_create", of_numbers},
    {"signalfd", of_signalfd},
    {"inotify_init", of_inotify_init},
    {"inotify_init1", of_number},
    {"fanotify_init", of_fanotify_init},
    {"memfd_create", of_memfd_create},
    {"pidfd_open", of_numbers},
    {"mkstemp", of_mkstemp},
    {"mkstemp64", of_mkstemp},
    {"mkostemp", of_mkstemp},
    {"mkostemp64", of_mkstemp},
    {"mkstemps", of_mkstemp},
    {"mkstemps64", of_mkstemp},
    {"mkostemps", of_mkstemp},
    {"mkostemps64", of_mkstemp},
    {"shm_open", of_shm_open},
    {"mq_open", of_mq},
    {"mq_close", of_mq},
    {"posix_openpt", of_number},
    {"fopen", of_fopen},
    {"fopen64", of_fopen},
    {"freopen", of_freopen},
    {"freopen64", of_freopen},
    {"tmpfile", of_tmpfile},
    {"tmpfile64", of_tmpfile},
    {"fclose", of_fclose},
    {"pclose", of_fclose},
    {"opendir", of_folder},
    {"closedir", of_folder},
    {"recvmsg", of_recvmsg},
    {"recvmmsg", of_recvmsg},
    {"prctl", of_prctl},
    {"syscall", of_syscall},
    {"execve", of_exec},
    {"execv", of_exec},
    {"execvp", of_exec},
    {"execvpe", of_exec},
    {"execl", of_exec},
    {"execlp", of_exec},
    {"execle", of_exec},
    {"fexecve", of_exec},
    {"execveat", of_exec},
    {"posix_spawn", of_exec},
    {"posix_spawnp", of_exec},
    {"system", of_system},
    {"popen", of_popen},
    {"fork", of_fork},
    {"vfork", of_fork},
    {"_Fork", of_fork},
    {"clone", of_clone},
};

} // namespace

int main(int count, char **names) {
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);
    if (count == 2 && !strcmp(names[1], "list")) {
        for (auto &one : hooks) {
            puts(one.name);
        }
        return 0;
    }
    for (auto &one : hooks) {
        hook = one.name;
        bool wanted = false;
        for (int i = 1; i < count; i++) {
            wanted = wanted || !strcmp(names[i], one.name);
        }
        if (wanted) {
            one.cases();
        } else if (count == 1) {
            in_child("all cases", one.cases);
        }
    }
    if (count == 1) {
        without_memory();
    }
    return 0;
}
