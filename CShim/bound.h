/* bound.h: hooks in front of functions that are called past the exported ones. */
#ifndef SILT_BOUND_H
#define SILT_BOUND_H

#include <stdint.h>

/* A hook that calls `function`, which does what `does` says (enum silt_does of interfaces.h), and
 * records that; NULL when there is none left. By one thread at a time; aside. */
void *silt_bind(void *function, uint8_t does);

#endif
