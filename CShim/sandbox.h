/* sandbox.h: what the program has forbidden itself. */
#ifndef SILT_SANDBOX_H
#define SILT_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* At start: filters that are there already, and where glibc keeps a thread's id. */
void silt_sandbox_look(void);
bool silt_was_filtered_at_start(void);

/* Whether the program has put itself under a seccomp(2) filter since: then silt lives on memory and
 * futex(2) alone. In a hook. */
bool silt_is_filtered(void);
/* Whether that filter allows mmap, mremap and munmap. In a hook. */
bool silt_may_map(void);
/* gettid(2), without a system call under a filter. In a hook. */
uint32_t silt_tid(void);

/* A filter is about to be installed; or it was refused. In a hook. */
void silt_sandbox_enter(bool allows_maps);
void silt_sandbox_leave(bool allows_maps);

#endif
