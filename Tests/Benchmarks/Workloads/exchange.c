/*
 * exchange.c THREADS PAIRS: each thread puts a new block into a random place of a table that all
 * share and frees what it takes out of it, so that half of the blocks of two threads are freed by
 * the other one (after Larson and Krishnan, "Memory allocation for long-running server
 * applications"). Prints the pairs per second of elapsed time.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PLACES 8192

static _Atomic(void *) places[PLACES];
static long pairs;

static void *churn(void *seed) {
    uint64_t state = 88172645463325252u + (uint64_t)(uintptr_t)seed * 0x9E3779B97F4A7C15u;
    for (long i = 0; i < pairs; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char *block = malloc(16 + (state >> 20) % 240);
        block[0] = (char)i;
        free(atomic_exchange(&places[(state >> 40) % PLACES], block));
    }
    return NULL;
}

int main(int argc, char **argv) {
    int threads = argc == 3 ? atoi(argv[1]) : 0;
    if (threads < 1 || threads > 64) {
        fprintf(stderr, "usage: exchange THREADS PAIRS\n");
        return 2;
    }
    pairs = atol(argv[2]);
    pthread_t ids[64];
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < threads; i++) {
        pthread_create(&ids[i], NULL, churn, (void *)(uintptr_t)(i + 1));
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
    printf("%.0f pairs/s\n", (double)pairs * threads / seconds);
    for (int i = 0; i < PLACES; i++) {
        free(places[i]);
    }
    return 0;
}
