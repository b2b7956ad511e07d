/* handles.c: a server that keeps what has a handle, and its load.
 *
 * `handles serve SOCKET [workers]` answers at a Unix socket, with `workers` in two child processes.
 * Each request says in its first letter what is to be done; a capital letter does the same and
 * gives it back. `handles load SOCKET LETTER COUNT` makes that many requests, one after another.
 * `handles run LETTER SECONDS` does it in a loop, and prints how often and in how many seconds. */
#define _GNU_SOURCE
#include "letters.h"

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>

static void *end_at_once(void *argument) {
    return argument;
}

static int end_at_once_too(void *argument) {
    return argument != NULL;
}

/* Allocates: silt sees such a thread end. */
static void *allocate_and_end(void *argument) {
    free(malloc(100));
    return argument;
}

static void *wait_for_ever(void *argument) {
    for (;;) {
        pause();
    }
    return argument;
}

__attribute__((noinline)) static void forget_join(void *(*body)(void *), int joins) {
    pthread_t thread;
    pthread_create(&thread, NULL, body, NULL);
    if (joins) {
        pthread_join(thread, NULL);
    }
}

__attribute__((noinline)) static void forget_thrd_join(int joins) {
    thrd_t thread;
    thrd_create(&thread, end_at_once_too, NULL);
    if (joins) {
        thrd_join(thread, NULL);
    }
}

__attribute__((noinline)) static void start_worker(void *(*body)(void *)) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    pthread_create(&thread, &attributes, body, NULL);
    pthread_attr_destroy(&attributes);
}

__attribute__((noinline)) static void keep_timer(int deletes) {
    struct sigevent event = {0};
    event.sigev_notify = SIGEV_NONE;
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    if (deletes) {
        timer_delete(timer);
    }
}

__attribute__((noinline)) static void keep_semaphore(int closes) {
    static int number;
    char name[50];
    snprintf(name, sizeof name, "/silt-handles-%d-%d", getpid(), number++);
    sem_t *semaphore = sem_open(name, O_CREAT, 0600, 1);
    sem_unlink(name);
    if (closes) {
        sem_close(semaphore);
    }
}

__attribute__((noinline)) static void keep_locale(int frees) {
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (frees) {
        freelocale(locale);
    }
}

__attribute__((noinline)) static void keep_segment(int detaches) {
    int id = shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0600);
    void *there = shmat(id, NULL, 0);
    shmctl(id, IPC_RMID, NULL);
    if (detaches) {
        shmdt(there);
    }
}

static void serve_letter(char letter) {
    switch (letter) {
    case 'j':
        forget_join(end_at_once, 0);
        break;
    case 'J':
        forget_join(end_at_once, 1);
        break;
    case 'k':
        forget_join(allocate_and_end, 0);
        break;
    case 'K':
        forget_join(allocate_and_end, 1);
        break;
    case 'c':
        forget_thrd_join(0);
        break;
    case 'C':
        forget_thrd_join(1);
        break;
    case 'w':
        start_worker(wait_for_ever);
        break;
    case 'W':
        start_worker(end_at_once);
        break;
    case 't':
        keep_timer(0);
        break;
    case 'T':
        keep_timer(1);
        break;
    case 's':
        keep_semaphore(0);
        break;
    case 'S':
        keep_semaphore(1);
        break;
    case 'l':
        keep_locale(0);
        break;
    case 'L':
        keep_locale(1);
        break;
    case 'm':
        keep_segment(0);
        break;
    case 'M':
        keep_segment(1);
        break;
    default:
        abort();
    }
}

static void serve(int listener) {
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        char letter = 0;
        if (read(connection, &letter, 1) == 1) {
            serve_letter(letter);
            (void)!write(connection, "ok", 2);
        }
        close(connection);
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int count, char **arguments) {
    if (count >= 3 && !strcmp(arguments[1], "serve")) {
        int listener = bound(arguments[2]);
        for (int i = 0; count == 4 && i < 2; i++) {
            if (fork() == 0) {
                serve(listener);
            }
        }
        if (count == 4) {
            wait(NULL);
        }
        serve(listener);
    }
    if (count == 5 && !strcmp(arguments[1], "load")) {
        return load(arguments[2], arguments[3][0], atoi(arguments[4]));
    }
    if (count == 4 && !strcmp(arguments[1], "run")) {
        double start = now(), seconds = atof(arguments[3]);
        int done = 0;
        for (; now() - start < seconds; done++) {
            serve_letter(arguments[2][0]);
            nanosleep(&(struct timespec){0, 10000000}, NULL);
        }
        printf("%d %f\n", done, now() - start);
        return 0;
    }
    fprintf(stderr, "usage: handles serve SOCKET [workers] | handles load SOCKET LETTER COUNT | "
                    "handles run LETTER SECONDS\n");
    return 2;
}
