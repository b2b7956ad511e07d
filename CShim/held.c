/*
 * held.c: work during which no module can come or go.
 *
 * dlclose(3) frees what describes a module, and unmaps its tables, while other threads may read
 * them. What a thread's own stack goes through stays; the list of all modules is only read under
 * the lock that dl_iterate_phdr(3) takes for its callback, which the thread that holds it may take
 * again.
 *
 * Nobody waits for that lock here. Allocators, dlsym(3) and most calls of dlclose(3) do not take
 * it: the program may hold a lock of its own around them for which another thread's callback waits,
 * and fork(2) may leave it locked in the child, by a thread that is not there. So it is only taken
 * where it is free. The loader does not name it: it is the mutex in the loader's data that is
 * locked, by this thread, in a callback and not after it. What cannot be put off is done without it
 * after a moment: a callback that takes long keeps modules where they are by itself.
 *
 * Neither is it taken under a filter of the program's (seccomp(2)), which may forbid to wait; nor
 * where there is no mutex like that.
 */
#define _GNU_SOURCE
#include "held.h"

#include "image.h"
#include "loaded.h"
#include "lookup.h"
#include "sandbox.h"
#include "system.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#define PATIENCE 64 /* silt_rest: a few milliseconds */

typedef int iterator(silt_held_task *task, void *with);
static iterator *iterate;        /* libc's own: the program's, if it has one, may do anything */
static pthread_mutex_t *of_list; /* NULL: not found */
static _Atomic uintptr_t holder; /* the thread that has taken it here */

static bool take(void) {
    if (!of_list || silt_is_filtered() || pthread_mutex_trylock(of_list) != 0) {
        return false;
    }
    holder = silt_self();
    return true;
}

static void give_back(bool outermost) {
    if (outermost) {
        holder = 0;
    }
    pthread_mutex_unlock(of_list);
}

bool silt_held_each(silt_held_task *task, void *with, int *result) {
    bool outermost = holder != silt_self();
    if (!take()) {
        return false;
    }
    int last = iterate(task, with);
    give_back(outermost);
    if (result) {
        *result = last;
    }
    return true;
}

void silt_held(silt_held_task *task, void *with) {
    for (unsigned i = 0; i < PATIENCE && of_list && !silt_is_filtered(); i++) {
        if (silt_held_each(task, with, NULL)) {
            return;
        }
        static const uint32_t moment = 1;
        silt_rest(&moment);
    }
    task(NULL, 0, with);
}

/* Whether a recursive mutex lies there, which is locked once, or by nobody. */
static bool is_mutex(uintptr_t at, bool locked) {
    const struct __pthread_mutex_s *mutex = (const void *)at;
    return mutex->__lock == locked && mutex->__count == locked && mutex->__nusers == locked &&
           (mutex->__owner != 0) == locked && mutex->__kind == PTHREAD_MUTEX_RECURSIVE;
}

struct data {
    uintptr_t start, end;
    pthread_mutex_t *locked;
};

/* There may be another that is locked all along. */
static int look_in_callback(struct dl_phdr_info *info, size_t bytes, void *with) {
    struct data *data = with;
    (void)info, (void)bytes;
    for (; data->start + sizeof(pthread_mutex_t) <= data->end; data->start += 8) {
        if (is_mutex(data->start, true)) {
            data->locked = (pthread_mutex_t *)data->start;
            return 1;
        }
    }
    return 2;
}

/* The loader's data; false when it is not to be found. */
static bool find_data(struct data *data) {
    struct dl_find_object found;
    if (!silt_find_loader(&found)) {
        return false;
    }
    struct silt_extent extent = silt_extent_of(&found);
    for (unsigned i = 0; i < extent.count; i++) {
        const ElfW(Phdr) *segment = &extent.segments[i];
        if (segment->p_type == PT_LOAD && segment->p_flags & PF_W) {
            data->start = (extent.bias + segment->p_vaddr + 7) & ~(uintptr_t)7;
            data->end = extent.bias + segment->p_vaddr + segment->p_memsz;
            return true;
        }
    }
    return false;
}

/* The thread that had taken it stayed in the parent, and has changed nothing. */
static void forked(void) {
    if (holder && holder != silt_self()) {
        struct __pthread_mutex_s *mutex = &of_list->__data;
        mutex->__lock = mutex->__owner = 0;
        mutex->__count = mutex->__nusers = 0;
        holder = 0;
    }
}

void silt_held_init(void) {
    const struct link_map *libc = silt_map_at((void *)strnlen);
    struct data data = {0};
    iterate = libc ? (iterator *)silt_find_in(libc, "dl_iterate_phdr") : NULL;
    if (!iterate || of_list || silt_is_filtered() || !find_data(&data)) {
        return;
    }
    while (!of_list && iterate(look_in_callback, &data) == 1) {
        of_list = is_mutex(data.start, false) ? data.locked : NULL;
        data.start += 8;
    }
    pthread_atfork(NULL, NULL, forked);
}
