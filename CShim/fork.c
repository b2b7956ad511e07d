/*
 * fork.c: what makes processes, as the program calls it, and what a fork child does at once.
 *
 * Children that use their parent's memory are only noticed: the next definition is jumped to, with
 * every register and the stack unchanged, since a vfork child returns before its parent does.
 */
#define _GNU_SOURCE
#include "fork.h"

#include "image.h"
#include "lent.h"
#include "memory.h"
#include "real.h"
#include "stream.h"

#include <sched.h>
#include <unistd.h>

/* A fork by a signal handler may have interrupted a hook that this thread will return into. */
void silt_forked(void) {
    silt_lends = 0; /* its parent's children are not its own */
    silt_lent_forget();
    const struct silt_thread *self = &silt_thread;
    bool uses_sinks = self->state == SILT_IN_RECORD || self->state == SILT_IN_SIGNAL ||
                      self->state == SILT_IN_SIGNAL_REAL;
    if (silt_phase != SILT_PHASE_RECORDING || !uses_sinks || self->image != silt_image_number) {
        return;
    }
    if (self->sink) {
        silt_memory_cover(self->sink->index, self->sink->ring);
    }
    if (self->signal_sink) {
        silt_memory_cover(self->signal_sink->index, self->signal_sink->ring);
    }
}

/* fork(3) without the handlers of pthread_atfork(3). */
SILT_EXPORT pid_t _Fork(void) {
    pid_t child = silt_real._Fork ? silt_real._Fork() : -1;
    if (child == 0) {
        silt_forked();
    }
    return child;
}

/* The next definition of a hook, in r11. */
#define FIND_REAL(name)                                                                            \
    "movq silt_real_" name "(%rip), %r11\n\t"                                                      \
    "testq %r11, %r11\n\t"                                                                         \
    "jne 1f\n\t" SILT_KEEP_ARGUMENTS("call silt_find_real\n\t") "movq silt_real_" name             \
                                                                "(%rip), %r11\n"                   \
                                                                "1:\t"

/* clang-format off */
SILT_EXPORT __attribute__((naked)) pid_t vfork(void) {
    __asm__(SILT_KEEP_ARGUMENTS("movl $0x4100, %edi\n\t"
                                "call silt_lend\n\t")
            FIND_REAL("vfork")
            "jmp *%r11");
}

SILT_EXPORT __attribute__((naked)) int clone(int (*run)(void *) __attribute__((unused)),
                                             void *stack __attribute__((unused)),
                                             int flags __attribute__((unused)),
                                             void *argument __attribute__((unused)), ...) {
    __asm__(SILT_KEEP_ARGUMENTS("movl %edx, %edi\n\t"
                                "call silt_lend\n\t")
            FIND_REAL("clone")
            "jmp *%r11");
}
/* clang-format on */

_Static_assert((CLONE_VM | CLONE_VFORK) == 0x4100, "sched.h");
