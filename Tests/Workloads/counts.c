/*
 * Known counts: 1,234,567 blocks of 40 bytes from make_block, of which 345,678 are left.
 * counts [threads] [kill]: with threads, each frees what another one made; with "kill" it ends by
 * SIGKILL.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MADE 1234567
#define LEFT 345678

static void **blocks;

__attribute__((noinline)) void *make_block(void) {
    return malloc(40);
}

struct part {
    int from, to, free_from, free_to;
};

static void *make_part(void *argument) {
    struct part *part = argument;
    for (int i = part->from; i < part->to; i++) {
        __atomic_store_n(&blocks[i], make_block(), __ATOMIC_RELEASE);
    }
    /* The neighbour's blocks, as soon as they are there. */
    for (int i = part->free_from; i < part->free_to; i++) {
        void *block;
        while (!(block = __atomic_load_n(&blocks[i], __ATOMIC_ACQUIRE))) {
        }
        if (i >= LEFT) {
            free(block);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    static void *table[MADE];
    static struct part parts[64];
    pthread_t ids[64];
    blocks = table;
    for (int i = 0; i < threads; i++) {
        int next = (i + 1) % threads;
        parts[i] = (struct part){
            (int)((long)MADE * i / threads), (int)((long)MADE * (i + 1) / threads),
            (int)((long)MADE * next / threads), (int)((long)MADE * (next + 1) / threads)};
    }
    if (threads == 1) {
        make_part(&parts[0]);
    } else {
        for (int i = 0; i < threads; i++) {
            pthread_create(&ids[i], NULL, make_part, &parts[i]);
        }
        for (int i = 0; i < threads; i++) {
            pthread_join(ids[i], NULL);
        }
    }
    if (argc > 2 && strcmp(argv[2], "kill") == 0) {
        kill(getpid(), SIGKILL);
    }
    return 7;
}
