/* capture.h: the current stack of a thread. */
#ifndef SILT_CAPTURE_H
#define SILT_CAPTURE_H

#include "stream.h"

/* The node of the stack outside of a hook's frame; 0 when recording is over. In a hook. */
uint32_t silt_walker_capture(struct silt_walker *walker, const void *frame, struct silt_sink *sink);

#endif
