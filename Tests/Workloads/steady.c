/* Threads that allocate, resize and free without end and keep about the same, for runs that are
 * killed or go on for long.
 *
 * steady FILE THREADS OPERATIONS SEED CHURN: each thread makes that many operations (0: until it is
 * killed, -1: none, it waits); with CHURN each 500th starts a thread that allocates and ends. FILE
 * is mapped: the pid, whether all have begun, and of each thread how many allocations and frees
 * were begun and were done. What is in the blocks is checked; status 7. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST  64
#define SLOTS 2000

struct counts {
    uint64_t allocations_begun, allocations_done, frees_begun, frees_done;
    uint64_t unused[4];
};

static struct shared {
    uint64_t pid, ready;
    uint64_t unused[6];
    struct counts threads[MOST];
} *shared;

static long operations, threads, churn;
static uint64_t seed;
static pthread_barrier_t barrier;
static uint64_t sums[MOST];

static void step(uint64_t *count) {
    __atomic_store_n(count, *count + 1, __ATOMIC_SEQ_CST);
}

static uint64_t next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 16;
}

static void *brief(void *argument) {
    void *volatile blocks[8];
    for (int i = 0; i < 8; i++) {
        blocks[i] = malloc(100 + (uintptr_t)argument % 50);
    }
    for (int i = 0; i < 8; i++) {
        free(blocks[i]);
    }
    return NULL;
}

static void start_brief(uint64_t number) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_create(&thread, &attributes, brief, (void *)(uintptr_t)number);
    pthread_attr_destroy(&attributes);
}

static unsigned char *make(struct counts *counts, size_t bytes, unsigned char mark) {
    step(&counts->allocations_begun);
    unsigned char *block = malloc(bytes);
    step(&counts->allocations_done);
    memset(block, mark, bytes);
    return block;
}

static void *work(void *argument) {
    uintptr_t number = (uintptr_t)argument;
    struct counts *counts = &shared->threads[number];
    static __thread unsigned char *blocks[SLOTS];
    static __thread size_t sizes[SLOTS];
    uint64_t state = seed * 2654435761u + number + 88172645463325252ull;
    pthread_barrier_wait(&barrier);
    for (long i = 0; operations == 0 || i < operations; i++) {
        uint64_t random = next(&state);
        size_t slot = random % SLOTS,
               bytes = 16 + (random >> 20) % ((random >> 40) % 50 ? 400 : 20000);
        if (blocks[slot]) {
            if (blocks[slot][0] != (unsigned char)slot ||
                blocks[slot][sizes[slot] - 1] != (unsigned char)slot) {
                puts("a block was changed");
                exit(3);
            }
            sums[number] += sizes[slot];
            step(&counts->frees_begun);
            free(blocks[slot]);
            step(&counts->frees_done);
            blocks[slot] = NULL;
        } else {
            blocks[slot] = make(counts, bytes, (unsigned char)slot);
            sizes[slot] = bytes;
        }
        if (churn && i % 500 == 0) {
            start_brief(random);
        }
        if (churn && i % 100 == 0) {
            usleep(1000);
        }
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 6) {
        return 2;
    }
    int file = open(arguments[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof *shared) != 0) {
        return 2;
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    threads = atol(arguments[2]);
    operations = atol(arguments[3]);
    seed = strtoull(arguments[4], NULL, 10);
    churn = atol(arguments[5]);
    pthread_t all[MOST];
    pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
    for (long i = 0; i < threads; i++) {
        pthread_create(&all[i], NULL, work, (void *)(uintptr_t)i);
    }
    shared->pid = (uint64_t)getpid();
    pthread_barrier_wait(&barrier);
    shared->ready = 1;
    if (operations < 0) {
        pause();
    }
    uint64_t sum = 0;
    for (long i = 0; i < threads; i++) {
        pthread_join(all[i], NULL);
        sum += sums[i];
    }
    printf("all done: %llu bytes\n", (unsigned long long)sum);
    return 7;
}
