/*
 * taken.c: descriptors that the program takes and gives back. Everything here may run in a hook.
 *
 * One bit for each number says whether its taking was recorded, so that closing what is not open,
 * as daemons do with all numbers there are, records nothing, and a range is closed one by one. A
 * fork child starts with the bits of its parent, as with its descriptors.
 */
#define _GNU_SOURCE
#include "taken.h"

#include "hooks.h"
#include "image.h"
#include "sandbox.h"
#include "system.h"

#define NUMBERS (1u << 20) /* as many as programs may have, by default (proc(5), nr_open) */

static uint64_t bits[NUMBERS / 64];

static inline uint64_t bit_of(unsigned fd) {
    return 1ull << fd % 64;
}

/* Numbers beyond are not recorded: the analyzer finds them in /proc. */
static inline bool is_taken(unsigned fd) {
    return fd < NUMBERS && (__atomic_load_n(&bits[fd / 64], __ATOMIC_RELAXED) & bit_of(fd)) != 0;
}

static inline void set_taken(unsigned fd) {
    __atomic_fetch_or(&bits[fd / 64], bit_of(fd), __ATOMIC_RELAXED);
}

int silt_took(int fd, const void *frame) {
    /* A fork child that only sets up its standard streams, and then executes a program, does not
     * become an image of its own for that. */
    if (fd >= 0 && (unsigned)fd < NUMBERS && (fd > 2 || *silt_live) && silt_is_ours()) {
        set_taken((unsigned)fd);
        return silt_record_opened(fd, frame);
    }
    return fd;
}

static void give_back(unsigned fd, const void *frame) {
    __atomic_fetch_and(&bits[fd / 64], ~bit_of(fd), __ATOMIC_RELAXED);
    silt_record_give(SILT_DESCRIPTOR, fd, frame);
}

bool silt_gives(int fd, const void *frame) {
    if (!*silt_live || fd < 0 || !is_taken((unsigned)fd) || !silt_is_ours()) {
        return false;
    }
    give_back((unsigned)fd, frame);
    return true;
}

void silt_kept(int fd, const void *frame) {
    set_taken((unsigned)fd);
    silt_record_kept(SILT_DESCRIPTOR, (unsigned)fd, frame);
}

void silt_gives_range(unsigned first, unsigned last, const void *frame) {
    if (!*silt_live || !silt_is_ours()) {
        return;
    }
    for (unsigned word = first / 64; word < NUMBERS / 64 && word <= last / 64; word++) {
        uint64_t left = __atomic_load_n(&bits[word], __ATOMIC_RELAXED);
        while (left) {
            unsigned fd = word * 64 + (unsigned)__builtin_ctzll(left);
            left &= left - 1;
            if (fd >= first && fd <= last) {
                give_back(fd, frame);
            }
        }
    }
}
