/* held.h: work during which no module can come or go. In a hook; never waits for the loader. */
#ifndef SILT_HELD_H
#define SILT_HELD_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

typedef int silt_held_task(struct dl_phdr_info *info, size_t bytes, void *with);

/* Calls the task for each module, until it returns another number than 0, which is `*result`;
 * false, and not called, when another thread has the list. */
bool silt_held_each(silt_held_task *task, void *with, int *result);
/* Calls the task once, for a module or for NULL where none can be asked for: then what the list
 * says is read as it stands. */
void silt_held(silt_held_task *task, void *with);

/* At start, in the constructor. */
void silt_held_init(void);

#endif
