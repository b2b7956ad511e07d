/* image.c: the state of the process image that is recorded. Everything here may run in a hook. */
#define _GNU_SOURCE
#include "image.h"

#include "system.h"

#include <string.h>
#include <unistd.h>

__thread struct silt_thread silt_thread;
static uint32_t not_live;
volatile uint32_t *silt_live = &not_live;
struct silt_header *silt_shared;
uint32_t silt_image_number = 1;
_Atomic uint32_t silt_phase;
uint32_t silt_lends;

void silt_image_begin(volatile uint32_t *live, enum silt_liveness liveness) {
    *live = liveness;
    silt_live = live;
    silt_phase = SILT_PHASE_RECORDING;
}

void silt_image_next(void) {
    silt_image_number++;
    silt_live = &not_live;
}

static void say_off(enum silt_off reason, uint64_t at_ns) {
    uint32_t none = SILT_OFF_NO;
    if (__atomic_compare_exchange_n(&silt_shared->off_reason, &none, reason, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        silt_shared->off_ns = at_ns;
        __atomic_store_n(&silt_shared->switched_off, 1, __ATOMIC_RELEASE);
    }
}

/* A fork child that has no header yet reads that nothing is live. */
struct silt_pause silt_pause_recording(void) {
    struct silt_pause pause = {silt_now_ns(), silt_phase, *silt_live};
    silt_phase = SILT_PHASE_OFF;
    if (pause.live) {
        *silt_live = SILT_NOT_LIVE;
    }
    return pause;
}

void silt_conclude_pause(struct silt_pause pause, bool stays, enum silt_off reason) {
    if (stays && pause.live) {
        say_off(reason, pause.at_ns);
    } else if (!stays) {
        silt_phase = pause.phase;
        if (pause.live) {
            *silt_live = pause.live;
        }
    }
}

void silt_switch_off(enum silt_off reason) {
    silt_conclude_pause(silt_pause_recording(), true, reason);
}

bool silt_is_borrowed(void) {
    return *silt_live && (uint32_t)silt_call(SYS_getpid, 0) != silt_shared->pid;
}

void silt_pass_guest(void) {
    __atomic_fetch_add(&silt_shared->of_guests, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&silt_shared->lost, 1, __ATOMIC_RELAXED);
}

void silt_lent_forget(void) {
    struct silt_thread *self = &silt_thread;
    self->lender = 0;
    if (self->state == SILT_LENT) {
        self->state = SILT_IDLE;
    }
}

const char *silt_variable(const char *name) {
    size_t length = strlen(name);
    for (char **entry = environ; entry && *entry; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
            return *entry + length + 1;
        }
    }
    return NULL;
}
