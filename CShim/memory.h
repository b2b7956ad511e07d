/* memory.h: memory of the shim's own, and the memory file that it shares with the analyzer. Raw
 * system calls: neither errno nor the allocator is touched. */
#ifndef SILT_MEMORY_H
#define SILT_MEMORY_H

#include "silt_wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed private pages; NULL when there are none. `bytes` need not be whole pages. */
void *silt_pages(size_t bytes);
void silt_pages_drop(void *pages, size_t bytes);
/* Makes it larger, perhaps elsewhere; NULL when there are no pages: then it is as it was. */
void *silt_pages_grow(void *pages, size_t bytes, size_t wanted);

/* Makes and maps the memory file: silt_shared, and the states of the first block. Its descriptor,
 * which the caller closes, or -1 with the reason. At start, and in a fork child. */
int silt_memory_make(enum silt_refusal *reason);
/* Slots that the file has room for. */
uint32_t silt_memory_slots(void);
/* The state of a slot, of which it maps the page at the first call; NULL when that fails. */
struct silt_slot *silt_memory_state(uint32_t index);
/* The first blocks' rings and rooms are mapped slot by slot, as threads come, since memory may be
 * locked or scarce; those of the others at once, since mappings are. */
#define SILT_SINGLE_BLOCKS 4u

/* The ring of a slot whose state is mapped; NULL when it cannot be mapped. */
uint64_t *silt_memory_ring(uint32_t index);
/* The process has a ring no more; the analyzer reads it and gives its memory back. */
void silt_memory_drop_ring(uint32_t index, uint64_t *ring);
/* Takes back a file that could not be handed over. */
void silt_memory_drop(void);
/* In a fork child: the mappings of the parent's file have gone (MADV_DONTFORK). */
void silt_memory_forget(void);
/* In a fork child that will return into a hook that the fork interrupted: puts private pages where
 * the header and the state and ring of that hook's slot were, for it to end its work on. */
void silt_memory_cover(uint32_t index, const void *ring);

#endif
