/* real.c: finds the next allocator; serves calls that arrive before it is found. */
#define _GNU_SOURCE
#include "silt_internal.h"

#include <dlfcn.h>
#include <string.h>

struct silt_real silt_real;

/* Static memory for what is called while the real allocator is looked for. Never given back; far
 * more than they were seen to need. */
static _Alignas(4096) uint8_t early[256u << 10];
static _Atomic size_t early_used;

/* At start, before the real allocator is known: 16-byte header with the size, then the block. NULL
 * when used up. */
void *silt_early_alloc(size_t align, size_t bytes) {
    if (align < 16) {
        align = 16;
    }
    if (bytes > sizeof early || align > 4096) {
        return NULL;
    }
    size_t used = early_used, start;
    do {
        start = (used + 16 + align - 1) & ~(align - 1);
        if (start + bytes > sizeof early) {
            return NULL;
        }
    } while (!__atomic_compare_exchange_n(&early_used, &used, start + bytes, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    memcpy(early + start - 16, &bytes, sizeof bytes);
    return early + start;
}

bool silt_is_early(const void *block) {
    return (uintptr_t)block - (uintptr_t)early < sizeof early;
}

size_t silt_early_size(const void *block) {
    size_t bytes;
    memcpy(&bytes, (const uint8_t *)block - 16, sizeof bytes);
    return bytes;
}

uintptr_t silt_allocator_start, silt_allocator_end;

static void remember_allocator(void *real_malloc) {
    struct dl_find_object allocator, libc;
    if (_dl_find_object(real_malloc, &allocator) == 0 &&
        _dl_find_object((void *)strnlen, &libc) == 0 &&
        allocator.dlfo_link_map != libc.dlfo_link_map) {
        silt_allocator_start = (uintptr_t)allocator.dlfo_map_start;
        silt_allocator_end = (uintptr_t)allocator.dlfo_map_end;
    }
}

/* In the first hook or the constructor, by one thread. The first call may come from inside the C
 * library with its locks held (newlocale(3) in a library's constructor): dlsym and dlerror are not
 * for here. */
void silt_find_real(void) {
    struct silt_real found = {0};
    found.malloc = (void *(*)(size_t))silt_next("malloc");
    found.calloc = (void *(*)(size_t, size_t))silt_next("calloc");
    found.realloc = (void *(*)(void *, size_t))silt_next("realloc");
    found.reallocarray = (void *(*)(void *, size_t, size_t))silt_next("reallocarray");
    found.free = (void (*)(void *))silt_next("free");
    found.posix_memalign = (int (*)(void **, size_t, size_t))silt_next("posix_memalign");
    found.aligned_alloc = (void *(*)(size_t, size_t))silt_next("aligned_alloc");
    found.memalign = (void *(*)(size_t, size_t))silt_next("memalign");
    found.valloc = (void *(*)(size_t))silt_next("valloc");
    found.pvalloc = (void *(*)(size_t))silt_next("pvalloc");
    found.free_sized = (void (*)(void *, size_t))silt_next("free_sized");
    found.free_aligned_sized = (void (*)(void *, size_t, size_t))silt_next("free_aligned_sized");
    found.malloc_usable_size = (size_t (*)(void *))silt_next("malloc_usable_size");
    found.fork = (int (*)(void))silt_next("_Fork");
    found.dlclose = (int (*)(void *))silt_next("dlclose");
    remember_allocator((void *)found.malloc);
    silt_find_operators();
    silt_find_descriptor_calls();
    silt_find_sandbox_calls();
    silt_real = found;
}
