/* image.h: the state of the process image that is recorded, and of the calling thread in it. */
#ifndef SILT_IMAGE_H
#define SILT_IMAGE_H

#include "macros.h"
#include "silt_wire.h"

#include <stdbool.h>
#include <stdint.h>

struct silt_sink;

/* State of the calling thread; initial-exec, trivial. */
struct silt_thread {
    struct silt_sink *sink;
    struct silt_sink *signal_sink;
    uintptr_t sp;       /* frame of the hook that is under way */
    uintptr_t outer_sp; /* frame of the hook that it interrupted in the real allocator */
    uint32_t state;     /* enum silt_state */
    uint32_t image;     /* silt_image_number when the sinks were taken */
    uint32_t ended;     /* the thread has passed its last destructor */
    uint32_t aside;  /* the stack it is on, or was on when a handler left it (aside.c); 0: none */
    uint32_t lender; /* its tid, once others may have its thread pointer too (lent.c); else 0 */
};
enum silt_state {
    SILT_IDLE = 0,
    SILT_IN_REAL = 1,        /* the real allocator runs; the sink is free */
    SILT_IN_RECORD = 2,      /* the sink is in use */
    SILT_IN_SIGNAL_REAL = 3, /* as IN_REAL, in a signal handler that interrupted IN_RECORD */
    SILT_IN_SIGNAL = 4,      /* the signal sink is in use too */
    SILT_ENDED = 5,          /* as IDLE, in a thread that has ended: it has no sinks of its own */
    SILT_LENT = 6,           /* as IDLE, in a thread whose pointer others have too (lent.c) */
    SILT_OUTER_SP = 0x100,   /* flag of what to go back to: sp is that of an interrupted hook */
    SILT_GUEST = 0x200       /* to go back to nothing: the state is another's */
};
extern __thread struct silt_thread silt_thread SILT_HIDDEN
    __attribute__((tls_model("initial-exec")));

/* Tells threads apart without a system call, which a filter may forbid; a vfork(2) child is its
 * parent's. */
static inline uintptr_t silt_self(void) {
    return (uintptr_t)&silt_thread;
}

/* Not 0 while events are recorded. It lies in a page that fork wipes, so a child reads 0. The value
 * also says whether frees are recorded with their stacks, so that frees that are not need to look
 * at nothing else. */
enum silt_liveness { SILT_NOT_LIVE = 0, SILT_LIVE = 1, SILT_LIVE_FREE_STACKS = 2 };
extern volatile uint32_t *silt_live SILT_HIDDEN;

/* The header of the memory file. */
extern struct silt_header *silt_shared SILT_HIDDEN;

/* Rises with each image of this process, which a fork makes: state with another number is the
 * parent's. */
extern uint32_t silt_image_number SILT_HIDDEN;

enum silt_phase {
    SILT_PHASE_NOTHING, /* nothing has been called yet */
    SILT_PHASE_STARTING,
    SILT_PHASE_RECORDING, /* also in a fork child before its first event */
    SILT_PHASE_OFF
};
extern _Atomic uint32_t silt_phase SILT_HIDDEN;

/* Recording begins; `live` is the page that fork wipes. At start, in a fork child. */
void silt_image_begin(volatile uint32_t *live, enum silt_liveness liveness);
/* What this process has is its parent's, until silt_image_begin. In a fork child. */
void silt_image_next(void);
/* Recording ends for good: from now on the hooks only forward. In a hook. */
void silt_switch_off(enum silt_off reason);
/* The same in two steps, around a call after which no system call may be made: nothing is recorded
 * from the first on, and the second says whether that stays so. In a hook. */
struct silt_pause {
    uint64_t at_ns;
    uint32_t phase;
    uint32_t live;
};
struct silt_pause silt_pause_recording(void);
void silt_conclude_pause(struct silt_pause pause, bool stays, enum silt_off reason);
/* Whether the caller is a vfork(2) child, which has the memory of the image that is recorded but is
 * another process. In a hook. */
bool silt_is_borrowed(void);
/* Not 0 once the program may have made such a child (fork.c): as long as it is 0, nobody needs to
 * ask. */
extern uint32_t silt_lends SILT_HIDDEN;

/* Something that a guest does (silt_is_guest) is not recorded. In a hook, while recording. */
void silt_pass_guest(void);
/* The caller has its thread pointer for itself. In a fork child. */
void silt_lent_forget(void);

/* The value of an environment variable of the program; NULL when it is not set. In a hook. */
const char *silt_variable(const char *name);

#endif
