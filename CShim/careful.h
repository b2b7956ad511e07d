/* careful.h: reads of memory that may not be there. Runs inside hooks. */
#ifndef SILT_CAREFUL_H
#define SILT_CAREFUL_H

#include "system.h"

#include <stdbool.h>
#include <stdint.h>

/* Addresses that were seen to be readable during one walk. */
struct silt_readable {
    uintptr_t low, high;
};

/* Reads the aligned word at `at`; false when it cannot be read.
 *
 * rt_sigprocmask(2) copies the set in before it looks at `how`: EFAULT tells that the word is not
 * there, EINVAL that it is. Unlike process_vm_readv(2) it needs no permission and passes the
 * seccomp(2) filters of sandboxes. */
static inline bool silt_careful_word(struct silt_readable *known, uintptr_t at, uintptr_t *value) {
    if (at & 7) {
        return false;
    }
    if (at - known->low >= known->high - known->low) {
        if (silt_call(SYS_rt_sigprocmask, -1, at, 0, 8) != -22 /* EINVAL */) {
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
