/*
 * mappings [THREADS]: maps 40 ranges of 12,288 bytes, cuts the middle page out of 10, unmaps 10,
 * grows 10 to 20,480 bytes by mremap; failing calls in between. 30 are left: 10 of 12,288, 10 of
 * 8,192, 10 of 20,480. With threads, each maps ranges that others unmap, 2,000 times, and leaves
 * none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BYTES 12288

__attribute__((noinline)) char *make_range(size_t bytes) {
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *volatile exchange[64];

static void *swap_ranges(void *argument) {
    unsigned seed = (unsigned)(size_t)argument;
    for (int i = 0; i < 2000; i++) {
        void *old =
            __atomic_exchange_n(&exchange[rand_r(&seed) % 64], make_range(BYTES), __ATOMIC_SEQ_CST);
        if (old) {
            munmap(old, BYTES);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    char *ranges[40];
    for (int i = 0; i < 40; i++) {
        ranges[i] = make_range(BYTES - (i % 2)); /* rounded up to pages */
    }
    for (int i = 0; i < 10; i++) {
        munmap(ranges[i] + 4096, 4096);
        munmap(ranges[10 + i], BYTES);
        char *grown = mremap(ranges[20 + i], BYTES, 20480, MREMAP_MAYMOVE);
        if (grown == MAP_FAILED) {
            return 1;
        }
        memset(grown, 1, 20480);
    }
    errno = 0;
    int result = munmap(ranges[30] + 1, BYTES);
    printf("munmap unaligned: %d %s\n", result, strerror(errno));
    errno = 0;
    result = munmap(ranges[30], 0);
    printf("munmap nothing: %d %s\n", result, strerror(errno));
    errno = 0;
    char *failed = mremap(ranges[31], BYTES, (size_t)1 << 60, MREMAP_MAYMOVE);
    printf("mremap huge: %d %s\n", failed == MAP_FAILED, strerror(errno));
    errno = 0;
    failed = mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("mmap nothing: %d %s\n", failed == MAP_FAILED, strerror(errno));
    errno = 0;
    failed = mmap64(NULL, 4096, PROT_READ, MAP_PRIVATE, 99999, 0);
    printf("mmap of no file: %d %s\n", failed == MAP_FAILED, strerror(errno));
    int threads = argc > 1 ? atoi(argv[1]) : 0;
    pthread_t ids[16];
    for (int i = 0; i < threads; i++) {
        pthread_create(&ids[i], NULL, swap_ranges, (void *)(size_t)(i + 1));
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
    }
    for (int i = 0; i < 64; i++) {
        if (exchange[i]) {
            munmap(exchange[i], BYTES);
        }
    }
    return 0;
}
