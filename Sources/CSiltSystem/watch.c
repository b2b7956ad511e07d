#define _GNU_SOURCE
#include "silt_watch.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* enum silt_news of silt_wire.h. */
enum { CALM = 0, RAISED = 1, ASLEEP = 2 };

#define MAXIMUM_WORDS  128 /* FUTEX_WAITV_MAX */
#define MAXIMUM_IMAGES (MAXIMUM_WORDS - 1)
#define POLL_MS        10
#define BEAT_MS        500

#ifndef SYS_futex_waitv
#    define SYS_futex_waitv 449
#endif

/* struct futex_waitv of Linux 5.16. */
struct waited_word {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};
#define WORD_OF_32_BITS 2 /* FUTEX2_SIZE_U32; shared between processes */

struct image {
    uint32_t *news;
    uint64_t *beats;
};

struct silt_watch {
    int epoll;
    int ending; /* eventfd: readable once the thread is to end */
    pthread_t thread;
    pthread_mutex_t lock; /* held by who changes `images`, and while they are told of */
    struct image *images; /* changed by the caller only; the first ones are slept on */
    unsigned count, room;
    uint32_t ready; /* 1: the thread has found a descriptor ready, and waits for it to be 0 */
    bool can_sleep; /* the kernel has futex_waitv */
};

static long wait_for(struct waited_word *words, unsigned count, const struct timespec *until) {
    return syscall(SYS_futex_waitv, words, count, 0, until, CLOCK_MONOTONIC);
}

static struct waited_word word(uint32_t *address, uint32_t value) {
    return (struct waited_word){value, (uintptr_t)address, WORD_OF_32_BITS, 0};
}

static void wake(uint32_t *address) {
    syscall(SYS_futex, address, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void beat(struct silt_watch *watch) {
    pthread_mutex_lock(&watch->lock);
    for (unsigned i = 0; i < watch->count; i++) {
        __atomic_fetch_add(watch->images[i].beats, 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&watch->lock);
}

static void *run(void *argument) {
    struct silt_watch *watch = argument;
    uint64_t beaten = 0;
    for (;;) {
        uint64_t now = now_ms();
        if (now - beaten >= BEAT_MS) {
            beat(watch);
            beaten = now;
        }
        int left = (int)(beaten + BEAT_MS - now);
        bool told = __atomic_load_n(&watch->ready, __ATOMIC_SEQ_CST);
        /* The caller knows already, or looks itself. */
        struct pollfd states[2] = {{watch->ending, POLLIN, 0},
                                   {told || !watch->can_sleep ? -1 : watch->epoll, POLLIN, 0}};
        if (told) {
            struct timespec time = {left / 1000, left % 1000 * 1000000L};
            syscall(SYS_futex, &watch->ready, FUTEX_WAIT, 1, &time, NULL, 0);
            left = 0;
        }
        if (poll(states, 2, left) <= 0) {
            continue;
        }
        if (states[0].revents) {
            return NULL;
        }
        __atomic_store_n(&watch->ready, 1, __ATOMIC_SEQ_CST);
        wake(&watch->ready);
    }
}

static int start_thread(struct silt_watch *watch) {
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 << 10);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&watch->thread, &attributes, run, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

struct silt_watch *silt_watch_start(int epoll) {
    struct silt_watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        return NULL;
    }
    watch->epoll = epoll;
    watch->ending = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&watch->lock, NULL);
    struct waited_word probe = word(&watch->ready, 1);
    watch->can_sleep = wait_for(&probe, 1, NULL) < 0 && errno == EAGAIN;
    int error = watch->ending < 0 ? errno : start_thread(watch);
    if (error) {
        if (watch->ending >= 0) {
            close(watch->ending);
        }
        free(watch);
        errno = error;
        return NULL;
    }
    return watch;
}

void silt_watch_end(struct silt_watch *watch) {
    uint64_t one = 1;
    while (write(watch->ending, &one, sizeof one) < 0 && errno == EINTR) {
    }
    __atomic_store_n(&watch->ready, 0, __ATOMIC_SEQ_CST);
    wake(&watch->ready);
    pthread_join(watch->thread, NULL);
    close(watch->ending);
    pthread_mutex_destroy(&watch->lock);
    free(watch->images);
    free(watch);
}

int silt_watch_add(struct silt_watch *watch, uint32_t *news, uint64_t *beats) {
    int result = 0;
    pthread_mutex_lock(&watch->lock);
    if (watch->count == watch->room) {
        unsigned room = watch->room ? watch->room * 2 : 16;
        struct image *images = realloc(watch->images, room * sizeof *images);
        if (images) {
            watch->images = images;
            watch->room = room;
        } else {
            result = -1;
        }
    }
    if (result == 0) {
        watch->images[watch->count++] = (struct image){news, beats};
    }
    pthread_mutex_unlock(&watch->lock);
    return result;
}

void silt_watch_remove(struct silt_watch *watch, const uint32_t *news) {
    pthread_mutex_lock(&watch->lock);
    for (unsigned i = 0; i < watch->count; i++) {
        if (watch->images[i].news == news) {
            watch->images[i] = watch->images[--watch->count];
            break;
        }
    }
    pthread_mutex_unlock(&watch->lock);
}

bool silt_take_news(uint32_t *news) {
    return __atomic_load_n(news, __ATOMIC_RELAXED) != CALM &&
           __atomic_exchange_n(news, CALM, __ATOMIC_SEQ_CST) != CALM;
}

/* Brings images that have news among those that are slept on. */
static void bring_forward(struct silt_watch *watch) {
    unsigned to = 0;
    pthread_mutex_lock(&watch->lock);
    for (unsigned from = MAXIMUM_IMAGES; from < watch->count && to < MAXIMUM_IMAGES; from++) {
        if (__atomic_load_n(watch->images[from].news, __ATOMIC_RELAXED) == CALM) {
            continue;
        }
        while (to < MAXIMUM_IMAGES &&
               __atomic_load_n(watch->images[to].news, __ATOMIC_RELAXED) != CALM) {
            to++;
        }
        if (to < MAXIMUM_IMAGES) {
            struct image other = watch->images[to];
            watch->images[to++] = watch->images[from];
            watch->images[from] = other;
        }
    }
    pthread_mutex_unlock(&watch->lock);
}

/* Sleeps on the words, unless one of them has news already. */
static void sleep_on(struct silt_watch *watch, int milliseconds) {
    struct waited_word words[MAXIMUM_WORDS] = {word(&watch->ready, 0)};
    unsigned slept_on = watch->count < MAXIMUM_IMAGES ? watch->count : MAXIMUM_IMAGES;
    bool raised = false;
    for (unsigned i = 0; i < watch->count; i++) {
        uint32_t expected = CALM;
        if (i >= MAXIMUM_IMAGES) {
            raised = raised || __atomic_load_n(watch->images[i].news, __ATOMIC_SEQ_CST) != CALM;
        } else if (!__atomic_compare_exchange_n(watch->images[i].news, &expected, ASLEEP, false,
                                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            raised = true;
        }
        if (i < MAXIMUM_IMAGES) {
            words[i + 1] = word(watch->images[i].news, ASLEEP);
        }
    }
    if (watch->count > slept_on && (milliseconds < 0 || milliseconds > POLL_MS)) {
        milliseconds = POLL_MS;
    }
    if (!raised) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += milliseconds / 1000;
        until.tv_nsec += milliseconds % 1000 * 1000000L;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        if (wait_for(words, slept_on + 1, milliseconds < 0 ? NULL : &until) < 0 &&
            errno != EAGAIN && errno != ETIMEDOUT && errno != EINTR) {
            poll(NULL, 0, POLL_MS); /* a memory file that was made shorter */
        }
    }
    for (unsigned i = 0; i < slept_on; i++) {
        uint32_t expected = ASLEEP;
        __atomic_compare_exchange_n(watch->images[i].news, &expected, CALM, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
    }
    if (watch->count > MAXIMUM_IMAGES) {
        bring_forward(watch);
    }
}

bool silt_watch_wait(struct silt_watch *watch, int milliseconds) {
    if (!watch->can_sleep) {
        struct pollfd state = {watch->epoll, POLLIN, 0};
        bool polls = watch->count && (milliseconds < 0 || milliseconds > POLL_MS);
        return poll(&state, 1, polls ? POLL_MS : milliseconds) > 0;
    }
    if (__atomic_exchange_n(&watch->ready, 0, __ATOMIC_SEQ_CST)) {
        wake(&watch->ready);
    }
    if (milliseconds == 0) {
        return true;
    }
    sleep_on(watch, milliseconds);
    return __atomic_load_n(&watch->ready, __ATOMIC_SEQ_CST);
}
