/* scratch.h: pages for a hook that starts a program, which may have little stack. In an exec hook.
 */
#ifndef SILT_SCRATCH_H
#define SILT_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct silt_scratch {
    void *pages; /* NULL: there are none */
    uint32_t index;
    uint64_t tid_address; /* of this thread before, where `leaves` was asked for; 0: unchanged */
};

/* At least `bytes` bytes, which are given back by silt_scratch_drop or, with `leaves`, when the
 * process executes another program. */
struct silt_scratch silt_scratch_take(size_t bytes, bool leaves);
void silt_scratch_drop(const struct silt_scratch *scratch);

#endif
