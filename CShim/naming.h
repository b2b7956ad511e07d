/* naming.h: gives stacks that were walked their nodes. In a hook. */
#ifndef SILT_NAMING_H
#define SILT_NAMING_H

#include "walker.h"

/* All of these return a node; 0 when recording is over. */

/* Names a stack whose walk met a kept frame, and keeps the steps inside of that. */
uint32_t silt_name_joined(struct silt_walker *walker, struct silt_sink *sink);
/* The same without keeping them. */
uint32_t silt_name_inside(struct silt_walker *walker, struct silt_sink *sink);
/* Names a stack that was walked to its end, and keeps it where that is of use. */
uint32_t silt_name_ended(struct silt_walker *walker, uintptr_t hook_frame, struct silt_sink *sink);

#endif
