/* thread.c: which sink the calling thread writes to, hooks inside of hooks, and what happens when
 * the thread ends. */
#include "thread.h"

#include "aside.h"
#include "image.h"
#include "real.h"
#include "sandbox.h"
#include "sinks.h"
#include "slow.h"
#include "system.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* Tells that a thread ends. The program gets it when it wants all keys that there are: then ended
 * threads are found when their sinks are needed (sinks.c). */
static pthread_key_t ending;
static _Atomic bool has_key;
static _Atomic uint32_t key_users; /* threads that are about to set a value of it */
#define KEY_PATIENCE 1000          /* silt_rest: about a tenth of a second at most */

static void set_key(uintptr_t rounds) {
    key_users++;
    if (has_key) {
        pthread_setspecific(ending, (void *)rounds);
    }
    key_users--;
}

/* Whether a key has become free. A value that was set later would be that of the program's key,
 * which gets the number. */
static bool give_key_up(void) {
    if (!atomic_exchange(&has_key, false)) {
        return false;
    }
    for (unsigned i = 0; key_users && i < KEY_PATIENCE; i++) {
        silt_rest(&key_users);
    }
    return !key_users && pthread_key_delete(ending) == 0;
}

SILT_EXPORT int pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    silt_find_real();
    int result = silt_real.pthread_key_create(key, destructor);
    return result == EAGAIN && give_key_up() ? silt_real.pthread_key_create(key, destructor)
                                             : result;
}

SILT_EXPORT int tss_create(tss_t *key, tss_dtor_t destructor) {
    silt_find_real();
    int result = silt_real.tss_create(key, destructor);
    return result == thrd_error && give_key_up() ? silt_real.tss_create(key, destructor) : result;
}

/* Threads that have passed their last destructor still free blocks: in other destructors of the
 * last round, and in the C library. They share a sink and take it for one record at a time, since
 * nothing tells when a thread has done its last. [1] is the sink of signal handlers that interrupt
 * them. */
static struct shared_sink {
    int taken;
    struct silt_sink *sink;
} of_ended[2];

static struct silt_sink *take_shared(bool for_signals) {
    struct shared_sink *shared = &of_ended[for_signals];
    while (__atomic_exchange_n(&shared->taken, 1, __ATOMIC_ACQUIRE)) {
        silt_rest(&shared->taken);
    }
    if (!shared->sink) {
        shared->sink = silt_sink_take(for_signals, SILT_OWNER_SHARED);
    }
    return shared->sink;
}

static void leave_shared(bool for_signals) {
    __atomic_store_n(&of_ended[for_signals].taken, 0, __ATOMIC_RELEASE);
}

static void recover(void);

/* Nobody has created the first thread. */
static void emit_over(struct silt_sink *sink, uint32_t tid) {
    if (tid != silt_shared->pid) {
        uint64_t self = (uintptr_t)pthread_self();
        uint64_t payload[3] = {self, tid, SILT_THREAD};
        silt_emit_event(sink, SILT_X_THREAD_OVER, silt_stamp_shard(self), payload, 3);
    }
}

/* pthread_key destructor: other destructors that free may still follow, so it lets itself be called
 * again. */
static void thread_ends(void *rounds) {
    uintptr_t left = (uintptr_t)rounds;
    if (left > 1) {
        set_key(left - 1);
        return;
    }
    struct silt_thread *self = &silt_thread;
    if (self->state != SILT_IDLE && self->state != SILT_LENT) {
        recover(); /* canceled or left by longjmp(3) inside of a hook */
    }
    self->state = SILT_IN_RECORD; /* before the look at *silt_live: hooks.c says why */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (self->sink && self->image == silt_image_number && *silt_live) {
        uint32_t tid = self->sink->slot->owner;
        emit_over(self->sink, tid);
        silt_emit_thread_end(self->sink, tid);
        silt_sink_give_back(self->sink);
        if (self->signal_sink) {
            silt_sink_give_back(self->signal_sink);
        }
    }
    self->sink = self->signal_sink = NULL;
    self->ended = 1;
    self->state = SILT_ENDED;
}

void silt_threads_init(void) {
    has_key = silt_real.pthread_key_create(&ending, thread_ends) == 0;
}

void silt_threads_forget(void) {
    memset(of_ended, 0, sizeof of_ended);
    key_users = 0;
    silt_thread.sink = silt_thread.signal_sink = NULL;
}

/* ---- a hook begins while another one is under way ---- */

#define STACK_BYTES (8u << 20) /* frames further apart are taken to be on different stacks */

/* How a hook relates to the one under way. */
enum relation {
    INSIDE,  /* called by it: by the real allocator */
    HANDLER, /* in a signal handler that interrupted it */
    STALE    /* there is none: it was left by longjmp(3), or the thread has ended */
};

/* The stack tells: it either still holds the return address of the hook under way or not. */
static enum relation relation_of(uintptr_t frame) {
    const struct silt_thread *self = &silt_thread;
    uintptr_t sp = self->sp;
    if (self->state == SILT_ENDED) {
        return STALE;
    }
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

/* Back to the state in which no hook is under way. */
static void recover(void) {
    struct silt_thread *self = &silt_thread;
    if (self->state == SILT_ENDED) {
        return;
    }
    if (self->image == silt_image_number) {
        if (self->sink && self->state != SILT_IN_REAL) {
            silt_sink_recover(self->sink);
        }
        if (self->signal_sink && self->state == SILT_IN_SIGNAL) {
            silt_sink_recover(self->signal_sink);
        }
    }
    self->state = self->lender ? SILT_LENT : SILT_IDLE;
    if (self->ended) {
        for (int i = 0; i < 2; i++) {
            if (i ? self->signal_sink : self->sink) {
                leave_shared(i);
            }
        }
        self->sink = self->signal_sink = NULL;
        self->state = SILT_ENDED;
    }
}

uint32_t silt_thread_nested_real(uintptr_t frame) {
    struct silt_thread *self = &silt_thread;
    if (SILT_UNLIKELY(self->lender) && silt_is_guest()) {
        return SILT_GUEST;
    }
    uint32_t state = self->state;
    if (state == SILT_LENT) {
        self->sp = frame;
        self->state = SILT_IN_REAL;
        return state;
    }
    switch (relation_of(frame)) {
    case STALE:
        recover();
        state = self->state;
        self->sp = frame;
        self->state = SILT_IN_REAL;
        return state;
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

bool silt_thread_nested_record(uintptr_t frame, uint32_t *before) {
    struct silt_thread *self = &silt_thread;
    if (SILT_UNLIKELY(self->lender) && silt_is_guest()) {
        silt_pass_guest();
        return false;
    }
    uint32_t state = self->state;
    *before = state;
    if (state == SILT_LENT) {
        self->sp = frame;
        self->state = SILT_IN_RECORD;
        return true;
    }
    enum relation relation = relation_of(frame);
    if (relation == STALE) {
        recover();
        *before = self->state;
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

void silt_thread_leave_nested(uint32_t before) {
    struct silt_thread *self = &silt_thread;
    if (before == SILT_GUEST) {
        return;
    }
    if (before & SILT_OUTER_SP) {
        self->sp = self->outer_sp;
    }
    if (SILT_UNLIKELY(self->ended)) {
        if (self->state == SILT_IN_SIGNAL && self->signal_sink) {
            self->signal_sink = NULL;
            leave_shared(true);
        } else if (self->state == SILT_IN_RECORD && self->sink) {
            self->sink = NULL;
            leave_shared(false);
        }
    }
    self->state = before & 0xff;
}

static struct silt_sink *take_sink(void) {
    struct silt_thread *self = &silt_thread;
    if (self->image != silt_image_number) {
        self->sink = self->signal_sink = NULL;
        self->image = silt_image_number;
    }
    bool in_signal = self->state == SILT_IN_SIGNAL;
    struct silt_sink **sink = in_signal ? &self->signal_sink : &self->sink;
    if (*sink) {
        return *sink;
    }
    if (self->ended) {
        *sink = take_shared(in_signal);
        if (!*sink) {
            leave_shared(in_signal);
        }
        return *sink;
    }
    uint32_t tid = silt_tid();
    *sink = silt_sink_take(in_signal, tid);
    if (*sink && !in_signal) {
        silt_emit_thread(*sink, tid);
        set_key(PTHREAD_DESTRUCTOR_ITERATIONS - 1);
    }
    return *sink;
}

static uintptr_t take_sink_aside(const struct silt_origin *origin, uintptr_t unused,
                                 uintptr_t unused_too, uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    return (uintptr_t)take_sink();
}

struct silt_sink *silt_thread_sink(void) {
    const struct silt_thread *self = &silt_thread;
    if (self->state == SILT_IN_SIGNAL && self->signal_sink && self->image == silt_image_number) {
        return self->signal_sink;
    }
    return (struct silt_sink *)silt_aside(take_sink_aside, 0, 0, 0);
}
