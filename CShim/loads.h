/* loads.h: what the hooks of dlopen and dlsym leave behind, and ask. */
#ifndef SILT_LOADS_H
#define SILT_LOADS_H

#include "macros.h"

#include <stdbool.h>
#include <stdint.h>

/* dlopen was called since the last look; it was called ever, or there are functions for dlsym to
 * find in front of which there are hooks. */
extern uint32_t silt_opened SILT_HIDDEN, silt_opens SILT_HIDDEN;

/* dlsym is about to be called: modules that are new are looked at. Whether silt_rebind_found must
 * be called in its place. In a hook. */
bool silt_rebind_at_dlsym(const void *handle, const char *name) SILT_HIDDEN;
/* What dlsym gives for a function of an allocator, where the loader does not ask who calls it: in a
 * library that the program has a handle of, or of an interface that the global scope has had from
 * the start. In a hook. */
void *silt_rebind_found(void *handle, const char *name) SILT_HIDDEN;

#endif
