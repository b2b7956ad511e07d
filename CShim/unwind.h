/* unwind.h: what the two ways of walking share. */
#ifndef SILT_UNWIND_H
#define SILT_UNWIND_H

#include "silt_internal.h"
#include "stacks.h"

#define SILT_MAX_FRAMES 2048 /* steps of one walk; 1024 frames at least name a deeper stack */

/* Names the stack outside of a hook's frame by stepping with all registers (slow.c); `keys` is room
 * for SILT_MAX_FRAMES of them. */
uint32_t silt_walk_slowly(uintptr_t hook_frame, struct silt_trie *trie, struct silt_sink *sink,
                          uint64_t *keys);

#endif
