/* thread.c: which sink the calling thread writes to, and what happens when the thread ends. */
#include "silt_internal.h"
#include "system.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

__thread struct silt_thread silt_thread;
static pthread_key_t ending;
static bool has_key;

static void announce_thread(struct silt_sink *sink, uint32_t type) {
    uint64_t payload[3] = {0, 0, 0};
    long tid = silt_call(SYS_gettid, 0);
    char name[16] = {0};
    silt_call(SYS_prctl, 16 /* PR_GET_NAME */, name, 0, 0, 0);
    payload[0] = (uint64_t)tid;
    memcpy(&payload[1], name, sizeof name);
    sink->slot->tid = type == SILT_X_THREAD ? (uint32_t)tid : 0;
    silt_emit_extended(sink, type, payload, type == SILT_X_THREAD ? 3 : 1);
}

/* pthread_key destructor: other destructors that free may still follow, so it lets itself be called
 * again. */
static void thread_ends(void *rounds) {
    uintptr_t left = (uintptr_t)rounds;
    if (left > 1) {
        pthread_setspecific(ending, (void *)(left - 1));
        return;
    }
    struct silt_thread *self = &silt_thread;
    self->ended = 1;
    if (self->sink && self->image == silt_image_number && *silt_live) {
        uint32_t state = self->state;
        self->state = SILT_IN_RECORD;
        announce_thread(self->sink, SILT_X_THREAD_END);
        silt_sink_give_back(self->sink);
        self->state = state;
    }
    self->sink = NULL;
}

void silt_threads_init(void) {
    has_key = pthread_key_create(&ending, thread_ends) == 0;
}

/* The calling thread's sink, taken at its first event; NULL when there is none to be had. In a
 * hook. */
struct silt_sink *silt_thread_sink(void) {
    struct silt_thread *self = &silt_thread;
    if (self->image != silt_image_number) {
        self->sink = self->signal_sink = NULL;
        self->image = silt_image_number;
    }
    if (self->state == SILT_IN_SIGNAL) {
        if (!self->signal_sink) {
            self->signal_sink = silt_sink_take(true);
        }
        return self->signal_sink;
    }
    if (!self->sink) {
        self->sink = silt_sink_take(false);
        if (!self->sink) {
            return NULL;
        }
        announce_thread(self->sink, SILT_X_THREAD);
        if (has_key && !self->ended) {
            pthread_setspecific(ending, (void *)(uintptr_t)(PTHREAD_DESTRUCTOR_ITERATIONS - 1));
        }
    }
    return self->sink;
}
