/*
 * patterns MODE SECONDS [fixed|at-exit|slowly-at-exit]: what call sites of long-lived servers do,
 * one pattern a mode. A tick is a millisecond; a busy machine catches up. Prints the bytes that
 * were leaked and the seconds it took; "fixed" does the same work and gives everything back, the
 * other two give it back at the end, at once or over a second.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOINLINE __attribute__((noinline))

static int fixed;
static int frees_at_exit, slowly;
static long ticks;
static size_t leaked;

/* A pseudo-random number that is the same in every run (xorshift, Marsaglia 2003). */
static uint64_t random_bits(void) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* What is kept for ever: reachable, so that no compiler and no reader takes it for freed. */
struct kept {
    struct kept *next;
};
static struct kept *registry;
static long registered;

static void keep(void *block, size_t bytes) {
    struct kept *entry = block;
    entry->next = registry;
    registry = entry;
    registered++;
    leaked += bytes;
}

/* The helper that everybody allocates through. */
NOINLINE char *build_string(size_t bytes) {
    char *text = malloc(bytes);
    memset(text, 'x', bytes);
    return text;
}

/* Clean callers: the first five free at once, the others hold what they got for a while. */
#define RING 40
static char *rings[10][RING];

static void hold_for_a_while(int caller, long tick, char *text) {
    int at = (int)(tick % RING);
    free(rings[caller][at]);
    rings[caller][at] = text;
}

#define CLEAN(n)                                                                                   \
    NOINLINE void clean_caller_##n(long tick) {                                                    \
        for (int i = 0; i < 6; i++) {                                                              \
            char *text = build_string(100 + n);                                                    \
            if (n > 5 && i == 0) {                                                                 \
                hold_for_a_while(n, tick, text);                                                   \
            } else {                                                                               \
                free(text);                                                                        \
            }                                                                                      \
        }                                                                                          \
    }
CLEAN(1)
CLEAN(2)
CLEAN(3)
CLEAN(4)
CLEAN(5)
CLEAN(6)
CLEAN(7)
CLEAN(8)
CLEAN(9)

static void all_clean_callers(long tick) {
    clean_caller_1(tick);
    clean_caller_2(tick);
    clean_caller_3(tick);
    clean_caller_4(tick);
    clean_caller_5(tick);
    clean_caller_6(tick);
    clean_caller_7(tick);
    clean_caller_8(tick);
    clean_caller_9(tick);
}

NOINLINE void leaky_caller(void) {
    char *text = build_string(1009);
    if (fixed) {
        free(text);
    } else {
        keep(text, 1009);
    }
}

NOINLINE void second_leaky_caller(void) {
    char *text = build_string(2003);
    if (fixed) {
        free(text);
    } else {
        keep(text, 2003);
    }
}

static void shared_helper(long tick) {
    all_clean_callers(tick);
    if (tick % 4 == 0) {
        leaky_caller();
    }
}

static void two_leaks(long tick) {
    shared_helper(tick);
    if (tick % 8 == 0) {
        second_leaky_caller();
    }
}

/* Blocks that end in no order. */
#define SLOTS 65536
static char *slots[SLOTS];
static long ends[SLOTS];

static void end_sessions(long tick) {
    static long due;
    for (; due <= tick; due++) {
        for (int i = (int)(due % 16); i < SLOTS; i += 16) {
            if (slots[i] && ends[i] <= due) {
                free(slots[i]);
                slots[i] = NULL;
            }
        }
    }
}

static void hold_session(char *text, long tick, long longest) {
    int at = (int)(random_bits() % SLOTS);
    while (slots[at]) {
        at = (at + 1) % SLOTS;
    }
    slots[at] = text;
    ends[at] = tick + longest / 4 + (long)(random_bits() % (uint64_t)(3 * longest / 4));
}

/* A caller whose long sessions bury the leak of another in the sum. */
NOINLINE void session_caller(long tick) {
    for (int i = 0; i < 6; i++) {
        hold_session(build_string(700), tick, ticks / 3);
    }
}

static void buried_leak(long tick) {
    end_sessions(tick);
    session_caller(tick);
    if (tick % 8 == 0) {
        leaky_caller();
    }
}

/* The same function opens sessions that end and, now and then, one that never does. */
NOINLINE void open_session(long tick) {
    char *session = malloc(404);
    memset(session, 's', 404);
    if (random_bits() % 12 == 0 && !fixed) {
        keep(session, 404);
    } else {
        hold_session(session, tick, ticks / 8);
    }
}

static void slow_leak_in_sessions(long tick) {
    end_sessions(tick);
    open_session(tick);
    open_session(tick);
}

/* A bounded cache that fills during half of the run; the oldest makes room. */
NOINLINE void cache_insert(long tick) {
    long at = tick % (ticks / 2);
    free(slots[at]);
    slots[at] = malloc(512);
}

/* A store whose entries are dropped after a fifth of the run. */
NOINLINE void store_insert(long tick) {
    long at = tick % (ticks / 5);
    free(slots[at]);
    slots[at] = malloc(640);
}

/* Tables that are built when they are first needed: many at first, hardly any later. */
NOINLINE void build_table(long tick) {
    static long built;
    while (built < 400 * tick / (tick + ticks / 20)) {
        keep(malloc(3000), 0);
        built++;
    }
}

/* A queue that fills in bursts and is worked off. */
static char *queue[4096];
static int waiting;

NOINLINE void enqueue(void) {
    queue[waiting++] = malloc(320);
}

static void bursty_queue(long tick) {
    if (tick % 450 == 0) {
        for (int i = 0; i < 600; i++) {
            enqueue();
        }
    }
    for (int i = 0; i < 2 && waiting > 0; i++) {
        free(queue[--waiting]);
    }
}

/* A vector of 8-byte entries that doubles when it is full. */
NOINLINE void push_back(void) {
    static uint64_t *entries;
    static size_t count, capacity;
    if (count == capacity) {
        size_t wanted = capacity ? 2 * capacity : 16;
        entries = realloc(entries, wanted * sizeof *entries);
        capacity = wanted;
    }
    entries[count++] = random_bits();
}

static void growing_vector(long tick) {
    (void)tick;
    for (int i = 0; i < 3; i++) {
        push_back();
    }
}

static void settling_vector(long tick) {
    if (tick < ticks / 5) {
        growing_vector(tick);
    }
}

/* A peak of which every 20th block stays, so that the allocator can give no page back. */
NOINLINE void remember(size_t at) {
    slots[at] = malloc(700);
    memset(slots[at], 'r', 700);
}

static void fragments(long tick) {
    if (tick == ticks / 4) {
        for (size_t i = 0; i < SLOTS; i++) {
            remember(i);
        }
    }
    for (size_t i = 0; tick == ticks / 3 && i < SLOTS; i++) {
        if (i % 20 != 0) {
            free(slots[i]);
            slots[i] = NULL;
        }
    }
}

/* A leak of a few blocks in each of 256 functions that one dispatcher calls, as generated code
 * does. */
#define LEAF(n)                                                                                    \
    NOINLINE void leaf_##n(void) {                                                                 \
        void *block = malloc(200);                                                                 \
        if (fixed) {                                                                               \
            free(block);                                                                           \
        } else {                                                                                   \
            keep(block, 200);                                                                      \
        }                                                                                          \
    }
/* clang-format off */
#define SIXTEEN(M, n) \
    M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7) \
    M(n##8) M(n##9) M(n##a) M(n##b) M(n##c) M(n##d) M(n##e) M(n##f)
#define ALL(M) \
    SIXTEEN(M, 0) SIXTEEN(M, 1) SIXTEEN(M, 2) SIXTEEN(M, 3) \
    SIXTEEN(M, 4) SIXTEEN(M, 5) SIXTEEN(M, 6) SIXTEEN(M, 7) \
    SIXTEEN(M, 8) SIXTEEN(M, 9) SIXTEEN(M, a) SIXTEEN(M, b) \
    SIXTEEN(M, c) SIXTEEN(M, d) SIXTEEN(M, e) SIXTEEN(M, f)
ALL(LEAF)
/* clang-format on */
#define ENTRY(n) leaf_##n,
static void (*const leaves[])(void) = {ALL(ENTRY)};

NOINLINE void dispatch(unsigned number) {
    leaves[number % 256]();
    slots[0] = NULL;
}

static void scattered_leak(long tick) {
    if (tick % 10 == 0) {
        dispatch((unsigned)random_bits());
    }
}

static const struct mode {
    const char *name;
    void (*tick)(long tick);
} modes[] = {
    {"shared", shared_helper},     {"two", two_leaks},
    {"buried", buried_leak},       {"sessions", slow_leak_in_sessions},
    {"cache", cache_insert},       {"store", store_insert},
    {"tables", build_table},       {"queue", bursty_queue},
    {"vector", growing_vector},    {"settling", settling_vector},
    {"scattered", scattered_leak}, {"fragments", fragments},
};

static double seconds_since(const struct timespec *start) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)(t.tv_sec - start->tv_sec) + (double)(t.tv_nsec - start->tv_nsec) * 1e-9;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        return 2;
    }
    ticks = (long)(atof(argv[2]) * 1000);
    fixed = argc > 3 && strcmp(argv[3], "fixed") == 0;
    slowly = argc > 3 && strcmp(argv[3], "slowly-at-exit") == 0;
    frees_at_exit = slowly || (argc > 3 && strcmp(argv[3], "at-exit") == 0);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, argv[1]) != 0) {
            continue;
        }
        struct timespec start;
        clock_gettime(CLOCK_MONOTONIC, &start);
        for (long tick = 1; tick <= ticks; tick++) {
            while (seconds_since(&start) * 1000 < (double)tick) {
                nanosleep(&(struct timespec){0, 300000}, NULL);
            }
            modes[i].tick(tick);
        }
        printf("%zu %.3f\n", leaked, seconds_since(&start));
        long step = registered / 1000 + 1;
        for (long freed = 1; frees_at_exit && registry; freed++) {
            struct kept *next = registry->next;
            free(registry);
            registry = next;
            if (slowly && freed % step == 0) {
                nanosleep(&(struct timespec){0, 1000000}, NULL);
            }
        }
        return 0;
    }
    return 2;
}
