/* modules.h: the modules that are loaded, as the module log names them. */
#ifndef SILT_MODULES_H
#define SILT_MODULES_H

#include <stdbool.h>
#include <stdint.h>

struct dl_find_object; /* dlfcn.h */

/* The index of the module that holds an address, registered if it is new; 0 for code outside of
 * modules. In a hook. */
uint16_t silt_module_of(uintptr_t address);
/* The same for modules that are registered, 0 for those that did not fit. In a hook. */
int32_t silt_module_known(uintptr_t address);
#define SILT_MODULE_UNKNOWN (-1)

/* Checks that known modules are still what they were; forgets the rules and stacks of those that
 * are not. Unless `patient`, it may be left to the next time. Aside. */
void silt_modules_check(bool patient);
/* In a fork child: its own memory file starts with an empty log. */
void silt_modules_forget(void);

/* Who else wants to know of modules. */
struct silt_module_watcher {
    /* One is new that was found on a stack, and so cannot go. Aside. */
    void (*met)(const struct dl_find_object *found);
    /* In a fork child: the thread that held the watcher's lock stayed in the parent. */
    void (*forked)(void);
};
/* There is one at most. At start. */
void silt_modules_watch(const struct silt_module_watcher *by);

#endif
