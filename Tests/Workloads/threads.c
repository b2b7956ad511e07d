/*
 * threads WAY: 5,000 short threads, at most 8 at once, each makes 3 blocks of 211 bytes: one is
 * kept, one is freed by a destructor of thread-specific data, one is overwritten, and so leaked, by
 * it. The destructor makes 3 of 223 bytes in its rounds and frees them. "cancel": 200 threads that
 * allocate until they are cancelled. "jump": a handler that leaves malloc's caller by siglongjmp.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static pthread_key_t keys[2];
static void *volatile kept[5000];

__attribute__((noinline)) void *thread_block(void) {
    return malloc(211);
}

__attribute__((noinline)) void *late_block(void) {
    return malloc(223);
}

/* Called in several rounds (pthread_key_create(3)), after and before destructors of others. */
static void drop(void *value) {
    free(value);
    void *again = late_block();
    static __thread int rounds;
    if (++rounds <= 2) {
        pthread_setspecific(keys[rounds % 2], again);
    } else {
        free(again);
    }
}

static void *short_thread(void *argument) {
    kept[(size_t)argument] = thread_block();
    pthread_setspecific(keys[0], thread_block());
    pthread_setspecific(keys[1], thread_block());
    return NULL;
}

static void *endless(void *argument) {
    (void)argument;
    for (;;) {
        void *volatile block = malloc(227);
        free(block);
        pthread_testcancel();
    }
}

static sigjmp_buf out;
static volatile sig_atomic_t armed;

static void on_timer(int signal) {
    (void)signal;
    if (armed) {
        armed = 0;
        siglongjmp(out, 1);
    }
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "short";
    pthread_t ids[8];
    if (strcmp(way, "cancel") == 0) {
        for (int i = 0; i < 200; i++) {
            pthread_create(&ids[0], NULL, endless, NULL);
            usleep(i * 10);
            pthread_cancel(ids[0]);
            void *result;
            pthread_join(ids[0], &result);
            if (result != PTHREAD_CANCELED) {
                return 1;
            }
        }
    } else if (strcmp(way, "jump") == 0) {
        signal(SIGALRM, on_timer);
        sigset_t alarms;
        sigemptyset(&alarms);
        sigaddset(&alarms, SIGALRM);
        sigprocmask(SIG_UNBLOCK, &alarms, NULL);
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 300}, {0, 300}}, NULL);
        for (int i = 0; i < 500; i++) {
            if (sigsetjmp(out, 1) == 0) {
                armed = 1;
                for (;;) { /* strlen never holds a lock, so leaving it is allowed */
                    if (strlen(way) == 0) {
                        return 1;
                    }
                }
            }
            free(thread_block());
        }
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    } else {
        pthread_key_create(&keys[0], drop);
        pthread_key_create(&keys[1], drop);
        for (size_t i = 0; i < 5000; i += 8) {
            for (size_t k = 0; k < 8; k++) {
                pthread_create(&ids[k], NULL, short_thread, (void *)(i + k));
            }
            for (size_t k = 0; k < 8; k++) {
                pthread_join(ids[k], NULL);
            }
        }
    }
    puts("done");
    return 0;
}
