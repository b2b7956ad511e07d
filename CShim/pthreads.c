/*
 * pthreads.c: threads as the program creates, detaches and joins them. What runs in the new thread
 * is the program's own function: nothing is put in front of it.
 *
 * A thread's handle is used again as soon as it is joined, or over and detached, and its creator
 * may learn of it later than others: records name a thread by handle and tid (silt_wire.h). A
 * joined thread is given back after the real call, which may wait for hours, be canceled or fail.
 * Only one that is over already is given back before: then the call cannot wait, and its tid is
 * not known any more.
 */
#define _GNU_SOURCE
#include "careful.h"
#include "hooks.h"
#include "image.h"
#include "real.h"
#include "sandbox.h"

static uint32_t recorded_tid(uint32_t tid) {
    return tid == SILT_TID_UNKNOWN ? 0 : tid;
}

#define NEAR 4096u /* bytes of the stack outside of a hook's frame that are there */

/* The handle of a new thread, where its creator has it: on the stack, or in memory that the thread
 * may have given back by now. */
static bool read_handle(const void *there, bool stays, const void *frame, uint64_t *handle) {
    uintptr_t at = (uintptr_t)there;
    if (at - (uintptr_t)frame < NEAR) {
        *handle = *(const pthread_t *)there;
        return true;
    }
    return silt_careful_copy(at, handle, 1, 0, stays);
}

static void note_created(const void *there, bool detached, const void *frame) {
    uint64_t handle;
    uint32_t tid;
    /* One that nobody joins may be gone before it is looked at. */
    if (silt_is_ours() && read_handle(there, !detached, frame, &handle) &&
        silt_look_at_thread(handle, !detached, &tid)) {
        uint64_t flags = (detached ? SILT_THREAD_DETACHED : 0) | (tid ? 0 : SILT_THREAD_ENDED);
        silt_record_take(SILT_THREAD, handle, recorded_tid(tid) | flags << 32, frame);
    }
}

SILT_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                               void *(*start)(void *), void *argument) {
    silt_find_real();
    int detached = PTHREAD_CREATE_JOINABLE;
    if (attributes) {
        pthread_attr_getdetachstate(attributes, &detached);
    }
    silt_begin_if_forked();
    int result = silt_real.pthread_create(thread, attributes, start, argument);
    if (result == 0) {
        note_created(thread, detached == PTHREAD_CREATE_DETACHED, FRAME());
    }
    return result;
}

SILT_EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *argument) {
    silt_find_real();
    silt_begin_if_forked();
    int result = silt_real.thrd_create(thread, start, argument);
    if (result == thrd_success) {
        note_created(thread, false, FRAME());
    }
    return result;
}

/* Before the real call, which may give the handle back. */
static void note_detached(uintptr_t thread, const void *frame) {
    if (silt_is_ours()) {
        uint32_t tid = recorded_tid(silt_tid_of_unjoined(thread));
        silt_record_thread(SILT_X_THREAD_DETACH, thread, tid, frame);
    }
}

SILT_EXPORT int pthread_detach(pthread_t thread) {
    silt_find_real();
    note_detached(thread, FRAME());
    return silt_real.pthread_detach(thread);
}

SILT_EXPORT int thrd_detach(thrd_t thread) {
    silt_find_real();
    note_detached(thread, FRAME());
    return silt_real.thrd_detach(thread);
}

/* Whether the thread is given back when the real call succeeds: then with that tid. */
static bool goes_after(uintptr_t thread, uint32_t *tid, const void *frame) {
    if (!silt_is_ours()) {
        return false;
    }
    *tid = silt_tid_of_unjoined(thread);
    if (*tid == 0) {
        silt_record_thread(SILT_X_THREAD_JOIN, thread, 0, frame);
    }
    return *tid != 0;
}

/* The success of each is 0. */
#define JOIN(name, parameters, arguments)                                                          \
    SILT_EXPORT int name parameters {                                                              \
        uint32_t tid;                                                                              \
        silt_find_real();                                                                          \
        bool goes = goes_after(thread, &tid, FRAME());                                             \
        int result = silt_real.name arguments;                                                     \
        if (goes && result == 0) {                                                                 \
            silt_record_thread(SILT_X_THREAD_JOIN, thread, recorded_tid(tid), FRAME());            \
        }                                                                                          \
        return result;                                                                             \
    }

JOIN(pthread_join, (pthread_t thread, void **value), (thread, value))
JOIN(pthread_tryjoin_np, (pthread_t thread, void **value), (thread, value))
JOIN(pthread_timedjoin_np, (pthread_t thread, void **value, const struct timespec *until),
     (thread, value, until))
JOIN(pthread_clockjoin_np,
     (pthread_t thread, void **value, clockid_t clock, const struct timespec *until),
     (thread, value, clock, until))
JOIN(thrd_join, (thrd_t thread, int *value), (thread, value))
