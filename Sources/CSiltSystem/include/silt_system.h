/* silt_system.h: what Swift cannot say itself: prefetch, acquire loads, futex, descriptors over a
 * socket. */
#ifndef SILT_SYSTEM_H
#define SILT_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

#include "silt_bucket.h"

static inline void silt_prefetch(const void *address) {
    __builtin_prefetch(address);
}

/* What was there before. */
static inline uint64_t silt_fetch_or_u64(uint64_t *p, uint64_t bits) {
    return __atomic_fetch_or(p, bits, __ATOMIC_ACQ_REL);
}

static inline uint64_t silt_load_acquire_u64(const uint64_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline uint32_t silt_load_acquire_u32(const uint32_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void silt_store_release_u64(uint64_t *p, uint64_t value) {
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);
}

static inline void silt_store_release_u32(uint32_t *p, uint32_t value) {
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);
}

/* Puts `wanted` where `there` is; false when something else is. */
static inline _Bool silt_exchange_u32(uint32_t *p, uint32_t there, uint32_t wanted) {
    return __atomic_compare_exchange_n(p, &there, wanted, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* memmem(3), which Swift sees only where _GNU_SOURCE was defined first. */
extern void *memmem(const void *in, size_t in_bytes, const void *part, size_t part_bytes);

static inline _Bool silt_holds(const void *in, size_t in_bytes, const void *part,
                               size_t part_bytes) {
    return memmem(in, in_bytes, part, part_bytes) != NULL;
}

/* mremap(2), which is hidden likewise. */
extern void *mremap(void *from, size_t bytes, size_t wanted, int flags, ...)
    __attribute__((nothrow));

/* Moves a mapping to `to`, over what is mapped there, and makes it `wanted` bytes long; MAP_FAILED
 * and errno. */
static inline void *silt_move_pages(void *from, size_t bytes, size_t wanted, void *to) {
    return mremap(from, bytes, wanted, 1 | 2 /* MREMAP_MAYMOVE | MREMAP_FIXED */, to);
}

#endif
