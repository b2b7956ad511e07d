/* thread.c: which sink the calling thread writes to, hooks inside of hooks, and what happens when
 * the thread ends. */
#include "aside.h"
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
        if (self->signal_sink) {
            silt_sink_give_back(self->signal_sink);
        }
        self->state = state;
    }
    self->sink = self->signal_sink = NULL;
}

void silt_threads_init(void) {
    has_key = pthread_key_create(&ending, thread_ends) == 0;
}

/* ---- a hook begins while another one is under way ---- */

#define STACK_BYTES (8u << 20) /* frames further apart are taken to be on different stacks */

/* How a hook relates to the one under way. */
enum relation {
    INSIDE,  /* called by it: by the real allocator */
    HANDLER, /* in a signal handler that interrupted it */
    STALE    /* that one was left by longjmp(3), its mark is all there is of it */
};

/* The stack tells: it either still holds the return address of the hook under way or not. */
static enum relation relation_of(uintptr_t frame) {
    const struct silt_thread *self = &silt_thread;
    uintptr_t sp = self->sp;
    switch (silt_walk_reaches(frame, sp + 8)) {
    case SILT_REACHED:
        return INSIDE;
    case SILT_REACHED_SIGNAL:
        return HANDLER;
    case SILT_PASSED:
        return STALE;
    case SILT_NOT_REACHED:
        /* Its sink may be in use by a coroutine that a handler left, on another stack: only a frame
         * that lies further out on the same stack shows that its own is gone. */
        return self->state == SILT_IN_REAL || (frame >= sp && frame - sp < STACK_BYTES) ? STALE
                                                                                        : HANDLER;
    case SILT_REACH_UNKNOWN:
        break;
    }
    return self->state == SILT_IN_REAL && frame < sp && sp - frame < STACK_BYTES ? INSIDE : HANDLER;
}

static void recover(void) {
    struct silt_thread *self = &silt_thread;
    if (self->image == silt_image_number) {
        if (self->sink && self->state != SILT_IN_REAL) {
            silt_sink_recover(self->sink);
        }
        if (self->signal_sink && self->state == SILT_IN_SIGNAL) {
            silt_sink_recover(self->signal_sink);
        }
    }
    self->state = SILT_IDLE;
}

/* In a hook. */
uint32_t silt_thread_nested_real(uintptr_t frame) {
    struct silt_thread *self = &silt_thread;
    uint32_t state = self->state;
    switch (relation_of(frame)) {
    case STALE:
        recover();
        self->sp = frame;
        self->state = SILT_IN_REAL;
        return SILT_IDLE;
    case HANDLER:
        if (state == SILT_IN_RECORD) {
            self->state = SILT_IN_SIGNAL_REAL;
        } else if (state == SILT_IN_REAL) {
            self->outer_sp = self->sp;
            self->sp = frame;
            return SILT_IN_REAL | SILT_OUTER_SP;
        }
        return state;
    case INSIDE:
        break;
    }
    return state;
}

/* In a hook. */
bool silt_thread_nested_record(uintptr_t frame, uint32_t *before) {
    struct silt_thread *self = &silt_thread;
    uint32_t state = self->state;
    enum relation relation = relation_of(frame);
    *before = state;
    if (relation == STALE) {
        recover();
        *before = SILT_IDLE;
        self->sp = frame;
        self->state = SILT_IN_RECORD;
        return true;
    }
    switch (state) {
    case SILT_IN_RECORD:
        self->state = SILT_IN_SIGNAL;
        return true;
    case SILT_IN_REAL:
        if (relation == INSIDE) {
            return false;
        }
        *before = SILT_IN_REAL | SILT_OUTER_SP;
        self->outer_sp = self->sp;
        self->sp = frame;
        self->state = SILT_IN_RECORD;
        return true;
    case SILT_IN_SIGNAL:
        __atomic_fetch_add(&silt_shared->reentered, 1, __ATOMIC_RELAXED);
        return false;
    default:
        return false;
    }
}

/* In a hook. */
void silt_thread_leave_nested(uint32_t before) {
    struct silt_thread *self = &silt_thread;
    if (before & SILT_OUTER_SP) {
        self->sp = self->outer_sp;
    }
    self->state = before & 0xff;
}

static struct silt_sink *take_sink(void) {
    struct silt_thread *self = &silt_thread;
    if (self->image != silt_image_number) {
        self->sink = self->signal_sink = NULL;
        self->image = silt_image_number;
    }
    if (self->state == SILT_IN_SIGNAL) {
        if (!self->signal_sink) {
            self->signal_sink = silt_sink_take(true);
            if (self->signal_sink) {
                self->signal_sink->slot->tid = (uint32_t)silt_call(SYS_gettid, 0);
            }
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

static uintptr_t take_sink_aside(const struct silt_origin *origin, uintptr_t unused,
                                 uintptr_t unused_too, uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    return (uintptr_t)take_sink();
}

/* The calling thread's sink, taken at its first event; NULL when there is none to be had. In a
 * hook. */
struct silt_sink *silt_thread_sink(void) {
    const struct silt_thread *self = &silt_thread;
    if (self->state == SILT_IN_SIGNAL && self->signal_sink && self->image == silt_image_number) {
        return self->signal_sink;
    }
    return (struct silt_sink *)silt_aside(take_sink_aside, 0, 0, 0);
}
