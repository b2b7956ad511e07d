/* lent.h: memory and thread pointers that the program lends to what it makes by clone(2). */
#ifndef SILT_LENT_H
#define SILT_LENT_H

#include <stdint.h>

/* The program is about to make a thread or a process with these flags of clone(2). In a hook. */
void silt_lend(uint64_t flags);

#endif
