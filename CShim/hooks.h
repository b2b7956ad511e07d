/* hooks.h: recording, for the hooks of other files; `frame` is that of the hook. In a hook. */
#ifndef SILT_HOOKS_H
#define SILT_HOOKS_H

#include "stream.h"

/* What becomes of a block. */
enum silt_fate {
    SILT_FREED,
    SILT_MOVED, /* to where realloc puts it, unless that fails */
    SILT_KEPT   /* the realloc before has failed */
};

void silt_record_alloc(void *block, size_t bytes, const void *frame, bool moved);
void silt_record_free(void *block, const void *frame, enum silt_fate fate);
/* How far the thread's sink has come. */
uint64_t silt_position(void);
/* Records an allocation, unless a nested hook has recorded that very block since silt_position gave
 * `since`. */
void silt_record_alloc_once(void *block, size_t bytes, const void *frame, uint64_t since);

/* Around a call of the real allocator. */
uint32_t silt_into_real(const void *frame);
void silt_leave(uint32_t before);
/* Begins the record of an event; NULL when it is not to be recorded, else silt_leave must follow.
 */
struct silt_sink *silt_enter(const void *frame, uint32_t *before);

/* Before a call that makes a thread: a fork child becomes an image of its own while it has one
 * (silt_own_is_alone). errno stays. */
void silt_begin_if_forked(void);

/* Whether what has a handle is the image's: not in a vfork(2) child, whose events are not its
 * parent's. Where a filter forbids to ask nothing is, of a program that has made such children. */
bool silt_is_ours(void);
/* The program has taken something that has a handle; it is about to give it back. For resources
 * that are neither blocks nor ranges. One handle names one thing at a time. */
void silt_record_take(enum silt_resource resource, uint64_t handle, uint64_t size,
                      const void *frame);
/* The same for a descriptor, which is returned. */
int silt_record_opened(int fd, const void *frame);
void silt_record_give(enum silt_resource resource, uint64_t handle, const void *frame);
/* The last silt_record_give of this thread, which had this handle, did not come about. */
void silt_record_kept(enum silt_resource resource, uint64_t handle, const void *frame);
/* SILT_X_THREAD_OVER, SILT_X_THREAD_DETACH or SILT_X_THREAD_JOIN. */
void silt_record_thread(enum silt_extended type, uint64_t handle, uint32_t tid, const void *frame);

#endif
