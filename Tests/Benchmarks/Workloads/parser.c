/*
 * parser.c FRAMES ROUNDS: allocates as a recursive-descent parser does: a trunk of calls, below it
 * a tree of grammar rules 9 calls deep, each of which allocates its node on the way in and frees it
 * on the way out. Which rules a round takes is left to a fixed sequence of random numbers, so that
 * stacks come back in ever different order. 29,524 rules and a second block in every fourth of them
 * make 37 k distinct stacks, whose innermost rules lie FRAMES frames deep (20 or more).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LEVELS 9

struct node {
    struct node *left;
    uint64_t value;
    char text[24];
};

static uint64_t state = 88172645463325252u;
static uint64_t nodes;

static inline uint64_t roll(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static struct node *volatile newest;

static uint64_t rule(unsigned level, unsigned index);

/* Three ways down, as three alternatives of a grammar: each its own return address. */
__attribute__((noinline)) static uint64_t sum_rule(unsigned level, unsigned index) {
    return rule(level, index) + 1;
}

__attribute__((noinline)) static uint64_t rule(unsigned level, unsigned index) {
    struct node *node = malloc(sizeof *node);
    newest = node;
    node->value = index;
    nodes++;
    uint64_t value = 0;
    if (index % 4 == 0) {
        char *extra = malloc(40);
        nodes++;
        extra[0] = (char)index;
        newest = (struct node *)(void *)extra;
        value = (uint64_t)newest->left & 0xff;
        free(extra);
    }
    if (level < LEVELS) {
        /* On average two of three, so that a round sees every thirtieth rule. */
        uint64_t ways = roll() % 8;
        if (ways != 0 && ways != 4) {
            value += rule(level + 1, index * 3 + 1);
        }
        if (ways < 5) {
            value += rule(level + 1, index * 3 + 2);
        }
        if (ways & 1 || ways == 6) {
            value += rule(level + 1, index * 3 + 3);
        }
    }
    value += node->value;
    free(node);
    return value;
}

__attribute__((noinline)) static uint64_t trunk(unsigned depth) {
    return depth == 0 ? sum_rule(0, 0) : trunk(depth - 1) + depth;
}

int main(int argc, char **argv) {
    unsigned frames = argc == 3 ? (unsigned)atoi(argv[1]) : 0;
    if (frames < 20) {
        fprintf(stderr, "usage: parser FRAMES ROUNDS, FRAMES at least 20\n");
        return 2;
    }
    uint64_t sum = 0;
    /* main, sum_rule, LEVELS + 1 rules, and the trunk make FRAMES. */
    for (long round = atol(argv[2]); round > 0; round--) {
        sum += trunk(frames - LEVELS - 4);
    }
    printf("%llu blocks %llu\n", (unsigned long long)nodes, (unsigned long long)sum);
    return 0;
}
