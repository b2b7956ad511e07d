/* start.h: begins to record. In a hook. */
#ifndef SILT_START_H
#define SILT_START_H

#include <stdbool.h>

/* *silt_live was 0: this is the first call of all, a fork child's first event, or recording is off.
 * True when events are recorded now. */
bool silt_wake_up(void);
/* The same where nothing may be initialized: in hooks that an allocator may call. */
bool silt_wake_child(void);

#endif
