/* leaves.c ABOVE: a timer's handler leaves whatever it interrupts by siglongjmp, allocator and
 * profiler included, from an alternate stack above (1) or below (0) the program's own. Then blocks
 * of 4321 bytes are made further in and further out than where it left: 1000 each. Then the
 * allocator itself raises a signal, whose handler makes a block of 3333 bytes: 500 times, and
 * leaves: 500 times. Run with bump.c, which may be left anywhere. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static sigjmp_buf back;
static void *volatile newest;
static volatile int jumps, leaving;

static void on_alarm(int signal) {
    (void)signal;
    jumps++;
    siglongjmp(back, 1);
}

__attribute__((noinline)) void in_handler(void) {
    newest = malloc(3333);
}

static void on_user(int signal) {
    (void)signal;
    in_handler();
    if (leaving) {
        siglongjmp(back, 1);
    }
}

__attribute__((noinline)) static void deep(unsigned depth) {
    volatile char room[64];
    room[0] = (char)depth;
    if (depth) {
        deep(depth - 1);
    } else {
        for (int i = 0; i < 50; i++) {
            newest = malloc(24);
            free(newest);
        }
    }
    room[1] = room[0];
}

__attribute__((noinline)) void after_leaving(unsigned depth, int count) {
    volatile char room[64];
    room[0] = (char)depth;
    if (depth) {
        after_leaving(depth - 1, count);
    } else {
        for (int i = 0; i < count; i++) {
            newest = malloc(4321);
        }
    }
    room[1] = room[0];
}

__attribute__((noinline)) void raising(void) {
    newest = malloc(7777);
}

static void *all(void *alternate) {
    sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = 1 << 16}, NULL);
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    time_t start = time(NULL);
    struct itimerval often = {{0, 150}, {0, 150}}, never = {{0, 0}, {0, 0}};
    for (volatile int round = 0; round < 40; round++) {
        volatile int goal = jumps + 25;
        while (jumps < goal && time(NULL) - start < 40) {
            if (sigsetjmp(back, 1) == 0) {
                setitimer(ITIMER_REAL, &often, NULL);
                for (;;) {
                    deep(10);
                }
            }
        }
        setitimer(ITIMER_REAL, &never, NULL);
        if (sigsetjmp(back, 1) == 0) { /* what is still under way arrives here */
            for (volatile int i = 0; i < 100000; i++) {
            }
        }
        after_leaving(30, 25);
        after_leaving(0, 25);
    }
    for (volatile int i = 0; i < 1000; i++) {
        leaving = i % 2;
        if (sigsetjmp(back, 1) == 0) {
            raising();
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    /* One mapping holds the thread's stack and the alternate one, in this order or the other. */
    size_t stack = 1 << 20, alternate = 1 << 16;
    char *low =
        mmap(NULL, stack + alternate, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int above = argc > 1 && atoi(argv[1]);
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_ONSTACK};
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigaction(SIGALRM, &action, NULL);
    action.sa_handler = on_user;
    sigaction(SIGUSR1, &action, NULL);
    pthread_sigmask(SIG_SETMASK, &alarm, NULL); /* it is for the thread alone */
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, above ? low : low + alternate, stack);
    pthread_t thread;
    pthread_create(&thread, &attributes, all, above ? low + stack : low);
    pthread_join(thread, NULL);
    printf("%s\n", jumps >= 1000 ? "left" : "left too seldom");
    return 0;
}
