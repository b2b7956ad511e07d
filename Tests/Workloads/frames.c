/* frames.c ROUNDS: random recursion through functions with all kinds of frames: alloca, variable
 * arrays, over-aligned locals, many arguments, a frame of more than a megabyte. */
#include <alloca.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *volatile newest; /* keeps the compiler from leaving malloc out */
static uint64_t state = 88172645463325252u;
static uint64_t sum;

static unsigned roll(unsigned below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 20) % below;
}

static void touch(void) {
    char *block = newest = malloc(24 + roll(200));
    block[0] = (char)state;
    sum += (unsigned char)block[0];
    free(block);
}

#define NOINLINE __attribute__((noinline))
static void go(unsigned depth);

NOINLINE static void plain(unsigned depth) {
    go(depth - 1);
    touch();
}
NOINLINE static void with_alloca(unsigned depth) {
    size_t bytes = roll(300) + 1;
    char *room = alloca(bytes);
    memset(room, 1, bytes);
    touch();
    go(depth - 1);
    sum += (unsigned char)room[bytes - 1];
}
NOINLINE static void with_array(unsigned depth, unsigned count) {
    int array[count];
    memset(array, 1, sizeof array);
    go(depth - 1);
    touch();
    sum += (unsigned)array[count / 2];
}
NOINLINE static void aligned(unsigned depth) {
    _Alignas(64) volatile char room[192];
    room[5] = (char)depth;
    touch();
    go(depth - 1);
    sum += (unsigned char)room[5] + ((uintptr_t)room & 63);
}
NOINLINE static void aligned_with_alloca(unsigned depth, unsigned bytes) {
    _Alignas(128) volatile char room[128];
    volatile char *more = alloca(bytes);
    more[0] = room[3] = (char)bytes;
    go(depth - 1);
    touch();
    sum += (unsigned char)room[3] + (unsigned char)more[0];
}
NOINLINE static void aligned_with_arguments(unsigned depth, long a, long b, long c, long d, long e,
                                            long f, long g) {
    _Alignas(256) volatile long room[64];
    room[1] = a + b + c + d + e + f + g;
    touch();
    go(depth - 1);
    sum += (uint64_t)room[1];
}
NOINLINE static void variadic(unsigned depth, ...) {
    va_list list;
    va_start(list, depth);
    long value = va_arg(list, long);
    double real = va_arg(list, double);
    va_end(list);
    go(depth - 1);
    touch();
    sum += (uint64_t)value + (uint64_t)real;
}
NOINLINE static void huge(unsigned depth) {
    volatile char room[1200 * 1000];
    room[0] = room[sizeof room - 1] = 1;
    touch();
    go(depth - 1);
    sum += (unsigned char)room[0];
}
static int compare(const void *a, const void *b) {
    if (roll(4) == 0) {
        touch();
    }
    return *(const int *)a - *(const int *)b;
}
NOINLINE static void through_libc(unsigned depth) {
    int array[6] = {3, 1, 2, 6, 5, 4};
    qsort(array, 6, sizeof *array, compare);
    go(depth - 1);
    sum += (unsigned)array[0];
}

static void go(unsigned depth) {
    touch();
    if (depth == 0) {
        return;
    }
    unsigned way = roll(60);
    switch (way) {
    case 0:
        huge(depth / 4 + 1);
        break;
    case 1:
    case 2:
    case 3:
        through_libc(depth);
        break;
    default:
        switch (way % 7) {
        case 0:
            plain(depth);
            break;
        case 1:
            with_alloca(depth);
            break;
        case 2:
            with_array(depth, roll(100) + 1);
            break;
        case 3:
            aligned(depth);
            break;
        case 4:
            aligned_with_alloca(depth, roll(400) + 1);
            break;
        case 5:
            aligned_with_arguments(depth, 1, 2, 3, 4, 5, 6, 7);
            break;
        default:
            variadic(depth, 5L, 2.5);
            break;
        }
        if (way > 45) {
            plain(depth > 3 ? depth - 3 : 1);
        }
    }
}

int main(int argc, char **argv) {
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    for (unsigned long i = 0; i < rounds; i++) {
        go(12);
    }
    printf("%llu\n", (unsigned long long)sum);
}
