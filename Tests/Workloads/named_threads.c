/*
 * named_threads: two threads that name themselves, "reader" before and "writer" after their first
 * allocation, and the main thread. Each keeps blocks of its own; both threads keep blocks that the
 * same function made: reader 100 of 1,000 bytes, writer 300, shared 40 each of 500, main 7 of 100.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static void *volatile kept;

NOINLINE static void keep_shared(void) {
    kept = malloc(500);
}
NOINLINE static void keep_read(void) {
    kept = malloc(1000);
}
NOINLINE static void keep_written(void) {
    kept = malloc(1000);
}
NOINLINE static void keep_main(void) {
    kept = malloc(100);
}

/* The same frames for both, up to the thread's own function. */
NOINLINE static void share(void) {
    for (int i = 0; i < 40; i++) {
        keep_shared();
    }
}

static void *work(void *argument) {
    int writes = argument != NULL;
    if (!writes) {
        pthread_setname_np(pthread_self(), "reader");
    }
    for (int i = 0; i < (writes ? 300 : 100); i++) {
        if (writes) {
            keep_written();
        } else {
            keep_read();
        }
    }
    share();
    if (writes) {
        pthread_setname_np(pthread_self(), "writer");
    }
    /* While snapshots are taken. */
    usleep(700000);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    for (long i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, work, (void *)i);
    }
    for (int i = 0; i < 7; i++) {
        keep_main();
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    return 0;
}
