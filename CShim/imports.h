/* imports.h: the slots through which a module calls others. By one thread at a time; aside. */
#ifndef SILT_IMPORTS_H
#define SILT_IMPORTS_H

#include "interfaces.h"
#include "loaded.h"
#include "macros.h"

/* dlopen was called with RTLD_DEEPBIND, ever. */
extern uint32_t silt_bound_deep SILT_HIDDEN;

/* Remembers the interfaces that a module has; before the slots of any other are changed. */
void silt_imports_note(const struct link_map *map);
void silt_imports_gone(const struct link_map *map);
/* Whether there is one module that has the interface of a family (enum silt_family). */
bool silt_imports_know(uint8_t family);

/* Points slots of a module to hooks. False when it must be looked at again. */
bool silt_imports_rebind(const struct link_map *map, const struct silt_extent *extent);

/* The hook for a function that dlsym has found; NULL when it is not sure to be that interface's, or
 * no hook is left. */
void *silt_imports_hook(const struct silt_interface *interface, void *function);

#endif
