/* coroutines.c SWITCHES COROUTINES: coroutines by swapcontext that allocate at random depths and
 * switch in the middle; each ends after a while and its stack is unmapped. Without the calls in
 * between (COROUTINES 4), each allocation is on another stack than the one before. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#define MOST  64
#define BYTES (64u << 10)

static char *volatile newest; /* keeps the compiler from leaving malloc out */
static ucontext_t home, contexts[MOST];
static char *stacks[MOST];
static unsigned current, count;
static unsigned long switches, limit;
static uint64_t sum;

static void pass_on(void) {
    switches++;
    swapcontext(&contexts[current], &home);
}

__attribute__((noinline)) static uint64_t nest(unsigned depth) {
    char *block = newest = malloc(40 + depth);
    block[0] = (char)depth;
    pass_on();
    uint64_t value = depth ? nest(depth - 1) : 0;
    value += (unsigned char)block[0];
    free(block);
    return value;
}

static void body(void) {
    for (unsigned i = 0; i < 5; i++) {
        sum += nest(5 + (current + i) % 20);
    }
}

static void start(unsigned i) {
    if (stacks[i]) {
        munmap(stacks[i], BYTES);
    }
    stacks[i] = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(&contexts[i]);
    contexts[i].uc_stack.ss_sp = stacks[i];
    contexts[i].uc_stack.ss_size = BYTES;
    contexts[i].uc_link = NULL;
    makecontext(&contexts[i], body, 0);
}

static void whole(void) {
    for (;;) {
        body();
        /* Begin anew on a new stack: the one this runs on is unmapped by the scheduler. */
        switches++;
        count |= 1u << 31;
        swapcontext(&contexts[current], &home);
    }
}

int main(int argc, char **argv) {
    limit = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    unsigned coroutines = argc > 2 ? (unsigned)atoi(argv[2]) : 4;
    coroutines = coroutines > MOST ? MOST : coroutines;
    for (unsigned i = 0; i < coroutines; i++) {
        start(i);
        makecontext(&contexts[i], whole, 0);
    }
    while (switches < limit) {
        current = (current + 1) % coroutines;
        swapcontext(&home, &contexts[current]);
        if (count >> 31) {
            count = 0;
            start(current);
            makecontext(&contexts[current], whole, 0);
        }
    }
    printf("%llu\n", (unsigned long long)sum);
    return 0;
}
