/*
 * forward.c: a preload library that only forwards malloc and its kin to the next definition: what
 * interposing alone costs.
 *
 *   cc -O2 -shared -fPIC -ftls-model=initial-exec -o forward.so forward.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void *(*next_reallocarray)(void *, size_t, size_t);
static void (*next_free)(void *);
static int (*next_posix_memalign)(void **, size_t, size_t);
static void *(*next_aligned_alloc)(size_t, size_t);
static void *(*next_memalign)(size_t, size_t);
static void *(*next_valloc)(size_t);
static void *(*next_pvalloc)(size_t);

/* Blocks asked for before the next definitions are known (by dlsym itself); never given back. */
static char early[1 << 16] __attribute__((aligned(16)));
static size_t early_used;

static void *early_block(size_t bytes) {
    size_t rounded = (bytes + 15) & ~(size_t)15;
    if (rounded > sizeof early - early_used) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = early + early_used;
    early_used += rounded;
    return block;
}

static int is_early(const void *block) {
    uintptr_t at = (uintptr_t)block, start = (uintptr_t)early;
    return at >= start && at < start + sizeof early;
}

__attribute__((constructor)) static void find_next(void) {
    if (next_free) {
        return;
    }
    next_malloc = dlsym(RTLD_NEXT, "malloc");
    next_calloc = dlsym(RTLD_NEXT, "calloc");
    next_realloc = dlsym(RTLD_NEXT, "realloc");
    next_reallocarray = dlsym(RTLD_NEXT, "reallocarray");
    next_posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
    next_aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
    next_memalign = dlsym(RTLD_NEXT, "memalign");
    next_valloc = dlsym(RTLD_NEXT, "valloc");
    next_pvalloc = dlsym(RTLD_NEXT, "pvalloc");
    next_free = dlsym(RTLD_NEXT, "free");
}

static int finding;

static void prepare(void) {
    if (!finding) {
        finding = 1;
        find_next();
    }
}

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

void *malloc(size_t bytes) {
    if (UNLIKELY(!next_malloc)) {
        prepare();
        if (!next_malloc) {
            return early_block(bytes);
        }
    }
    return next_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
    if (UNLIKELY(!next_calloc)) {
        prepare();
        if (!next_calloc) {
            return early_block(count * bytes);
        }
    }
    return next_calloc(count, bytes);
}

void free(void *block) {
    if (UNLIKELY(!next_free || is_early(block))) {
        return;
    }
    next_free(block);
}

static void *moved(void *old, size_t bytes) {
    void *block = malloc(bytes);
    size_t left = (size_t)(early + sizeof early - (char *)old);
    if (block) {
        memcpy(block, old, bytes < left ? bytes : left);
    }
    return block;
}

void *realloc(void *old, size_t bytes) {
    if (UNLIKELY(!next_realloc || is_early(old))) {
        return old ? moved(old, bytes) : malloc(bytes);
    }
    return next_realloc(old, bytes);
}

void *reallocarray(void *old, size_t count, size_t bytes) {
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    if (UNLIKELY(!next_reallocarray || is_early(old))) {
        return realloc(old, all);
    }
    return next_reallocarray(old, count, bytes);
}

int posix_memalign(void **block, size_t align, size_t bytes) {
    prepare();
    return next_posix_memalign(block, align, bytes);
}

void *aligned_alloc(size_t align, size_t bytes) {
    prepare();
    return next_aligned_alloc(align, bytes);
}

void *memalign(size_t align, size_t bytes) {
    prepare();
    return next_memalign(align, bytes);
}

void *valloc(size_t bytes) {
    prepare();
    return next_valloc(bytes);
}

void *pvalloc(size_t bytes) {
    prepare();
    return next_pvalloc(bytes);
}
