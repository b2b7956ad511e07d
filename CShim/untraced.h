/* untraced.h: tells the analyzer of a program that is not traced. */
#ifndef SILT_UNTRACED_H
#define SILT_UNTRACED_H

#include <stdint.h>

#define SILT_UNKNOWN_PROCESS (~0u)

/* `reason` is SILT_UNTRACED_…; `pid` the process that runs the program, 0 for this one. In an exec
 * hook. */
void silt_tell_untraced(uint32_t reason, uint32_t pid, const char *path);

#endif
