/* system.h: raw system calls. They leave errno alone and are no cancellation points (pthreads(7)).
 */
#ifndef SILT_SYSTEM_CALLS_H
#define SILT_SYSTEM_CALLS_H

#include <linux/futex.h>
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

/* Rests a moment while another thread holds a lock, which is 1 then: by futex(2), which sandboxes
 * let pass. */
static inline void silt_rest(const void *lock) {
    struct timespec moment = {0, 50000};
    silt_call(SYS_futex, lock, FUTEX_WAIT_PRIVATE, 1, &moment, 0, 0);
}

#endif
