/*
 * growth SECONDS: ten callers share one helper; one of them (leaky_caller) keeps what it gets. A
 * cache fills and stops, start-up keeps a table, and a churner replaces what it holds.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEAK_BYTES 1009

static void *kept[1 << 20];
static int kept_count;
static void *cache[300];
static void *churned[50];
static void *start_table[1000];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

__attribute__((noinline)) char *build_string(size_t bytes) {
    char *text = malloc(bytes);
    memset(text, 'x', bytes);
    return text;
}

#define CLEAN(n)                                                                                   \
    __attribute__((noinline)) void clean_caller_##n(void) {                                        \
        char *text = build_string(100 + n);                                                        \
        text[0] = 'y';                                                                             \
        free(text);                                                                                \
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

__attribute__((noinline)) void leaky_caller(void) {
    kept[kept_count++] = build_string(LEAK_BYTES);
}

__attribute__((noinline)) void fill_cache(int i) {
    int at = i % 300;
    free(cache[at]);
    cache[at] = malloc(512);
}

__attribute__((noinline)) void churn(int i) {
    free(churned[i % 50]);
    churned[i % 50] = malloc(2000);
}

__attribute__((noinline)) void start_up(void) {
    for (int i = 0; i < 1000; i++) {
        start_table[i] = malloc(333);
    }
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 5;
    double start = now();
    start_up();
    for (int i = 0; now() - start < seconds; i++) {
        clean_caller_1();
        clean_caller_2();
        clean_caller_3();
        clean_caller_4();
        clean_caller_5();
        clean_caller_6();
        clean_caller_7();
        clean_caller_8();
        clean_caller_9();
        leaky_caller();
        fill_cache(i);
        churn(i);
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    return 0;
}
