/*
 * seccomp.c: prctl and syscall as the program calls them: what it is about to forbid itself.
 *
 * After seccomp(2)'s strict mode any system call of ours would end the program, so recording stops
 * before. Under a filter of its own it may forbid anything: from then on silt lives on memory it
 * has, on futex(2), and on more memory if the filter gives it; its fork children are not recorded.
 * A filter without futex counts as strict mode. A filter that was there at start does not matter:
 * it allowed the start. A filter installed by a bare instruction is not seen.
 */
#define _GNU_SOURCE
#include "descriptors.h"
#include "filter.h"
#include "hooks.h"
#include "image.h"
#include "real.h"
#include "sandbox.h"
#include "system.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum step { NEITHER, STRICT, FILTER, FILTER_WITHOUT_MAPS };

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

/* Some address for the calls that are tried out. */
static uint32_t some_word;

static bool allows_futex(const struct sock_fprog *program) {
    uint64_t address = (uintptr_t)&some_word;
    const uint64_t wait[6] = {address, FUTEX_WAIT, 1, address, 0, 0};
    const uint64_t wake[6] = {address, FUTEX_WAKE, 1, 0, 0, 0};
    const uint64_t look[6] = {address, FUTEX_WAIT_PRIVATE, 0, address, 0, 0}; /* careful.h */
    return silt_filter_allows(program, SYS_futex, wait) &&
           silt_filter_allows(program, SYS_futex, wake) &&
           silt_filter_allows(program, SYS_futex, look);
}

static bool allows_maps(const struct sock_fprog *program) {
    uint64_t address = (uintptr_t)&some_word & ~(uint64_t)4095;
    const uint64_t map[6] = {
        0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, ~0ull, 0};
    const uint64_t unmap[6] = {address, 1 << 20, 0, 0, 0, 0};
    const uint64_t remap[6] = {address, 1 << 20, 2 << 20, MREMAP_MAYMOVE, 0, 0};
    return silt_filter_allows(program, SYS_mmap, map) &&
           silt_filter_allows(program, SYS_munmap, unmap) &&
           silt_filter_allows(program, SYS_mremap, remap);
}

/* Before the program takes that step. Returns what has to be taken back if it fails. The kernel
 * refuses strict mode under a filter; what a vfork child forbids itself does not concern its
 * parent. `frame` is that of the hook. */
static enum step prepare(enum step step, const struct sock_fprog *program, const void *frame) {
    if (step == NEITHER || silt_is_borrowed() ||
        (step == FILTER && !silt_filter_is_there(program))) {
        return NEITHER;
    }
    /* What is taken at the first event of a process and of a thread. */
    uint32_t before;
    if (!silt_is_filtered() && silt_enter(frame, &before)) {
        silt_leave(before);
    }
    if (step == STRICT) {
        if (!silt_is_filtered() && silt_call(SYS_prctl, PR_GET_SECCOMP) == 0) {
            silt_switch_off(SILT_OFF_STRICT);
        }
        return NEITHER;
    }
    if (!allows_futex(program)) {
        silt_switch_off(SILT_OFF_STRICT);
    }
    bool maps = allows_maps(program);
    silt_sandbox_enter(maps);
    return maps ? FILTER : FILTER_WITHOUT_MAPS;
}

/* A filter that the kernel refused is not there. */
static void conclude(enum step step, long result) {
    if (step != NEITHER && result == -1) {
        silt_sandbox_leave(step == FILTER);
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
    const struct sock_fprog *program = (const void *)a[1];
    enum step step = prepare(step_of_prctl(option, a[0]), program, __builtin_frame_address(0));
    int result;
    if (SILT_LIKELY(silt_real.prctl != NULL)) {
        result = silt_real.prctl(option, a[0], a[1], a[2], a[3]);
    } else {
        long raw = silt_call(SYS_prctl, option, a[0], a[1], a[2], a[3]);
        result = raw < 0 ? (errno = (int)-raw, -1) : (int)raw;
    }
    conclude(step, result);
    return result;
}

/* The system calls that matter. */
static __attribute__((used)) long watched(long number, long a, long b, long c, long d, long e,
                                          long f) __asm__("silt_watched_call");

static long watched(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    if (silt_descriptor_call(number, a, b, c, &result)) {
        return result;
    }
    enum step step = number == SYS_seccomp ? step_of_seccomp((unsigned long)a)
                     : number == SYS_prctl ? step_of_prctl((int)a, (unsigned long)b)
                                           : NEITHER;
    const struct sock_fprog *program = (const void *)c;
    step = prepare(step, program, __builtin_frame_address(0));
    if (SILT_LIKELY(silt_real.syscall != NULL)) {
        result = silt_real.syscall(number, a, b, c, d, e, f);
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

/* All other calls reach the next definition with every register and the stack unchanged. */
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
