/* handoff.c: two threads pass one block's address back and forth, each freeing what the other made.
 *
 * A block of 1 MiB is a mapping of its own, and the next one of that size mostly lies where the
 * last one was: so a thread frees at the address of its own last allocation a block that the other
 * has made there since. `handoff ROUNDS` prints how often that happened. */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES (1u << 20)

static pthread_barrier_t turn;
static int rounds;
static volatile uintptr_t made_first, given_back;

static __attribute__((noinline)) void *make_first(void) {
    return malloc(BYTES);
}

static __attribute__((noinline)) void *make_again(void) {
    return malloc(BYTES);
}

static void *other(void *none) {
    for (int i = 0; i < rounds; i++) {
        pthread_barrier_wait(&turn);
        free((void *)made_first);
        given_back = (uintptr_t)make_again();
        pthread_barrier_wait(&turn);
    }
    return none;
}

int main(int count, char **arguments) {
    rounds = count > 1 ? atoi(arguments[1]) : 1000;
    int same = 0;
    pthread_t thread;
    /* Fixed: else the threshold rises with the first block that is freed. */
    mallopt(M_MMAP_THRESHOLD, 1 << 16);
    pthread_barrier_init(&turn, NULL, 2);
    pthread_create(&thread, NULL, other, NULL);
    for (int i = 0; i < rounds; i++) {
        made_first = (uintptr_t)make_first();
        pthread_barrier_wait(&turn);
        pthread_barrier_wait(&turn);
        same += given_back == made_first;
        free((void *)given_back);
    }
    pthread_join(thread, NULL);
    printf("%d\n", same);
    return 0;
}
