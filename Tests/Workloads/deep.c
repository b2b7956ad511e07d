/* deep.c DEPTH ROUNDS: a recursion that allocates at each level on the way in and out, and goes up
 * and down by some levels at its deepest point. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static char *volatile newest; /* keeps the compiler from leaving malloc out */
static uint64_t sum;
static unsigned long rounds;

__attribute__((noinline)) static uint64_t down(unsigned long depth, unsigned long stop) {
    char *block = newest = malloc(41);
    block[0] = (char)depth;
    uint64_t value = depth > stop ? down(depth - 1, stop) : 0;
    if (depth == 40 && stop == 20) {
        for (unsigned long i = 0; i < rounds; i++) {
            value += down(20, 20 - i % 20);
        }
    }
    value += (unsigned char)block[0];
    free(block);
    return value;
}

int main(int argc, char **argv) {
    unsigned long depth = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
    sum = down(depth, 20);
    printf("%llu\n", (unsigned long long)sum);
    return 0;
}
