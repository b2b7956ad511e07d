/* unwind.h: the current stack of a thread. */
#ifndef SILT_UNWIND_H
#define SILT_UNWIND_H

#include "stream.h"

/* What is kept of the stacks that a thread was seen on; NULL when there is no memory. In a hook. */
struct silt_walker *silt_walker_new(void);
/* In a hook; in a fork child. */
void silt_walker_drop(struct silt_walker *walker); /* or NULL */

/* The node of the stack outside of a hook's frame. In a hook. */
uint32_t silt_walker_capture(struct silt_walker *walker, const void *frame, struct silt_sink *sink);

#endif
