/*
 * sandbox.c: prctl and syscall as the program calls them: what it is about to forbid itself.
 *
 * After seccomp(2)'s strict mode any system call of ours would end the program, so recording stops
 * before. Under a filter of its own it may forbid anything: from then on silt uses memory and
 * futex(2) only. A filter that was there at start is no concern: it let the start pass.
 */
#define _GNU_SOURCE
#include "silt_internal.h"
#include "system.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <unistd.h>

static int (*real_prctl)(int, ...);
static long (*real_syscall)(long, ...) __asm__("silt_real_syscall") __attribute__((used));

void silt_find_sandbox_calls(void) {
    real_prctl = (int (*)(int, ...))silt_next("prctl");
    real_syscall = (long (*)(long, ...))silt_next("syscall");
}

static _Atomic uint32_t filtered;

bool silt_is_filtered(void) {
    return filtered;
}

enum step { NEITHER, STRICT, FILTER };

static enum step step_of_seccomp(unsigned long operation) {
    return operation == SECCOMP_SET_MODE_STRICT   ? STRICT
           : operation == SECCOMP_SET_MODE_FILTER ? FILTER
                                                  : NEITHER;
}

static enum step step_of_prctl(int option, unsigned long mode) {
    return option != PR_SET_SECCOMP      ? NEITHER
           : mode == SECCOMP_MODE_STRICT ? STRICT
           : mode == SECCOMP_MODE_FILTER ? FILTER
                                         : NEITHER;
}

/* Before the program takes that step, which returns what it takes. Strict mode is refused to who is
 * under a filter already; what a vfork child forbids itself is its own. */
static enum step prepare(enum step step) {
    if (step == NEITHER || filtered || silt_is_borrowed()) {
        return NEITHER;
    }
    if (step == STRICT && silt_call(SYS_prctl, PR_GET_SECCOMP) == 0) {
        silt_switch_off(SILT_OFF_STRICT);
    } else if (step == FILTER) {
        filtered = 1;
    }
    return step;
}

static void conclude(enum step step, long result) {
    if (step == FILTER && result == -1) {
        filtered = 0;
    }
}

SILT_EXPORT int prctl(int option, ...) {
    va_list list;
    unsigned long a[4];
    va_start(list, option);
    for (unsigned i = 0; i < 4; i++) {
        a[i] = va_arg(list, unsigned long);
    }
    va_end(list);
    enum step step = prepare(step_of_prctl(option, a[0]));
    int result;
    if (SILT_LIKELY(real_prctl != NULL)) {
        result = real_prctl(option, a[0], a[1], a[2], a[3]);
    } else {
        long raw = silt_call(SYS_prctl, option, a[0], a[1], a[2], a[3]);
        result = raw < 0 ? (errno = (int)-raw, -1) : (int)raw;
    }
    conclude(step, result);
    return result;
}

/* Those of the system calls that are looked at. */
static __attribute__((used)) long watched(long number, long a, long b, long c, long d, long e,
                                          long f) __asm__("silt_watched_call");

static long watched(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    if (silt_descriptor_call(number, a, b, c, &result)) {
        return result;
    }
    enum step step = prepare(number == SYS_seccomp ? step_of_seccomp((unsigned long)a)
                             : number == SYS_prctl ? step_of_prctl((int)a, (unsigned long)b)
                                                   : NEITHER);
    if (SILT_LIKELY(real_syscall != NULL)) {
        result = real_syscall(number, a, b, c, d, e, f);
    } else {
        result = silt_call(number, a, b, c, d, e, f);
        if (result < 0 && result > -4096) {
            errno = (int)-result;
            result = -1;
        }
    }
    conclude(step, result);
    return result;
}

/* All other calls go on with every register and the stack as they came. */
SILT_EXPORT __attribute__((naked)) long syscall(long number __attribute__((unused)), ...) {
    /* clang-format off */
    __asm__("cmpq $3, %rdi\n\t"   /* close */
            "je 1f\n\t"
            "cmpq $33, %rdi\n\t"  /* dup2 */
            "je 1f\n\t"
            "cmpq $157, %rdi\n\t" /* prctl */
            "je 1f\n\t"
            "cmpq $292, %rdi\n\t" /* dup3 */
            "je 1f\n\t"
            "cmpq $317, %rdi\n\t" /* seccomp */
            "je 1f\n\t"
            "cmpq $436, %rdi\n\t" /* close_range */
            "je 1f\n\t"
            "movq silt_real_syscall(%rip), %r11\n\t"
            "testq %r11, %r11\n\t"
            "je 1f\n\t"
            "jmp *%r11\n"
            "1:\tjmp silt_watched_call");
    /* clang-format on */
}

_Static_assert(SYS_close == 3 && SYS_dup2 == 33 && SYS_prctl == 157 && SYS_dup3 == 292 &&
                   SYS_seccomp == 317 && SYS_close_range == 436,
               "x86-64");
