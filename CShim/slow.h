/* slow.h: walks with all registers. In a hook. */
#ifndef SILT_SLOW_H
#define SILT_SLOW_H

#include <stdint.h>

enum silt_reach {
    SILT_REACHED,        /* the stack outside of a hook's frame holds that return address */
    SILT_REACHED_SIGNAL, /* it does, beyond a signal frame */
    SILT_PASSED,         /* it does not: that place lies in another function's frame now */
    SILT_NOT_REACHED,    /* it does not, and that place is not between its frames either */
    SILT_REACH_UNKNOWN
};
/* Whether the stack outside of a hook's frame has its return address at `slot`. */
enum silt_reach silt_walk_reaches(uintptr_t hook_frame, uintptr_t slot);

/* Walks the stack outside of a hook's frame. Returns how many `keys` (SILT_KEY) it found, innermost
 * first, at most SILT_MAX_FRAMES; `flags` is the silt_node_flags of why it ends there, 0 at the
 * outermost frame. */
uint32_t silt_walk_slowly(uintptr_t hook_frame, uint64_t *keys, uint8_t *flags);

#endif
