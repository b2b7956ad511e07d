/* own_memory.c WAY [N]: what a program sees of its own memory.
 *   size          prints its address space
 *   locked        locks its memory (mlockall(2)) and prints how much that is
 *   limited       lowers RLIMIT_AS to 1 MiB above what it has, and allocates half of that
 *   generations   a chain of N fork children that allocate; the last prints its address space
 *   handler       a timer's handler forks N times; children return from it, allocate and end
 *   frames        a thread whose stacks are N frames deep prints the address space before and in it
 *   wander        allocates N times, each under another path of 40 calls, with RLIMIT_AS at 64 MiB,
 * and prints its address space All figures in KiB. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static long status_kib(const char *name) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) == 0) {
            sscanf(line + strlen(name), ": %ld", &kib);
        }
    }
    fclose(file);
    return kib;
}

static void touch(size_t bytes) {
    char *block = malloc(bytes);
    if (!block) {
        puts("no memory");
        exit(1);
    }
    memset(block, 1, bytes);
    free(block);
}

static int limited(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = (rlim_t)(status_kib("VmSize") + 1024) * 1024;
    setrlimit(RLIMIT_AS, &limit);
    touch(512 << 10);
    puts("got it");
    return 0;
}

static void *wander_left(uint64_t way, int left), *wander_right(uint64_t way, int left);

static __attribute__((noinline)) void *wander_on(uint64_t way, int left) {
    void *block = left == 0 ? malloc(40)
                  : way & 1 ? wander_left(way >> 1, left - 1)
                            : wander_right(way >> 1, left - 1);
    __asm__ volatile("" : : "r"(block));
    return block;
}
static __attribute__((noinline)) void *wander_left(uint64_t way, int left) {
    void *block = wander_on(way, left);
    __asm__ volatile("" : : "r"(block));
    return block;
}
static __attribute__((noinline)) void *wander_right(uint64_t way, int left) {
    void *block = wander_on(way, left);
    __asm__ volatile("nop" : : "r"(block));
    return block;
}

static int wander(int count) {
    struct rlimit limit = {64 << 20, 64 << 20};
    setrlimit(RLIMIT_AS, &limit);
    uint64_t way = 88172645463325252u;
    for (int i = 0; i < count; i++) {
        way ^= way << 13;
        way ^= way >> 7;
        way ^= way << 17;
        free(wander_on(way, 40));
    }
    printf("%ld\n", status_kib("VmSize"));
    return 0;
}

static int generations(int left) {
    touch(1000);
    if (left == 0) {
        printf("%ld\n", status_kib("VmSize"));
        return 0;
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        exit(generations(left - 1));
    }
    int status = 1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static volatile sig_atomic_t forks, is_child;
static int by_handler;

static void fork_now(int number) {
    (void)number;
    if (is_child || forks >= by_handler) {
        return;
    }
    /* The one runs handlers of pthread_atfork(3), the other none. */
    pid_t child = forks % 2 ? _Fork() : fork();
    is_child = child == 0;
    forks += child > 0;
}

static int handler(int count) {
    struct sigaction action = {.sa_handler = fork_now, .sa_flags = SA_RESTART};
    struct itimerval timer = {{0, 1500}, {0, 1500}};
    by_handler = count;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
    void *volatile kept[64] = {0};
    long rounds = 0;
    while (forks < count || is_child) {
        for (int i = 0; i < 64; i++) {
            free(kept[i]);
            kept[i] = malloc(100 + (size_t)(rounds % 300));
        }
        if (++rounds > 300 && is_child) {
            _exit(0);
        }
        rounds = is_child ? rounds : 0;
    }
    memset(&timer, 0, sizeof timer);
    setitimer(ITIMER_REAL, &timer, NULL);
    int status, bad = 0;
    while (wait(&status) > 0) {
        bad += status != 0;
    }
    printf("%d bad\n", bad);
    return bad != 0;
}

static __attribute__((noinline)) int deep(int left) {
    volatile char room[32] = {0};
    if (left == 0) {
        touch(100);
        return room[0];
    }
    return deep(left - 1) + room[0];
}

static void *deep_thread(void *frames) {
    deep((int)(long)frames);
    return (void *)status_kib("VmSize");
}

static int frames(long count) {
    pthread_attr_t attributes;
    static _Alignas(4096) char stack[256 << 10];
    pthread_t thread;
    void *during;
    long before = status_kib("VmSize");
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, sizeof stack);
    pthread_create(&thread, &attributes, deep_thread, (void *)count);
    pthread_join(thread, &during);
    printf("%ld\n", (long)during - before);
    return 0;
}

int main(int argc, char **argv) {
    int number = argc > 2 ? atoi(argv[2]) : 0;
    touch(100);
    if (strcmp(argv[1], "size") == 0) {
        printf("%ld\n", status_kib("VmSize"));
        return 0;
    }
    if (strcmp(argv[1], "locked") == 0) {
        if (mlockall(MCL_CURRENT) != 0) {
            return 1;
        }
        printf("%ld\n", status_kib("VmLck"));
        return 0;
    }
    if (strcmp(argv[1], "limited") == 0) {
        return limited();
    }
    if (strcmp(argv[1], "wander") == 0) {
        return wander(number);
    }
    if (strcmp(argv[1], "generations") == 0) {
        return generations(number);
    }
    if (strcmp(argv[1], "handler") == 0) {
        return handler(number);
    }
    return frames(number);
}
