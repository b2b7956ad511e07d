/* system.h: raw system calls. They leave errno alone and are no cancellation points (pthreads(7)).
 * In a hook. */
#ifndef SILT_SYSTEM_CALLS_H
#define SILT_SYSTEM_CALLS_H

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

static inline long silt_call6(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#define silt_call(number, ...) silt_call_(number, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define silt_call_(number, a, b, c, d, e, f, ...)                                                  \
    silt_call6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Whether the result of a system call that answers with an address is a negative errno. */
static inline bool silt_call_failed(long result) {
    return result < 0 && result > -4096;
}

/* What a function of the C library makes of such a result. */
static inline long silt_outcome(long result) {
    if (silt_call_failed(result)) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

/* A number of bytes rounded up to whole pages. */
static inline size_t silt_whole_pages(size_t bytes) {
    return (bytes + 4095) & ~(size_t)4095;
}

/* CLOCK_MONOTONIC. */
static inline uint64_t silt_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Never 0. */
static inline uint64_t silt_random(void) {
    uint64_t number = 0;
    silt_call(SYS_getrandom, &number, sizeof number, 0);
    return number | 1;
}

/* Waits a moment while another thread holds a lock, whose value is 1 then: by futex(2), which
 * sandboxes allow. */
static inline void silt_rest(const void *lock) {
    struct timespec moment = {0, 50000};
    silt_call(SYS_futex, lock, FUTEX_WAIT_PRIVATE, 1, &moment, 0, 0);
}

#endif
