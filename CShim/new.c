/*
 * new.c: C++ operator new and delete (ISO C++ 17.6.3), for allocators that define their own.
 *
 * The operators of libstdc++ and libc++ call malloc and free: those events are recorded there, so
 * these hooks jump on and leave no frame behind. tcmalloc, jemalloc and mimalloc define operators
 * that never call malloc: where the next operator lies in the module of the real malloc, it is
 * recorded here.
 *
 * A C++ library that was opened RTLD_LOCAL by a C program finds our names first, though no
 * definition follows us in the global scope. Then the one that the loader would have found from the
 * calling module is looked up, and kept for that module.
 */
#define _GNU_SOURCE
#include "aside.h"
#include "silt_internal.h"
#include "system.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>

/* clang-format off */
#define OPERATORS(X)                                                            \
    X(Znwm) X(ZnwmRKSt9nothrow_t)                                               \
    X(Znam) X(ZnamRKSt9nothrow_t)                                               \
    X(ZnwmSt11align_val_t) X(ZnwmSt11align_val_tRKSt9nothrow_t)                 \
    X(ZnamSt11align_val_t) X(ZnamSt11align_val_tRKSt9nothrow_t)                 \
    X(ZdlPv) X(ZdlPvRKSt9nothrow_t) X(ZdlPvm)                                   \
    X(ZdaPv) X(ZdaPvRKSt9nothrow_t) X(ZdaPvm)                                   \
    X(ZdlPvSt11align_val_t) X(ZdlPvSt11align_val_tRKSt9nothrow_t) X(ZdlPvmSt11align_val_t) \
    X(ZdaPvSt11align_val_t) X(ZdaPvSt11align_val_tRKSt9nothrow_t) X(ZdaPvmSt11align_val_t)
/* clang-format on */

#define AS_INDEX(name) AT_##name,
#define AS_TEXT(name)  "_" #name,
enum operator_index { OPERATORS(AS_INDEX) OPERATOR_COUNT };
static const char *const names[OPERATOR_COUNT] = {OPERATORS(AS_TEXT)};

/* The next definition in the global scope; complete before recording starts. */
static struct {
    void *function;
    bool owned; /* by the allocator: recorded here */
} operators[OPERATOR_COUNT];

void silt_find_operators(void) {
    for (unsigned i = 0; i < OPERATOR_COUNT; i++) {
        void *function = silt_next(names[i]);
        if (!function && i == AT_Znwm) {
            return; /* no C++ runtime in the global scope */
        }
        operators[i].function = function;
        operators[i].owned = function && (uintptr_t)function - silt_allocator_start <
                                             silt_allocator_end - silt_allocator_start;
    }
}

/* ---- definitions outside of the global scope ---- */

#define KEPT 1024 /* a power of two; calling modules beyond that are looked up each time */

/* By calling module; an entry's module is set last. Forgotten as a whole when a module goes: what
 * they point to may have gone with it. */
static struct kept {
    const struct link_map *module;
    void *functions[OPERATOR_COUNT];
} kept[KEPT];
static uint32_t kept_count;
static uint32_t keeping;

static inline size_t kept_slot(const struct link_map *module) {
    return ((uintptr_t)module >> 4) * 0x9E3779B97F4A7C15ull >> 54;
}

void silt_operators_forget(void) {
    if (!kept_count) {
        return;
    }
    while (__atomic_exchange_n(&keeping, 1, __ATOMIC_ACQUIRE)) {
        silt_rest(&keeping);
    }
    for (unsigned i = 0; i < KEPT; i++) {
        __atomic_store_n(&kept[i].module, NULL, __ATOMIC_RELEASE);
    }
    kept_count = 0;
    __atomic_store_n(&keeping, 0, __ATOMIC_RELEASE);
}

void silt_operators_unlock(void) {
    keeping = 0;
}

static void keep(const struct link_map *module, void *const *functions) {
    if (kept_count > KEPT / 2 || __atomic_exchange_n(&keeping, 1, __ATOMIC_ACQUIRE)) {
        return;
    }
    size_t slot = kept_slot(module);
    while (kept[slot].module && kept[slot].module != module) {
        slot = (slot + 1) % KEPT;
    }
    if (!kept[slot].module) {
        for (unsigned i = 0; i < OPERATOR_COUNT; i++) {
            kept[slot].functions[i] = functions[i];
        }
        __atomic_store_n(&kept[slot].module, module, __ATOMIC_RELEASE);
        kept_count++;
    }
    __atomic_store_n(&keeping, 0, __ATOMIC_RELEASE);
}

static uintptr_t look_up(const struct silt_origin *origin, uintptr_t of, uintptr_t index,
                         uintptr_t unused) {
    const struct link_map *module = (const struct link_map *)of;
    void *functions[OPERATOR_COUNT] = {0};
    (void)origin, (void)unused;
    silt_lookup(module, names, functions, OPERATOR_COUNT);
    keep(module, functions);
    return (uintptr_t)functions[index];
}

/* In a hook whose caller returns to `caller`. NULL when there is no operator at all. */
__attribute__((noinline)) static void *find_local(uint32_t index, const void *caller) {
    struct dl_find_object found;
    if (_dl_find_object((void *)caller, &found) != 0) {
        return NULL;
    }
    const struct link_map *module = found.dlfo_link_map, *there;
    for (size_t slot = kept_slot(module);; slot = (slot + 1) % KEPT) {
        there = __atomic_load_n(&kept[slot].module, __ATOMIC_ACQUIRE);
        if (there == module) {
            return kept[slot].functions[index];
        }
        if (!there) {
            break;
        }
    }
    return (void *)silt_aside(look_up, (uintptr_t)module, index, 0);
}

static inline void *operator_of(uint32_t index, const void *caller) {
    void *function = operators[index].function;
    if (SILT_UNLIKELY(!function)) {
        if (!silt_real.malloc) {
            silt_wake_up();
        }
        function =
            operators[index].function ? operators[index].function : find_local(index, caller);
    }
    return function;
}

/* ---- the hooks ---- */

static void *without_runtime(size_t bytes, size_t align) {
    void *block = NULL;
    if (align <= 16) {
        return malloc(bytes ? bytes : 1);
    }
    int saved = errno;
    int result = posix_memalign(&block, align, bytes);
    errno = result ? result : saved;
    return result ? NULL : block;
}

/* An operator new may throw, and may call a handler of the program's (set_new_handler): so nothing
 * is marked as under way meanwhile, and one that does call malloc or aligned_alloc (jemalloc's
 * aligned forms) has been recorded there. */
#define NEW_HOOK(name, parameters, types, arguments, bytes, align)                                 \
    SILT_EXPORT void *_##name parameters {                                                         \
        void *(*function)types =                                                                   \
            (void *(*)types)operator_of(AT_##name, __builtin_return_address(0));                   \
        if (SILT_UNLIKELY(!function)) {                                                            \
            return without_runtime(bytes, align);                                                  \
        }                                                                                          \
        if (SILT_LIKELY(!operators[AT_##name].owned)) {                                            \
            return function arguments;                                                             \
        }                                                                                          \
        uint64_t since = silt_position();                                                          \
        void *block = function arguments;                                                          \
        if (block) {                                                                               \
            silt_record_alloc_once(block, bytes, __builtin_frame_address(0), since);               \
        }                                                                                          \
        return block;                                                                              \
    }

#define DELETE_HOOK(name, parameters, types, arguments)                                            \
    SILT_EXPORT void _##name parameters {                                                          \
        if (SILT_UNLIKELY(silt_is_early(block))) {                                                 \
            return;                                                                                \
        }                                                                                          \
        void(*function) types =                                                                    \
            (void(*) types)operator_of(AT_##name, __builtin_return_address(0));                    \
        if (SILT_UNLIKELY(!function)) {                                                            \
            free(block);                                                                           \
            return;                                                                                \
        }                                                                                          \
        if (SILT_LIKELY(!operators[AT_##name].owned)) {                                            \
            function arguments;                                                                    \
            return;                                                                                \
        }                                                                                          \
        if (block) {                                                                               \
            silt_record_free(block, __builtin_frame_address(0));                                   \
        }                                                                                          \
        uint32_t before = silt_into_real(__builtin_frame_address(0));                              \
        function arguments;                                                                        \
        silt_leave(before);                                                                        \
    }

NEW_HOOK(Znwm, (size_t bytes), (size_t), (bytes), bytes, 0)
NEW_HOOK(Znam, (size_t bytes), (size_t), (bytes), bytes, 0)
NEW_HOOK(ZnwmRKSt9nothrow_t, (size_t bytes, const void *tag), (size_t, const void *), (bytes, tag),
         bytes, 0)
NEW_HOOK(ZnamRKSt9nothrow_t, (size_t bytes, const void *tag), (size_t, const void *), (bytes, tag),
         bytes, 0)
NEW_HOOK(ZnwmSt11align_val_t, (size_t bytes, size_t align), (size_t, size_t), (bytes, align), bytes,
         align)
NEW_HOOK(ZnamSt11align_val_t, (size_t bytes, size_t align), (size_t, size_t), (bytes, align), bytes,
         align)
NEW_HOOK(ZnwmSt11align_val_tRKSt9nothrow_t, (size_t bytes, size_t align, const void *tag),
         (size_t, size_t, const void *), (bytes, align, tag), bytes, align)
NEW_HOOK(ZnamSt11align_val_tRKSt9nothrow_t, (size_t bytes, size_t align, const void *tag),
         (size_t, size_t, const void *), (bytes, align, tag), bytes, align)

DELETE_HOOK(ZdlPv, (void *block), (void *), (block))
DELETE_HOOK(ZdaPv, (void *block), (void *), (block))
DELETE_HOOK(ZdlPvRKSt9nothrow_t, (void *block, const void *tag), (void *, const void *),
            (block, tag))
DELETE_HOOK(ZdaPvRKSt9nothrow_t, (void *block, const void *tag), (void *, const void *),
            (block, tag))
DELETE_HOOK(ZdlPvm, (void *block, size_t bytes), (void *, size_t), (block, bytes))
DELETE_HOOK(ZdaPvm, (void *block, size_t bytes), (void *, size_t), (block, bytes))
DELETE_HOOK(ZdlPvSt11align_val_t, (void *block, size_t align), (void *, size_t), (block, align))
DELETE_HOOK(ZdaPvSt11align_val_t, (void *block, size_t align), (void *, size_t), (block, align))
DELETE_HOOK(ZdlPvSt11align_val_tRKSt9nothrow_t, (void *block, size_t align, const void *tag),
            (void *, size_t, const void *), (block, align, tag))
DELETE_HOOK(ZdaPvSt11align_val_tRKSt9nothrow_t, (void *block, size_t align, const void *tag),
            (void *, size_t, const void *), (block, align, tag))
DELETE_HOOK(ZdlPvmSt11align_val_t, (void *block, size_t bytes, size_t align),
            (void *, size_t, size_t), (block, bytes, align))
DELETE_HOOK(ZdaPvmSt11align_val_t, (void *block, size_t bytes, size_t align),
            (void *, size_t, size_t), (block, bytes, align))
