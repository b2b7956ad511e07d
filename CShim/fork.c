/*
 * fork.c: what makes processes, as the program calls it, and what a fork child does at once.
 *
 * Children that use their parent's memory are only noticed: the next definition is jumped to, with
 * every register and the stack unchanged, since a vfork child returns before its parent does.
 */
#define _GNU_SOURCE
#include "fork.h"

#include "image.h"
#include "memory.h"
#include "real.h"
#include "stream.h"

#include <sched.h>
#include <unistd.h>

/* A fork by a signal handler may have interrupted a hook that this thread will return into. */
void silt_forked(void) {
    silt_lends = 0; /* its parent's children are not its own */
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
    "jne 1f\n\t"                                                                                   \
    "pushq %rdi\n\tpushq %rsi\n\tpushq %rdx\n\tpushq %rcx\n\tpushq %r8\n\tpushq %r9\n\t"           \
    "subq $8, %rsp\n\t"                                                                            \
    "call silt_find_real\n\t"                                                                      \
    "addq $8, %rsp\n\t"                                                                            \
    "popq %r9\n\tpopq %r8\n\tpopq %rcx\n\tpopq %rdx\n\tpopq %rsi\n\tpopq %rdi\n\t"                 \
    "movq silt_real_" name "(%rip), %r11\n"                                                        \
    "1:\t"

/* clang-format off */
SILT_EXPORT __attribute__((naked)) pid_t vfork(void) {
    __asm__("movl $1, silt_lends(%rip)\n\t"
            FIND_REAL("vfork")
            "jmp *%r11");
}

/* With CLONE_VM, but without CLONE_THREAD: a process. */
SILT_EXPORT __attribute__((naked)) int clone(int (*run)(void *) __attribute__((unused)),
                                             void *stack __attribute__((unused)),
                                             int flags __attribute__((unused)),
                                             void *argument __attribute__((unused)), ...) {
    __asm__("movl %edx, %r11d\n\t"
            "andl $0x10100, %r11d\n\t"
            "cmpl $0x100, %r11d\n\t"
            "jne 2f\n\t"
            "movl $1, silt_lends(%rip)\n"
            "2:\t"
            FIND_REAL("clone")
            "jmp *%r11");
}
/* clang-format on */

_Static_assert(CLONE_VM == 0x100 && CLONE_THREAD == 0x10000, "sched.h");
