/*
 * new.c: C++ operator new and delete (ISO C++ 17.6.3), for allocators that define their own.
 *
 * The operators of libstdc++ and libc++ call malloc and free: those events are recorded there, so
 * these hooks jump on and leave no frame behind. tcmalloc, jemalloc and mimalloc define operators
 * that never call malloc: where the next operator lies in the module of the real malloc, it is
 * recorded here.
 */
#define _GNU_SOURCE
#include "hooks.h"
#include "operators.h"
#include "start.h"

#include <errno.h>
#include <stdlib.h>

static inline void *operator_of(enum silt_operator_index index, const void *caller) {
    void *function = silt_operators[index].function;
    if (SILT_UNLIKELY(!function)) {
        if (!silt_real.malloc) {
            silt_wake_up();
        }
        function = silt_operators[index].function ? silt_operators[index].function
                                                  : silt_local_operator(index, caller);
    }
    return function;
}

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
#define NEW_HOOK(name, parameters, arguments, bytes, align)                                        \
    SILT_EXPORT void *name parameters {                                                            \
        void *(*function)parameters =                                                              \
            (void *(*)parameters)operator_of(SILT_AT_##name, __builtin_return_address(0));         \
        if (SILT_UNLIKELY(!function)) {                                                            \
            return without_runtime(bytes, align);                                                  \
        }                                                                                          \
        if (SILT_LIKELY(!silt_operators[SILT_AT_##name].owned)) {                                  \
            return function arguments;                                                             \
        }                                                                                          \
        uint64_t since = silt_position();                                                          \
        void *block = function arguments;                                                          \
        if (block) {                                                                               \
            silt_record_alloc_once(block, bytes, __builtin_frame_address(0), since);               \
        }                                                                                          \
        return block;                                                                              \
    }

#define DELETE_HOOK(name, parameters, arguments)                                                   \
    SILT_EXPORT void name parameters {                                                             \
        if (SILT_UNLIKELY(silt_is_early(block))) {                                                 \
            return;                                                                                \
        }                                                                                          \
        void(*function) parameters =                                                               \
            (void(*) parameters)operator_of(SILT_AT_##name, __builtin_return_address(0));          \
        if (SILT_UNLIKELY(!function)) {                                                            \
            free(block);                                                                           \
            return;                                                                                \
        }                                                                                          \
        if (SILT_LIKELY(!silt_operators[SILT_AT_##name].owned)) {                                  \
            function arguments;                                                                    \
            return;                                                                                \
        }                                                                                          \
        if (block) {                                                                               \
            silt_record_free(block, __builtin_frame_address(0), SILT_FREED);                       \
        }                                                                                          \
        uint32_t before = silt_into_real(__builtin_frame_address(0));                              \
        function arguments;                                                                        \
        silt_leave(before);                                                                        \
    }

NEW_HOOK(_Znwm, (size_t bytes), (bytes), bytes, 0)
NEW_HOOK(_Znam, (size_t bytes), (bytes), bytes, 0)
NEW_HOOK(_ZnwmRKSt9nothrow_t, (size_t bytes, const void *tag), (bytes, tag), bytes, 0)
NEW_HOOK(_ZnamRKSt9nothrow_t, (size_t bytes, const void *tag), (bytes, tag), bytes, 0)
NEW_HOOK(_ZnwmSt11align_val_t, (size_t bytes, size_t align), (bytes, align), bytes, align)
NEW_HOOK(_ZnamSt11align_val_t, (size_t bytes, size_t align), (bytes, align), bytes, align)
NEW_HOOK(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t bytes, size_t align, const void *tag),
         (bytes, align, tag), bytes, align)
NEW_HOOK(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t bytes, size_t align, const void *tag),
         (bytes, align, tag), bytes, align)

DELETE_HOOK(_ZdlPv, (void *block), (block))
DELETE_HOOK(_ZdaPv, (void *block), (block))
DELETE_HOOK(_ZdlPvRKSt9nothrow_t, (void *block, const void *tag), (block, tag))
DELETE_HOOK(_ZdaPvRKSt9nothrow_t, (void *block, const void *tag), (block, tag))
DELETE_HOOK(_ZdlPvm, (void *block, size_t bytes), (block, bytes))
DELETE_HOOK(_ZdaPvm, (void *block, size_t bytes), (block, bytes))
DELETE_HOOK(_ZdlPvSt11align_val_t, (void *block, size_t align), (block, align))
DELETE_HOOK(_ZdaPvSt11align_val_t, (void *block, size_t align), (block, align))
DELETE_HOOK(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *block, size_t align, const void *tag),
            (block, align, tag))
DELETE_HOOK(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *block, size_t align, const void *tag),
            (block, align, tag))
DELETE_HOOK(_ZdlPvmSt11align_val_t, (void *block, size_t bytes, size_t align),
            (block, bytes, align))
DELETE_HOOK(_ZdaPvmSt11align_val_t, (void *block, size_t bytes, size_t align),
            (block, bytes, align))
