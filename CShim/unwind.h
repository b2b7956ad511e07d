/* unwind.h: what the two ways of walking share. */
#ifndef SILT_UNWIND_H
#define SILT_UNWIND_H

#include "silt_internal.h"
#include "stacks.h"

#define SILT_MAX_FRAMES 2048 /* steps of one walk; 1024 frames at least name a deeper stack */

/* Walks the stack outside of a hook's frame by stepping with all registers (slow.c). Returns how
 * many `keys` it found, innermost first, at most SILT_MAX_FRAMES; `flags` is the silt_node_flags of
 * why it ends there, 0 at the outermost frame. */
uint32_t silt_walk_slowly(uintptr_t hook_frame, uint64_t *keys, uint8_t *flags);

#endif
