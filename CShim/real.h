/* real.h: the functions behind the hooks, and blocks that were served before they were found. */
#ifndef SILT_REAL_H
#define SILT_REAL_H

#include "hook_table.h"
#include "macros.h"
#include "system.h"

#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <threads.h>
#include <time.h>

struct mmsghdr;

/* The hooks themselves: headers of the C library lack some, and rows must agree with the others. */
#define SILT_REAL_PROTOTYPE(result, name, parameters) result name parameters;
#define SILT_REAL_NONE(name)
SILT_HOOKS(SILT_REAL_PROTOTYPE, SILT_REAL_NONE)
SILT_OPERATOR_HOOKS(SILT_REAL_PROTOTYPE)

/* The next definition of each hook in the global scope, NULL where there is none. Filled once,
 * before recording starts. */
#define SILT_REAL_POINTER(result, name, parameters) result(*name) parameters;
struct silt_real {
    SILT_HOOKS(SILT_REAL_POINTER, SILT_REAL_NONE)
};
extern struct silt_real silt_real SILT_HIDDEN;
/* Which of them lie outside of the C library: a library of the user's has put itself in front. */
#define SILT_REAL_FLAG(result, name, parameters) bool name;
struct silt_wrapped {
    SILT_HOOKS(SILT_REAL_FLAG, SILT_REAL_NONE)
};
extern struct silt_wrapped silt_wrapped SILT_HIDDEN;
/* What the next definition answers, or `raw`, a system call, where it is not found yet. */
#define SILT_FORWARD(name, arguments, raw)                                                         \
    (SILT_LIKELY(silt_real.name != NULL) ? silt_real.name arguments : silt_outcome(raw))
/* Some of them once more, for hooks in assembly. */
extern long (*silt_real_syscall)(long, ...) SILT_HIDDEN;
extern int (*silt_real_vfork)(void) SILT_HIDDEN;
extern int (*silt_real_clone)(int (*)(void *), void *, int, void *, ...) SILT_HIDDEN;
/* posix_spawn and posix_spawnp before GLIBC_2.15, which are other functions. */
extern __typeof__(posix_spawn) *silt_older_spawn[2] SILT_HIDDEN;

/* The same for the C++ operators (ISO C++ 17.6.3). */
#define SILT_OPERATOR_INDEX(result, name, parameters) SILT_AT_##name,
enum silt_operator_index { SILT_OPERATOR_HOOKS(SILT_OPERATOR_INDEX) SILT_OPERATORS };
struct silt_operator {
    void *function;
    bool owned; /* by the allocator: recorded in the operator's hook */
};
extern struct silt_operator silt_operators[SILT_OPERATORS] SILT_HIDDEN;
extern const char *const silt_operator_names[SILT_OPERATORS] SILT_HIDDEN;

/* Code of the module that defines the real malloc, unless that is the C library. */
extern uintptr_t silt_allocator_start SILT_HIDDEN, silt_allocator_end SILT_HIDDEN;

/* Finds all of this, unless it is found already. In the first hook or the constructor, by one
 * thread. */
void silt_find_real(void);

/* Static memory for what is called while the real allocator is looked for: 16-byte header with the
 * size, then the block, which is never given back. NULL when it is used up. At start. */
void *silt_early_alloc(size_t align, size_t bytes);
/* In a hook. */
bool silt_is_early(const void *block);
size_t silt_early_size(const void *block);

#endif
