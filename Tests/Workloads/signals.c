/* A timer signal allocates on an alternate stack while the program allocates: glibc's malloc is not
 * entered twice, since the handler only runs it when the interrupted code is outside the allocator.
 * Ends when enough signals were handled, or after a minute. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

static volatile sig_atomic_t inside;
static volatile sig_atomic_t handled;
static void *volatile from_handler[100000];

static void on_timer(int signal) {
    (void)signal;
    if (!inside && handled < 100000) {
        from_handler[handled] = malloc(55);
        handled = handled + 1;
    }
}

int main(void) {
    static char stack[1 << 16];
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); /* whoever started this may have blocked the timer's */
    time_t start = time(NULL);
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_ONSTACK | SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    /* Whoever starts this may have the signal blocked. */
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarms, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 200}, {0, 200}}, NULL);
    for (long i = 0; i < 300000 || (handled < 50 && time(NULL) - start < 60); i++) {
        inside = 1;
        void *block = malloc(88);
        inside = 0;
        for (volatile int spin = 0; spin < 200; spin++) {
        }
        inside = 1;
        free(block);
        inside = 0;
    }
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    printf(handled < 50 ? "handled too few\n" : "handled enough\n");
    return 0;
}
