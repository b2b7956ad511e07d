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

/* Copies the aligned words at up to two addresses; false when one is not there. The kernel copies
 * them, since another thread may unmap them meanwhile. Under a filter, which may end the program
 * for process_vm_readv(2), and where the kernel refuses, they are looked for and then read, but
 * only if they `stay`. */
static inline bool silt_careful_copy(const uintptr_t *from, uint64_t *words, unsigned count,
                                     bool stay) {
    struct iovec here = {words, count * sizeof *words}, there[2];
    for (unsigned i = 0; i < count; i++) {
        there[i] = (struct iovec){(void *)from[i], sizeof *words};
    }
    if (!silt_is_filtered() && !silt_was_filtered_at_start()) {
        /* A fork child's header is its parent's until it has one of its own. */
        long self = *silt_live ? (long)silt_shared->pid : silt_call(SYS_getpid, 0);
        long got = silt_call(SYS_process_vm_readv, self, &here, 1, there, count, 0);
        if (got >= 0 || got == -14 /* EFAULT */) {
            return got == (long)here.iov_len;
        }
    }
    struct silt_readable none = {0, 0};
    for (unsigned i = 0; i < count; i++) {
        if (!stay || !silt_careful_word(&none, from[i], &words[i])) {
            return false;
        }
    }
    return true;
}

#endif
