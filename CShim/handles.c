/*
 * handles.c: timers, named semaphores, locales and attached segments as the program makes them and
 * gives them back.
 *
 * The functions of timers have an old version each, which deals in other handles (glibc's
 * timer_create@GLIBC_2.2.5: an int). Hooks are put in front of the newer ones alone: they have
 * their versions, all others have none and stand for all (hook_table.h).
 */
#define _GNU_SOURCE
#include "hooks.h"
#include "image.h"
#include "real.h"
#include "sandbox.h"
#include "system.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/shm.h>
#include <sys/time.h>

static void take(enum silt_resource resource, uintptr_t handle, const void *frame) {
    if (silt_is_ours()) {
        silt_record_take(resource, handle, 1, frame);
    }
}

static void give(enum silt_resource resource, uintptr_t handle, const void *frame) {
    if (silt_is_ours()) {
        silt_record_give(resource, handle, frame);
    }
}

/* ---- timers ---- */

#define VERSIONS(name, newer, older)                                                               \
    __asm__(".symver " #name "," #name "@@@" #newer "\n\t"                                         \
            ".globl silt_older_" #name "\n\t"                                                      \
            ".set silt_older_" #name "," #name "\n\t"                                              \
            ".symver silt_older_" #name "," #name "@" #older);
SILT_VERSIONED_HOOKS(VERSIONS)

SILT_EXPORT int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer) {
    silt_find_real();
    silt_begin_if_forked(); /* it may make a thread (SIGEV_THREAD) */
    int result = silt_real.timer_create(clock, event, timer);
    if (result == 0) {
        take(SILT_TIMER, (uintptr_t)*timer, FRAME());
    }
    return result;
}

SILT_EXPORT int timer_delete(timer_t timer) {
    silt_find_real();
    give(SILT_TIMER, (uintptr_t)timer, FRAME());
    return silt_real.timer_delete(timer);
}

/* A process has one timer for each of three clocks, which the next call replaces. One that is armed
 * once ends by itself; one that repeats stays until it is disarmed (so is NULL). Kernels number the
 * timers of timer_create(2) by ints, and the C library's own pointers have the highest bit. */
SILT_EXPORT int setitimer(__itimer_which_t clock, const struct itimerval *wanted,
                          struct itimerval *before) {
    uintptr_t timer = (uintptr_t)1 << 40 | (unsigned)clock;
    silt_find_real();
    give(SILT_TIMER, timer, FRAME());
    int result = silt_real.setitimer(clock, wanted, before);
    if (result != 0) {
        if (silt_is_ours()) {
            silt_record_kept(SILT_TIMER, timer, FRAME());
        }
    } else if (wanted && timerisset(&wanted->it_value) && timerisset(&wanted->it_interval)) {
        take(SILT_TIMER, timer, FRAME());
    }
    return result;
}

/* ---- semaphores: what is open already is opened once more at the same address ---- */

SILT_EXPORT sem_t *sem_open(const char *name, int flags, ...) {
    mode_t mode = 0;
    unsigned value = 0;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        value = va_arg(arguments, unsigned);
        va_end(arguments);
    }
    silt_find_real();
    sem_t *semaphore = silt_real.sem_open(name, flags, mode, value);
    if (semaphore != SEM_FAILED) {
        take(SILT_SEMAPHORE, (uintptr_t)semaphore, FRAME());
    }
    return semaphore;
}

SILT_EXPORT int sem_close(sem_t *semaphore) {
    silt_find_real();
    give(SILT_SEMAPHORE, (uintptr_t)semaphore, FRAME());
    return silt_real.sem_close(semaphore);
}

/* ---- locales ---- */

/* The C library has one for "C", which is nobody's. */
static bool is_made(locale_t locale) {
    struct dl_find_object module;
    return locale && _dl_find_object(locale, &module) != 0;
}

static locale_t made(locale_t locale, const void *frame) {
    if (is_made(locale)) {
        take(SILT_LOCALE, (uintptr_t)locale, frame);
    }
    return locale;
}

/* `base` becomes the new one or is gone, unless there is none. */
#define NEW_LOCALE(name)                                                                           \
    SILT_EXPORT locale_t name(int mask, const char *wanted, locale_t base) {                       \
        silt_find_real();                                                                          \
        if (base) {                                                                                \
            give(SILT_LOCALE, (uintptr_t)base, FRAME());                                           \
        }                                                                                          \
        locale_t locale = made(silt_real.name(mask, wanted, base), FRAME());                       \
        if (base && !locale && silt_is_ours()) {                                                   \
            silt_record_kept(SILT_LOCALE, (uintptr_t)base, FRAME());                               \
        }                                                                                          \
        return locale;                                                                             \
    }

#define DUPLICATE_LOCALE(name)                                                                     \
    SILT_EXPORT locale_t name(locale_t locale) {                                                   \
        silt_find_real();                                                                          \
        return made(silt_real.name(locale), FRAME());                                              \
    }

#define FREE_LOCALE(name)                                                                          \
    SILT_EXPORT void name(locale_t locale) {                                                       \
        silt_find_real();                                                                          \
        give(SILT_LOCALE, (uintptr_t)locale, FRAME());                                             \
        silt_real.name(locale);                                                                    \
    }

/* The names with underscores are those that libstdc++ calls. */
NEW_LOCALE(newlocale)
NEW_LOCALE(__newlocale)
DUPLICATE_LOCALE(duplocale)
DUPLICATE_LOCALE(__duplocale)
FREE_LOCALE(freelocale)
FREE_LOCALE(__freelocale)

/* ---- segments ---- */

/* Under a filter shmctl(2) may be forbidden. */
static __attribute__((noinline)) size_t segment_bytes(int id) {
    struct shmid_ds state;
    bool known = !silt_is_filtered() && !silt_was_filtered_at_start() &&
                 silt_call(SYS_shmctl, id, IPC_STAT, &state) == 0;
    return known ? silt_whole_pages(state.shm_segsz) : 4096;
}

static __attribute__((noinline)) void *attached(void *there, int id, const void *frame) {
    silt_record_take(SILT_SEGMENT, (uintptr_t)there, segment_bytes(id), frame);
    return there;
}

SILT_EXPORT void *shmat(int id, const void *address, int flags) {
    silt_find_real();
    void *there = silt_real.shmat(id, address, flags);
    bool is_new = there != (void *)-1 && silt_is_ours();
    return is_new ? attached(there, id, FRAME()) : there;
}

/* What is not attached is not known by its address. */
SILT_EXPORT int shmdt(const void *address) {
    silt_find_real();
    give(SILT_SEGMENT, (uintptr_t)address, FRAME());
    return silt_real.shmdt(address);
}
