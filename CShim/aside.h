/* aside.h: rare work runs on a stack of the shim's own (aside.c). */
#ifndef SILT_ASIDE_H
#define SILT_ASIDE_H

#include "macros.h"

#include <stdbool.h>
#include <stdint.h>

/* The registers that a call preserves, as they are where silt_aside returns to silt_aside's own
 * frame: a walk outward can begin there. */
struct silt_origin {
    uintptr_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
};

typedef uintptr_t silt_task(const struct silt_origin *origin, uintptr_t a, uintptr_t b,
                            uintptr_t c);

/* Runs a task on a stack of the shim's own, with signals blocked, and returns its result. In a
 * hook. */
uintptr_t silt_aside(silt_task *task, uintptr_t a, uintptr_t b, uintptr_t c);

/* Calls task(origin, a, b, c) with the stack pointer at `top`, or where it is if that is 0. */
uintptr_t silt_aside_switch(uintptr_t top, silt_task *task, uintptr_t a, uintptr_t b,
                            uintptr_t c) SILT_HIDDEN;

/* Blocks the signals that a task runs without; false where they cannot be. In a hook. */
bool silt_signals_block(uint64_t *mask);
void silt_signals_restore(const uint64_t *mask);

/* In a fork child, before its first task: stacks that other threads of the parent were on are free.
 */
void silt_aside_forget(void);

/* Whether an address is code of the switch between two stacks, whose frame unwinders take for that
 * of a signal. */
bool silt_aside_is_switch(uintptr_t address);

#endif
