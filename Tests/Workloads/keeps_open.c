/* keeps_open.c: a service that forgets to close one descriptor per request of one kind.
 *
 * `keeps_open serve SOCKET WAY` answers at a Unix socket; each request says in its first letter
 * what is to be done: k opens a file and forgets it, f opens one and closes it again. WAY: `alone`,
 * `forked` (a worker that the parent has forked serves) or `threads` (8 of them serve).
 * `keeps_open load SOCKET LETTER COUNT` makes that many requests. `keeps_open run WAY SECONDS` does
 * both some 200 times a second without a socket, and says at the end how many descriptors it has
 * forgotten a second; where WAY is `late`, nobody listens to it for some of the time (its parent is
 * stopped), and where it is `held`, it says so much that it has to wait then.
 * `keeps_open unseen` opens seven files, closes five of them by bare system
 * calls and puts three of another kind in their place. */
#include "bare.h"
#include "letters.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define THREADS 8

__attribute__((noinline)) static int open_order(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    __asm__ volatile("" : "+r"(fd));
    return fd;
}

__attribute__((noinline)) static int open_user(void) {
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    __asm__ volatile("" : "+r"(fd));
    return fd;
}

static int do_request(char letter) {
    if (letter == 'k') {
        return open_order() < 0;
    }
    return close(open_user());
}

static int listener, seconds;
static int forgotten;

static void *serve(void *argument) {
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        char letter = 0;
        if (read(connection, &letter, 1) == 1 && do_request(letter) == 0) {
            (void)!write(connection, "ok", 2);
        }
        close(connection);
    }
    return argument;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int workers = 1;
static bool churns;

/* Some 30 KiB of records, of blocks that go at once. */
static void churn(void) {
    for (int i = 0; i < 600; i++) {
        void *volatile one = malloc(40), *volatile other = malloc(50);
        free(one);
        free(other);
    }
}

static void *run(void *argument) {
    for (double end = now() + seconds; now() < end;) {
        if (churns) {
            churn();
        }
        do_request('f');
        do_request('k');
        __atomic_fetch_add(&forgotten, 1, __ATOMIC_RELAXED);
        nanosleep(&(struct timespec){0, 5000000 * workers}, NULL);
    }
    return argument;
}

static void run_and_tell(void *(*body)(void *)) {
    double start = now();
    pthread_t threads[THREADS];
    for (int i = 1; i < workers; i++) {
        pthread_create(&threads[i], NULL, body, NULL);
    }
    body(NULL);
    for (int i = 1; i < workers; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%.3f\n", forgotten / (now() - start));
    fflush(stdout);
}

static void wait_for(double span) {
    nanosleep(&(struct timespec){(time_t)span, (long)(1e9 * (span - (double)(time_t)span))}, NULL);
}

/* Keeps the parent from running for a quarter of the time. */
static void *stop_parent(void *argument) {
    pid_t parent = getppid();
    wait_for(churns ? 0.7 * seconds : 0.3 * seconds);
    if (getppid() == parent && kill(parent, SIGSTOP) == 0) {
        wait_for(0.25 * seconds);
        kill(parent, SIGCONT);
    }
    return argument;
}

static int start(const char *way, void *(*body)(void *)) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (!strcmp(way, "threads")) {
        workers = THREADS;
    }
    pthread_t stopping;
    churns = !strcmp(way, "held");
    if ((churns || !strcmp(way, "late")) &&
        pthread_create(&stopping, NULL, stop_parent, NULL) == 0) {
        pthread_detach(stopping);
    }
    pid_t worker = strcmp(way, "forked") ? 0 : fork();
    if (worker == 0) {
        run_and_tell(body);
        return 0;
    }
    int status = 0;
    waitpid(worker, &status, 0);
    return status != 0;
}

static void wait_a_while(void) {
    nanosleep(&(struct timespec){0, 700000000}, NULL);
}

static int go_unseen(void) {
    int all[7];
    for (int i = 0; i < 7; i++) {
        all[i] = open_order();
    }
    wait_a_while();
    for (int i = 0; i < 5; i++) {
        bare(SYS_close, all[i], 0, 0);
    }
    for (int i = 0; i < 3; i++) {
        bare(SYS_eventfd2, 0, 0, 0);
    }
    wait_a_while();
    return 0;
}

int main(int count, char **arguments) {
    if (count == 4 && !strcmp(arguments[1], "serve")) {
        listener = bound(arguments[2]);
        return start(arguments[3], serve);
    }
    if (count == 5 && !strcmp(arguments[1], "load")) {
        return load(arguments[2], arguments[3][0], atoi(arguments[4]));
    }
    if (count == 4 && !strcmp(arguments[1], "run")) {
        seconds = atoi(arguments[3]);
        return start(arguments[2], run);
    }
    if (count == 2 && !strcmp(arguments[1], "unseen")) {
        return go_unseen();
    }
    fprintf(stderr, "usage: keeps_open serve SOCKET WAY | load SOCKET LETTER COUNT | run WAY "
                    "SECONDS | unseen\n");
    return 2;
}
