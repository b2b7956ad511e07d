/*
 * lent.c: memory and thread pointers that the program lends. Everything here runs in a hook.
 *
 * A child that runs in its parent's memory has the thread pointer of the thread that made it,
 * unless it is given one of its own (CLONE_SETTLS), and so has a thread that is made without: two
 * threads of control then share what silt keeps of one thread. While the one waits for the other,
 * as at vfork(2), that is harmless. Where they run at the same time, only the one that the kernel
 * knew by that thread pointer first is recorded. From then on the thread is never SILT_IDLE, so
 * that its hooks ask who they are, and those of other threads do not.
 *
 * A fork child becomes an image of its own before it lends its memory: who borrows it could not.
 */
#define _GNU_SOURCE
#include "lent.h"

#include "image.h"
#include "sandbox.h"
#include "start.h"
#include "system.h"

#include <sched.h>

void silt_lend(uint64_t flags) {
    if (!(flags & CLONE_VM) || silt_phase == SILT_PHASE_OFF) {
        return;
    }
    if (!(flags & CLONE_THREAD)) {
        if (silt_phase == SILT_PHASE_RECORDING && !*silt_live) {
            silt_wake_child();
        }
        silt_lends = 1;
    }
    struct silt_thread *self = &silt_thread;
    if (flags & (CLONE_SETTLS | CLONE_VFORK) || self->lender) {
        return;
    }
    self->lender = silt_tid();
    if (self->state == SILT_IDLE) {
        self->state = SILT_LENT;
    }
}
