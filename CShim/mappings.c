/*
 * mappings.c: mmap, munmap, mremap, mprotect and the moves of the program break, as the program
 * calls them. The C library's own allocator does not call them by these names. Calls of another
 * allocator are recognized by the return address, and are not recorded. What is executable is
 * remembered (generated.c), whoever calls.
 *
 * An allocator may call these with its locks held, before anything is initialized. So they make the
 * system call themselves, unless a library of the user's has put itself in front of the C
 * library's (real.h), look nothing up and take no lock but that of the list of what is
 * executable, under which nothing of the program's runs.
 */
#define _GNU_SOURCE
#include "capture.h"
#include "generated.h"
#include "hooks.h"
#include "image.h"
#include "real.h"
#include "rules.h"
#include "sandbox.h"
#include "start.h"
#include "system.h"
#include "walker.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

#define CALLER() ((uintptr_t)__builtin_return_address(0))

/* What the next definition answers where that is the user's own, else the system call: an address
 * or a negative errno. */
#define NEXT_OR_CALL(name, arguments, raw)                                                         \
    (SILT_UNLIKELY(silt_wrapped.name) ? answer_of((long)silt_real.name arguments) : (raw))

static long answer_of(long result) {
    return result == -1 ? -(long)errno : result;
}

/* What was executable may not be any more. */
static bool drop_generated(uintptr_t start, uintptr_t end) {
    bool known = silt_generated_drop(start, end);
    if (known) {
        silt_rules_doubt();
    }
    return known;
}

/* A range has been mapped or protected anew. */
static void take_protection(long address, size_t length, int prot) {
    uintptr_t start = (uintptr_t)address, end = start + silt_whole_pages(length);
    if (SILT_UNLIKELY(prot & PROT_EXEC) && silt_phase != SILT_PHASE_OFF) {
        silt_generated_add(start, end);
    } else {
        drop_generated(start, end);
    }
}

static __attribute__((noinline)) struct silt_sink *enter(const void *frame, uintptr_t caller,
                                                         uint32_t *before) {
    if (caller - silt_allocator_start < silt_allocator_end - silt_allocator_start ||
        (!*silt_live && !silt_wake_child())) {
        return NULL;
    }
    return silt_enter(frame, before);
}

/* A range is about to go: recorded before, since another thread may get it at once. */
static bool record_unmap(void *address, size_t length, const void *frame, uintptr_t caller) {
    uint32_t before;
    struct silt_sink *sink = enter(frame, caller, &before);
    if (!sink) {
        return false;
    }
    __atomic_fetch_add(&silt_walker_unmaps, 1, __ATOMIC_RELAXED);
    uint64_t payload[2] = {(uintptr_t)address, length};
    silt_emit_event(sink, SILT_X_UNMAP, SILT_MAPPING_SHARD, payload, 2);
    silt_leave(before);
    return true;
}

static __attribute__((noinline)) void emit_map(struct silt_sink *sink, uint32_t type,
                                               uint64_t address, uint64_t length, uint64_t flags,
                                               uint64_t stack) {
    if (type == SILT_X_MAP) {
        uint64_t payload[4] = {address, length, flags, stack};
        silt_emit_event(sink, type, SILT_MAPPING_SHARD, payload, 4);
    } else {
        uint64_t payload[3] = {address, length, stack};
        silt_emit_event(sink, type, SILT_MAPPING_SHARD, payload, 3);
    }
}

/* Inlined: a mapping may be made where little stack is left. */
static inline __attribute__((always_inline)) void record_map(uint32_t type, void *address,
                                                             size_t length, uint64_t flags,
                                                             const void *frame, uintptr_t caller) {
    uint32_t before;
    struct silt_sink *sink = enter(frame, caller, &before);
    if (!sink) {
        return;
    }
    uint64_t stack = silt_walker_capture(sink->walker, frame, sink);
    sink->stacks++;
    emit_map(sink, type, (uintptr_t)address, length, flags, stack);
    silt_leave(before);
}

static inline __attribute__((always_inline)) void *
take_map(long at, size_t length, int prot, int flags, const void *frame, uintptr_t caller) {
    if (silt_call_failed(at)) {
        errno = (int)-at;
        return MAP_FAILED;
    }
    if (flags & MAP_FIXED) {
        __atomic_fetch_add(&silt_walker_unmaps, 1, __ATOMIC_RELAXED);
    }
    record_map(SILT_X_MAP, (void *)at, silt_whole_pages(length),
               (uint32_t)prot | (uint64_t)(uint32_t)flags << 32, frame, caller);
    take_protection(at, length, prot);
    return (void *)at;
}

#define MAP_HOOK(name)                                                                             \
    SILT_EXPORT void *name(void *address, size_t length, int prot, int flags, int fd,              \
                           off_t offset) {                                                         \
        if (SILT_UNLIKELY(silt_is_dispatched()) && silt_real.name) {                               \
            return silt_real.name(address, length, prot, flags, fd, offset);                       \
        }                                                                                          \
        long at = NEXT_OR_CALL(name, (address, length, prot, flags, fd, offset),                   \
                               silt_call(SYS_mmap, address, length, prot, flags, fd, offset));     \
        return take_map(at, length, prot, flags, FRAME(), CALLER());                               \
    }

MAP_HOOK(mmap)
MAP_HOOK(mmap64)

SILT_EXPORT int munmap(void *address, size_t length) {
    if (SILT_UNLIKELY(silt_is_dispatched()) && silt_real.munmap) {
        return silt_real.munmap(address, length);
    }
    /* What the kernel refuses for its arguments alone (munmap(2), EINVAL) is not an event. */
    bool sensible = ((uintptr_t)address & 4095) == 0 && length != 0 && length < (1ull << 47);
    bool recorded = sensible && record_unmap(address, silt_whole_pages(length), FRAME(), CALLER());
    if (sensible) {
        /* Before: another thread may get it at once. */
        drop_generated((uintptr_t)address, (uintptr_t)address + silt_whole_pages(length));
    }
    long result = NEXT_OR_CALL(munmap, (address, length), silt_call(SYS_munmap, address, length));
    if (!silt_call_failed(result)) {
        return 0;
    }
    if (recorded) {
        record_map(SILT_X_REMAP, address, silt_whole_pages(length), 0, FRAME(), CALLER());
    }
    errno = (int)-result;
    return -1;
}

SILT_EXPORT void *mremap(void *old, size_t old_length, size_t length, int flags, ...) {
    void *wanted = NULL;
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
        va_list arguments;
        va_start(arguments, flags);
        wanted = va_arg(arguments, void *);
        va_end(arguments);
    }
    if (SILT_UNLIKELY(silt_is_dispatched()) && silt_real.mremap) {
        return silt_real.mremap(old, old_length, length, flags, wanted);
    }
    /* old_length 0 makes a second mapping of a shared one, MREMAP_DONTUNMAP leaves the first. */
    bool goes = ((uintptr_t)old & 4095) == 0 && old_length != 0 && old_length < (1ull << 47) &&
                !(flags & MREMAP_DONTUNMAP);
    bool recorded = goes && record_unmap(old, silt_whole_pages(old_length), FRAME(), CALLER());
    uintptr_t start = (uintptr_t)old, end = start + (old_length ? silt_whole_pages(old_length) : 1);
    bool generated = goes ? drop_generated(start, end) : silt_is_generated(start, end);
    long at = NEXT_OR_CALL(mremap, (old, old_length, length, flags, wanted),
                           silt_call(SYS_mremap, old, old_length, length, flags, wanted));
    if (silt_call_failed(at)) {
        if (recorded) {
            record_map(SILT_X_REMAP, old, silt_whole_pages(old_length), 0, FRAME(), CALLER());
        }
        errno = (int)-at;
        return MAP_FAILED;
    }
    record_map(SILT_X_REMAP, (void *)at, silt_whole_pages(length), 0, FRAME(), CALLER());
    take_protection(at, length, generated ? PROT_EXEC : 0);
    return (void *)at;
}

/* What mprotect(2) answered. */
static int protect(long result, void *address, size_t length, int prot) {
    if (silt_call_failed(result)) {
        errno = (int)-result;
        return -1;
    }
    take_protection((long)(uintptr_t)address, length, prot);
    return 0;
}

SILT_EXPORT int mprotect(void *address, size_t length, int prot) {
    if (SILT_UNLIKELY(silt_is_dispatched()) && silt_real.mprotect) {
        return silt_real.mprotect(address, length, prot);
    }
    long result = NEXT_OR_CALL(mprotect, (address, length, prot),
                               silt_call(SYS_mprotect, address, length, prot));
    return protect(result, address, length, prot);
}

SILT_EXPORT int pkey_mprotect(void *address, size_t length, int prot, int key) {
    if (SILT_UNLIKELY(silt_is_dispatched()) && silt_real.pkey_mprotect) {
        return silt_real.pkey_mprotect(address, length, prot, key);
    }
    /* As the C library does: kernels without keys know the other call. */
    long result =
        NEXT_OR_CALL(pkey_mprotect, (address, length, prot, key),
                     key == -1 ? silt_call(SYS_mprotect, address, length, prot)
                               : silt_call(SYS_pkey_mprotect, address, length, prot, key));
    return protect(result, address, length, prot);
}

/* Where the C library takes the program break to be; NULL before its first move. */
extern void *__curbrk;

/* As the C library does: brk(2) answers where the break is. */
static int set_break(void *wanted) {
    if (SILT_UNLIKELY(silt_is_dispatched()) && silt_real.brk) {
        return silt_real.brk(wanted);
    }
    __curbrk = (void *)silt_call(SYS_brk, wanted);
    if (__curbrk < wanted) {
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

/* What lies between the old break and a new one is a mapping that came or went. */
static inline __attribute__((always_inline)) int move_break(void *wanted, const void *frame,
                                                            uintptr_t caller) {
    /* Nothing below the first break is of these calls; the kernel refuses what is far below. */
    static char *first;
    char *old = __curbrk, *to = wanted;
    if (!first) {
        first = old;
    }
    size_t shrinks = first && to >= first && to < old ? (size_t)(old - to) : 0;
    bool recorded = shrinks && record_unmap(to, shrinks, frame, caller);
    if (shrinks) {
        drop_generated((uintptr_t)to, (uintptr_t)old);
    }
    int result = set_break(wanted);
    char *now = __curbrk;
    if (old && now > old) {
        uint64_t kind = PROT_READ | PROT_WRITE | (uint64_t)(MAP_PRIVATE | MAP_ANONYMOUS) << 32;
        record_map(SILT_X_MAP, old, (size_t)(now - old), kind, frame, caller);
    } else if (recorded && now != to) {
        record_map(SILT_X_REMAP, to, shrinks, 0, frame, caller);
    } else if (!recorded && now < old) {
        record_unmap(now, (size_t)(old - now), frame, caller);
    }
    return result;
}

SILT_EXPORT int brk(void *wanted) {
    return move_break(wanted, FRAME(), CALLER());
}

SILT_EXPORT void *sbrk(intptr_t increment) {
    if (!__curbrk && set_break(NULL)) {
        return (void *)-1;
    }
    char *old = __curbrk;
    if (increment == 0) {
        return old;
    }
    uintptr_t wanted = (uintptr_t)old + (uintptr_t)increment;
    if (increment > 0 ? wanted < (uintptr_t)old : wanted > (uintptr_t)old) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return move_break((void *)wanted, FRAME(), CALLER()) ? (void *)-1 : old;
}
