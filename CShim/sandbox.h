/* sandbox.h: what the program has forbidden itself. */
#ifndef SILT_SANDBOX_H
#define SILT_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* At start: filters that are there already, and where glibc keeps a thread's id. */
void silt_sandbox_look(void);
bool silt_was_filtered_at_start(void);

/* What a seccomp(2) filter of the program allows silt. */
enum silt_allowed {
    SILT_ALLOWS_MAPS = 1,  /* mmap, mremap, munmap */
    SILT_ALLOWS_FUTEX = 2, /* futex(2), as silt uses it */
    SILT_ALLOWS_STARTS = 4 /* all that silt does in a new image, and before one */
};
/* A filter is about to be installed; or it was refused. In a hook. */
void silt_sandbox_enter(unsigned allowed);
void silt_sandbox_leave(unsigned allowed);
/* A vfork(2) child is about to install one that does not allow starts: it is its own affair, and
 * ends with it. In a hook. */
void silt_sandbox_enter_child(void);

/* Whether the program has put itself under such a filter: then silt lives on memory and futex(2)
 * alone. In a hook. */
bool silt_is_filtered(void);
bool silt_may_map(void);
bool silt_may_use_futex(void);
bool silt_may_start(void);
/* A new image would be stopped by what silt does at its start. In a hook. */
bool silt_forbids_starts(void);

/* The program has system calls outside of a range of addresses raise SIGSYS (prctl(2),
 * PR_SET_SYSCALL_USER_DISPATCH): from then on silt makes none. Or it was refused that. In a hook.
 */
void silt_sandbox_dispatch(bool begins);
bool silt_is_dispatched(void);

/* gettid(2), without a system call under a filter. In a vfork(2) child: the thread of the parent
 * whose memory it uses, which goes on when the child is gone. In a hook. */
uint32_t silt_tid(void);
/* Whether the caller has the thread pointer of another thread, which runs at the same time: then
 * what is kept of that thread is not the caller's (lent.c). In a hook. */
bool silt_is_guest(void);
/* Looks at what glibc keeps of a thread: its tid, 0 when it is over, SILT_TID_UNKNOWN where glibc
 * keeps it elsewhere. False when there is no thread, or it is joined already. `stays`: its memory
 * does until somebody joins it. In a hook. */
#define SILT_TID_UNKNOWN UINT32_MAX
bool silt_look_at_thread(uintptr_t thread, bool stays, uint32_t *tid);
/* The same tid of a thread that was not joined yet: its memory is there. In a hook. */
uint32_t silt_tid_of_unjoined(uintptr_t thread);

#endif
