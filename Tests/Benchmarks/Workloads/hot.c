/*
 * hot.c DEPTH PAIRS: malloc(48) and free in a loop, called from DEPTH frames below main: the best
 * case of any stack cache.
 */
#include <stdio.h>
#include <stdlib.h>

static long pairs;
static void *volatile kept;

__attribute__((noinline)) static void loop(void) {
    for (long i = 0; i < pairs; i++) {
        void *block = malloc(48);
        kept = block;
        free(block);
    }
}

/* Each call keeps a frame: what follows the call depends on it. */
__attribute__((noinline)) static long descend(long depth) {
    if (depth <= 1) {
        loop();
        return 1;
    }
    return descend(depth - 1) + depth;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: hot DEPTH PAIRS\n");
        return 2;
    }
    pairs = atol(argv[2]);
    long sum = descend(atol(argv[1]) - 1);
    printf("%ld pairs %ld\n", pairs, sum);
    return 0;
}
