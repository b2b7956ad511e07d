/*
 * held.c: work during which no module can come or go.
 *
 * dlclose(3) frees what describes a module, and unmaps its tables, while other threads may read
 * them. What a thread's own stack goes through stays; the list of all modules is only read under
 * the lock that dl_iterate_phdr(3) takes for its callback, which the thread that holds it may take
 * again. The loader frees memory under that lock: nobody may wait for it while he holds a lock of
 * the shim that a hook waits for, or one of the shim's stacks, of which there is a number.
 *
 * fork(2) may leave it locked in the child, by a thread that is not there. While the child has one
 * thread none is needed. Neither is it taken under a filter of the program's (seccomp(2)), which
 * may forbid to wait.
 */
#define _GNU_SOURCE
#include "held.h"

#include "loaded.h"
#include "lookup.h"
#include "own.h"
#include "sandbox.h"
#include "system.h"

#include <string.h>

typedef int iterator(silt_held_task *task, void *with);
static iterator *found;
static long process; /* 0: it is still starting */

/* libc's own: the program's, if it has one, may do anything. */
static iterator *iterate(void) {
    iterator *known = __atomic_load_n(&found, __ATOMIC_RELAXED);
    const struct link_map *libc = known ? NULL : silt_map_at((void *)strnlen);
    if (libc) {
        known = (iterator *)silt_find_in(libc, "dl_iterate_phdr");
        __atomic_store_n(&found, known, __ATOMIC_RELAXED);
    }
    return known;
}

static bool is_in_child(void) {
    return process && silt_call(SYS_getpid, 0) != process;
}

int silt_held_each(silt_held_task *task, void *with) {
    return iterate() ? iterate()(task, with) : 0;
}

void silt_held(silt_held_task *task, void *with) {
    bool alone = silt_is_filtered() || !iterate() || (is_in_child() && silt_own_is_alone(false, 0));
    if (alone) {
        task(NULL, 0, with);
    } else {
        iterate()(task, with);
    }
}

void silt_held_init(void) {
    process = silt_call(SYS_getpid, 0);
}
