/* careful.h: reads of memory that may not be there. Runs inside hooks. */
#ifndef SILT_CAREFUL_H
#define SILT_CAREFUL_H

#include "sandbox.h"
#include "system.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
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

#endif
