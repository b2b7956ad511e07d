/* filter.h: what a seccomp(2) filter says to a system call. */
#ifndef SILT_FILTER_H
#define SILT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

struct sock_fprog;

/* Whether there is a program at all; else the kernel refuses it. */
bool silt_filter_is_there(const struct sock_fprog *program);

/* Whether the program lets that call pass. Reads it carefully: the kernel has not looked at it yet.
 * At any time, in no hook that allocates. */
bool silt_filter_allows(const struct sock_fprog *program, long number, const uint64_t arguments[6]);

#endif
