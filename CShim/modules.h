/* modules.h: the modules that are loaded, as the module log names them. */
#ifndef SILT_MODULES_H
#define SILT_MODULES_H

#include <stdbool.h>
#include <stdint.h>

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

#endif
