/*
 * untabled.c: assembly without unwind tables that leaves rbp alone, one function with nothing of
 * the kind in front of it and one behind a megabyte. Each calls a function that allocates, at many
 * depths of the stack. Prints how many times as long the second takes, at its best.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BARE(name)                                                                                 \
    ".globl " name "\n.type " name ",@function\n" name ":\n"                                       \
    "sub $8, %rsp\ncall *%rdi\nadd $8, %rsp\nret\n.size " name ",.-" name "\n"
__asm__(".text\n" BARE("near") ".fill 1100000, 1, 0x90\n" BARE("far"));

typedef void function(void);
void near(function *), far(function *);

__attribute__((noinline)) static void leaf(void) {
    void *volatile block = malloc(10);
    free(block);
}

__attribute__((noinline)) static void down(int depth, void (*through)(function *)) {
    if (depth > 0) {
        down(depth - 1, through);
    } else {
        through(leaf);
    }
    __asm__ volatile("");
}

static double take(void (*through)(function *)) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < 100; i++) {
        down(i % 50, through);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
}

int main(void) {
    double best_near = 1e18, best_far = 1e18;
    for (int i = 0; i < 30; i++) {
        double here = take(near), there = take(far);
        best_near = here < best_near ? here : best_near;
        best_far = there < best_far ? there : best_far;
    }
    printf("%.1f\n", best_far / best_near);
    return 0;
}
