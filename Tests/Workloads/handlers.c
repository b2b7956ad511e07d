/* handlers.c ROUNDS: signal handlers that allocate and run deep, on alternate stacks below and
 * above the main one, on the interrupted stack, nested, raised at any instruction by a timer of the
 * process's own CPU time, and left by siglongjmp. The allocator is never entered twice. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

static char *volatile newest; /* keeps the compiler from leaving malloc out */
static volatile sig_atomic_t inside, depth_now, jumps, handled, ticks;
static sigjmp_buf back;
static volatile uint64_t sink;

static void touch(size_t bytes) {
    inside = 1;
    char *block = newest = malloc(bytes);
    block[0] = 1;
    free(block);
    inside = 0;
}

__attribute__((noinline)) static void deep(unsigned depth, size_t bytes) {
    volatile char room[40];
    room[0] = (char)depth;
    if (depth % 3 == 0) {
        touch(bytes);
    }
    if (depth) {
        deep(depth - 1, bytes);
    }
    sink += (uint64_t)room[0];
}

static void on_user(int signal) {
    handled++;
    deep(6, 33);
    if (signal == SIGUSR1 && handled % 4 == 0) {
        raise(SIGUSR2);
    }
    if (handled % 5 == 0 && jumps) {
        siglongjmp(back, 1);
    }
}

static void on_tick(int signal) {
    (void)signal;
    if (!inside) {
        ticks++;
        deep(5, 35);
    }
}

__attribute__((noinline)) static uint64_t work(unsigned depth) {
    uint64_t value = depth * 0x9E3779B97F4A7C15u;
    for (unsigned i = 0; i < 2000; i++) {
        value ^= value << 7;
        value ^= value >> 9;
    }
    if (depth % 4 == 0) {
        touch(37);
    }
    if (depth == 3) {
        raise(SIGUSR1);
    }
    return depth ? work(depth - 1) + value : value;
}

static void on_stack(void *low, size_t bytes) {
    sigaltstack(&(stack_t){.ss_sp = low, .ss_size = bytes, .ss_flags = low ? 0 : SS_DISABLE}, NULL);
}

int main(int argc, char **argv) {
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    static char below[1 << 17];
    char *low = mmap(NULL, 1 << 17, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action = {.sa_handler = on_user, .sa_flags = SA_ONSTACK};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); /* whoever started this may have blocked some */
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    action.sa_handler = on_tick;
    action.sa_flags |= SA_RESTART;
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &(struct itimerval){{0, 1000}, {0, 1000}}, NULL);
    for (volatile unsigned long i = 0; i < rounds; i++) {
        switch (i % 3) {
        case 0:
            on_stack(below, sizeof below);
            break;
        case 1:
            on_stack(low, 1 << 17);
            break;
        default:
            on_stack(NULL, 0);
            break;
        }
        jumps = i % 2;
        if (sigsetjmp(back, 1) == 0) {
            sink += work(5 + i % 9);
        } else {
            inside = 0;
            touch(39);
        }
    }
    setitimer(ITIMER_PROF, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    printf("%s\n", handled > 0 ? "handled" : "nothing handled");
    return 0;
}
