/*
 * memory.c: memory of the shim's own, and the memory file that it shares with the analyzer. Runs
 * inside hooks.
 *
 * The program may lower RLIMIT_AS, lock its memory or start thousands of threads. So only what is
 * needed is mapped: header and module log, a page of states for each SILT_BLOCK_SLOTS threads, the
 * rings of living threads, which beyond the first blocks are one mapping for as many threads. The
 * file's descriptor is closed after the hello, since programs close all descriptors and use their
 * numbers for files of their own. More of the file is mapped through what is mapped already:
 * mremap(2) with an old size of 0 maps the pages of a shared mapping a second time, and what lies
 * behind them in the file.
 */
#define _GNU_SOURCE
#include "memory.h"

#include "image.h"
#include "sandbox.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define BLOCKS      (SILT_MAX_SLOTS / SILT_BLOCK_SLOTS)
#define MIN_SLOTS   4u
#define AS_SHARE    8u         /* at start at most this part of the address space is taken */
#define START_BYTES (3u << 20) /* maximum that is mapped before the first event */

static uint8_t *blocks[BLOCKS]; /* the states of each block; NULL: not mapped yet */
static uint8_t *rings[BLOCKS];  /* its rings; NULL: they are mapped singly */
static uint32_t slots;
/* Mapped by the shim in this process: private pages, and parts of the file. */
static uint64_t private_bytes, file_bytes_mapped;

static void count(uint64_t *kind, int64_t more) {
    __atomic_fetch_add(kind, (uint64_t)more, __ATOMIC_RELAXED);
    if (blocks[0]) {
        silt_shared->own_bytes = private_bytes + file_bytes_mapped;
    }
}

/* Under a filter of the program that forbids mapping: no more memory is taken, and none is given
 * back. */
void *silt_pages(size_t bytes) {
    if (!silt_may_map()) {
        return NULL;
    }
    long at = silt_call(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (silt_call_failed(at)) {
        return NULL;
    }
    count(&private_bytes, (int64_t)silt_whole_pages(bytes));
    return (void *)at;
}

void silt_pages_drop(void *pages, size_t bytes) {
    if (pages && silt_may_map() && silt_call(SYS_munmap, pages, bytes) == 0) {
        count(&private_bytes, -(int64_t)silt_whole_pages(bytes));
    }
}

void *silt_pages_grow(void *pages, size_t bytes, size_t wanted) {
    long at = silt_may_map() ? silt_call(SYS_mremap, pages, bytes, wanted, MREMAP_MAYMOVE) : -EPERM;
    if (silt_call_failed(at)) {
        return NULL;
    }
    count(&private_bytes, (int64_t)(silt_whole_pages(wanted) - silt_whole_pages(bytes)));
    return (void *)at;
}

/* Maps `bytes` of the file that lie `ahead` bytes behind the beginning of a mapping; NULL when that
 * fails. The new mapping is left out of fork children and core dumps, as the other is. */
static void *map_further(void *mapping, uint64_t ahead, size_t bytes) {
    long at =
        silt_may_map() ? silt_call(SYS_mremap, mapping, 0, ahead + bytes, MREMAP_MAYMOVE) : -EPERM;
    if (silt_call_failed(at)) {
        return NULL;
    }
    if (ahead) {
        silt_call(SYS_munmap, at, ahead);
    }
    count(&file_bytes_mapped, (int64_t)bytes);
    return (uint8_t *)at + ahead;
}

static void unmap(void *mapping, size_t bytes) {
    if (silt_may_map() && silt_call(SYS_munmap, mapping, bytes) == 0) {
        count(&file_bytes_mapped, -(int64_t)bytes);
    }
}

static uint64_t limit_of(int which) {
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    silt_call(SYS_prlimit64, 0, which, 0, &limit);
    return limit.rlim_cur;
}

static uint64_t file_bytes(uint32_t of_slots) {
    uint32_t whole = of_slots / SILT_BLOCK_SLOTS, rest = of_slots % SILT_BLOCK_SLOTS;
    return silt_block_offset(whole) + (rest ? SILT_STATES_BYTES + rest * SILT_RING_BYTES : 0);
}

/* The number of slots that fit in a file of at most `limit` bytes. */
static uint32_t slots_below(uint64_t limit) {
    uint32_t count = SILT_MAX_SLOTS;
    while (count >= MIN_SLOTS && file_bytes(count) > limit) {
        count /= 2;
    }
    return count;
}

static bool map_file(int fd, uint64_t bytes) {
    if (silt_call(SYS_ftruncate, fd, bytes) < 0) {
        return false;
    }
    /* The analyzer relies on the file's length. */
    silt_call(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    size_t mapped = silt_block_offset(0) + SILT_STATES_BYTES;
    long at =
        silt_call(SYS_mmap, 0, mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (silt_call_failed(at)) {
        return false;
    }
    silt_call(SYS_madvise, at, mapped, MADV_DONTFORK);
    silt_call(SYS_madvise, at, mapped, MADV_DONTDUMP);
    silt_shared = (struct silt_header *)at;
    blocks[0] = (uint8_t *)at + silt_block_offset(0);
    count(&file_bytes_mapped, (int64_t)mapped);
    return true;
}

int silt_memory_make(enum silt_refusal *reason) {
    slots = slots_below(limit_of(RLIMIT_FSIZE));
    if (slots < MIN_SLOTS) {
        *reason = SILT_REFUSED_FILE_SIZE;
        return -1;
    }
    if (limit_of(RLIMIT_AS) / AS_SHARE < START_BYTES ||
        limit_of(RLIMIT_DATA) / AS_SHARE < START_BYTES) {
        *reason = SILT_REFUSED_ADDRESS_SPACE;
        return -1;
    }
    long fd = silt_call(SYS_memfd_create, "silt", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    *reason = fd == -EMFILE ? SILT_REFUSED_DESCRIPTORS : SILT_REFUSED_MEMORY;
    if (fd < 0) {
        return -1;
    }
    if (!map_file((int)fd, file_bytes(slots))) {
        silt_call(SYS_close, fd);
        return -1;
    }
    return (int)fd;
}

uint32_t silt_memory_slots(void) {
    return slots;
}

/* Maps a part of the file for all threads, unless one of them has done so. */
static uint8_t *map_part(uint8_t **part, void *mapping, uint64_t ahead, size_t bytes) {
    uint8_t *mapped = __atomic_load_n(part, __ATOMIC_ACQUIRE), *there = NULL;
    if (!mapped && (mapped = map_further(mapping, ahead, bytes)) &&
        !__atomic_compare_exchange_n(part, &there, mapped, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        unmap(mapped, bytes);
        mapped = there;
    }
    return mapped;
}

struct silt_slot *silt_memory_state(uint32_t index) {
    uint32_t block = index / SILT_BLOCK_SLOTS, nearest = block;
    uint8_t *states;
    while (!(states = __atomic_load_n(&blocks[nearest], __ATOMIC_ACQUIRE))) {
        if (nearest-- == 0) {
            return NULL;
        }
    }
    if (nearest != block) {
        uint64_t ahead = silt_block_offset(block) - silt_block_offset(nearest);
        states = map_part(&blocks[block], states, ahead, SILT_STATES_BYTES);
        if (!states) {
            return NULL;
        }
    }
    return (struct silt_slot *)(void *)states + index % SILT_BLOCK_SLOTS;
}

uint64_t *silt_memory_ring(uint32_t index) {
    uint32_t block = index / SILT_BLOCK_SLOTS;
    uint64_t inside = (uint64_t)(index % SILT_BLOCK_SLOTS) * SILT_RING_BYTES;
    uint8_t *all = block < SILT_SINGLE_BLOCKS ? NULL
                                              : map_part(&rings[block], blocks[block],
                                                         SILT_STATES_BYTES, SILT_RINGS_BYTES);
    return all ? (uint64_t *)(void *)(all + inside)
               : map_further(blocks[block], SILT_STATES_BYTES + inside, SILT_RING_BYTES);
}

void silt_memory_drop_ring(uint32_t index, uint64_t *ring) {
    const uint8_t *all = rings[index / SILT_BLOCK_SLOTS];
    if (!all || (uintptr_t)ring - (uintptr_t)all >= SILT_RINGS_BYTES) {
        unmap(ring, SILT_RING_BYTES);
    } else if (!silt_is_filtered()) {
        silt_call(SYS_madvise, ring, SILT_RING_BYTES, MADV_DONTNEED); /* the file keeps it */
    }
}

void silt_memory_drop(void) {
    silt_call(SYS_munmap, silt_shared, silt_block_offset(0) + SILT_STATES_BYTES);
    silt_memory_forget();
}

void silt_memory_forget(void) {
    memset(blocks, 0, sizeof blocks);
    memset(rings, 0, sizeof rings);
    file_bytes_mapped = 0;
}

static void cover(const void *at, size_t bytes) {
    silt_call(SYS_mmap, at, bytes, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

void silt_memory_cover(uint32_t index, const void *ring) {
    cover(silt_shared, silt_block_offset(0) + SILT_STATES_BYTES);
    cover(blocks[index / SILT_BLOCK_SLOTS], SILT_STATES_BYTES); /* the first is there by now */
    cover(ring, SILT_RING_BYTES);
}
