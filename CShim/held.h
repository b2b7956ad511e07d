/* held.h: work during which no module can come or go. In a hook. */
#ifndef SILT_HELD_H
#define SILT_HELD_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

typedef int silt_held_task(struct dl_phdr_info *info, size_t bytes, void *with);

/* Calls the task for each module, until it returns another number than 0, which is returned. */
int silt_held_each(silt_held_task *task, void *with);
/* Calls the task once, for a module or for NULL where none can be asked for; it returns 1. */
void silt_held(silt_held_task *task, void *with);

/* At start. */
void silt_held_init(void);

#endif
