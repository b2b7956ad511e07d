/* descriptors.h: system calls that concern descriptors. */
#ifndef SILT_DESCRIPTORS_H
#define SILT_DESCRIPTORS_H

#include <stdbool.h>

/* A system call that the program makes by syscall(3); true when it must not be made, but has that
 * result. In a hook. */
bool silt_descriptor_call(long number, long a, long b, long c, long *result);

#endif
