/* rebind.h: imports that are bound past the exported hooks are pointed to hooks of their own. */
#ifndef SILT_REBIND_H
#define SILT_REBIND_H

/* A module may have gone. Aside. */
void silt_rebind_forget(void);

#endif
