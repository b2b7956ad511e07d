/* rebind.h: imports that are bound past the exported hooks are pointed to hooks of their own. */
#ifndef SILT_REBIND_H
#define SILT_REBIND_H

#include <stdbool.h>
#include <stdint.h>

struct dl_find_object; /* dlfcn.h */

/* Looks at the modules that are loaded. In the constructor. */
void silt_rebind_at_start(void);
/* Looks at a module that was found on a stack, and so cannot go. Aside. */
void silt_rebind_module(const struct dl_find_object *found);
/* A module may have gone. Aside. */
void silt_rebind_forget(void);
/* In a fork child: the thread that held the lock stayed in the parent. */
void silt_rebind_unlock(void);

#endif
