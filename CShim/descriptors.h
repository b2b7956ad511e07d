/* descriptors.h: system calls that concern descriptors. */
#ifndef SILT_DESCRIPTORS_H
#define SILT_DESCRIPTORS_H

#include <stdbool.h>

/* A system call that the program is about to make by syscall(3); true when it must not be made, but
 * has that result. Otherwise `given` tells silt_descriptor_called, after it was made, what has been
 * recorded. In a hook. */
bool silt_descriptor_call(long number, long a, long b, long c, const void *frame, bool *given,
                          long *result);
void silt_descriptor_called(long number, long a, long b, const void *frame, bool given,
                            long result);

#endif
