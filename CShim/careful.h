/* careful.h: reads of memory that may not be there. Runs inside hooks. */
#ifndef SILT_CAREFUL_H
#define SILT_CAREFUL_H

#include "image.h"
#include "sandbox.h"
#include "system.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <time.h>

/* A range of addresses that were seen to be readable. */
struct silt_readable {
    uintptr_t low, high;
};

static inline bool silt_is_seen(const struct silt_readable *known, uintptr_t at) {
    return at - known->low < known->high - known->low;
}

/* Whether the word at `at` can be read.
 *
 * rt_sigprocmask(2) copies the set in before it looks at `how`: EFAULT tells that the word is not
 * there, EINVAL that it is. Unlike process_vm_readv(2) it needs no permission. Under a seccomp(2)
 * filter of the program's a futex(2) is waited for no time: EFAULT tells that it is not there. */
static inline bool silt_is_there(uintptr_t at) {
    if (!silt_may_use_futex()) {
        return true; /* nothing can be asked: recording is over (seccomp.c) */
    }
    if (silt_is_filtered()) {
        struct timespec none = {0, 0};
        return silt_call(SYS_futex, at, FUTEX_WAIT_PRIVATE, 0, &none, 0, 0) != -14 /* EFAULT */;
    }
    return silt_call(SYS_rt_sigprocmask, -1, at, 0, 8) == -22 /* EINVAL */;
}

/* Reads the aligned word at `at`; false when it cannot be read. */
static inline bool silt_careful_word(struct silt_readable *known, uintptr_t at, uintptr_t *value) {
    if (at & 7) {
        return false;
    }
    if (!silt_is_seen(known, at)) {
        if (!silt_is_there(at)) {
            return false;
        }
        uintptr_t page = at & ~(uintptr_t)4095;
        if (page == known->high) {
            known->high += 4096;
        } else {
            *known = (struct silt_readable){page, page + 4096};
        }
    }
    *value = *(const uintptr_t *)at;
    return true;
}

/* Copies the aligned word at `at`, and the one `gap` bytes behind its end where `words` has two;
 * false when they are not there. The kernel copies them, since another thread may unmap them
 * meanwhile: as one range, for it looks each range up anew, which takes 0.3 of 1.5 us. Under a
 * filter, which may end the program for process_vm_readv(2), and where the kernel refuses, they are
 * looked for and then read, but only if they `stay`. */
#define SILT_MAXIMUM_GAP 1024
static inline bool silt_careful_copy(uintptr_t at, uint64_t *words, unsigned count, size_t gap,
                                     bool stay) {
    static char unread[SILT_MAXIMUM_GAP]; /* threads write over each other's */
    size_t length = count == 1 ? sizeof *words : 2 * sizeof *words + gap;
    struct iovec there = {(void *)at, length};
    struct iovec here[3] = {{words, sizeof *words}, {unread, gap}, {words + 1, sizeof *words}};
    if (!silt_is_filtered() && !silt_was_filtered_at_start()) {
        /* A fork child's header is its parent's until it has one of its own. */
        long self = *silt_live ? (long)silt_shared->pid : silt_call(SYS_getpid, 0);
        long got = silt_call(SYS_process_vm_readv, self, here, count == 1 ? 1 : 3, &there, 1, 0);
        if (got >= 0 || got == -14 /* EFAULT */) {
            return got == (long)length;
        }
    }
    struct silt_readable none = {0, 0};
    return stay && silt_careful_word(&none, at, words) &&
           (count == 1 || silt_careful_word(&none, at + length - sizeof *words, words + 1));
}

#endif
