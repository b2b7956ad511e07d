// A server that replaces its workers: turns leak|warm|connection|unseen WORKERS MILLISECONDS
// AT_ONCE
//   leak        a worker loses a block at each request, until it ends
//   warm        it fills a cache in the first half of its life, and then replaces what is in it
//   unseen      it takes memory by system calls, which malloc does not know, beside one block
//   connection  it keeps all that one connection needs, and frees nothing: its end does
// Prints the bytes that were lost, and the seconds that it took.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1021, PAUSE = 5, PAGES = 3 * 4096 };

static void *cache[100000];

__attribute__((noinline)) static void lose(void) {
    char *volatile block = malloc(BLOCK);
    memset(block, 1, BLOCK);
}

__attribute__((noinline)) static void remember(int slot) {
    free(cache[slot]);
    cache[slot] = malloc(BLOCK);
    memset(cache[slot], 1, BLOCK);
}

static void take(void) {
    remember(0);
    int access = PROT_READ | PROT_WRITE, kind = MAP_PRIVATE | MAP_ANONYMOUS;
    memset((void *)syscall(SYS_mmap, NULL, PAGES, access, kind, -1, 0), 1, PAGES);
}

static void worker(const char *mode, int requests) {
    for (int i = 0; i < requests; i++) {
        if (mode[0] == 'w') {
            remember(i % (requests / 2));
        } else if (mode[0] == 'u') {
            take();
        } else {
            lose();
        }
        usleep(PAUSE * 1000);
    }
    _exit(0);
}

int main(int argc, char **argv) {
    if (argc != 5) {
        return 2;
    }
    int workers = atoi(argv[2]), requests = atoi(argv[3]) / PAUSE, at_once = atoi(argv[4]),
        started = 0;
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (; started < at_once; started++) {
        if (fork() == 0) {
            worker(argv[1], requests);
        }
    }
    while (wait(NULL) > 0) {
        if (started < workers && ++started && fork() == 0) {
            worker(argv[1], requests);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (end.tv_sec - start.tv_sec) + 1e-9 * (end.tv_nsec - start.tv_nsec);
    printf("%d %.3f\n", argv[1][0] == 'l' ? workers * requests * BLOCK : 0, seconds);
}
