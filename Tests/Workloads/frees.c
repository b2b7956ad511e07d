/*
 * frees [THREADS] [fork|exec]: 100,000 blocks of 40 bytes from make_order. Of each ten, three are
 * freed by order_free, one by order_expire, one is moved by order_grow, one is not moved since
 * order_grow_in_vain asks for too much; that one and four more are left. Besides, 10,000 of 24
 * bytes from make_note, each freed at once by drop_note. With threads, each frees what another one
 * made. "fork": a child does it all; "exec": so does a program that the child executes.
 * Status 9 when errno is not what it was before a free.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MADE 100000

static void *blocks[MADE];
static volatile size_t huge = SIZE_MAX / 4;
static int threads = 1;

/* What is done after a call keeps the compiler from leaving the frame before it. */
#define CHECKED(call)                                                                              \
    do {                                                                                           \
        errno = 77;                                                                                \
        call;                                                                                      \
        if (errno != 77) {                                                                         \
            _exit(9);                                                                              \
        }                                                                                          \
    } while (0)

__attribute__((noinline)) static void *make_order(void) {
    void *volatile order = malloc(40);
    return order;
}

__attribute__((noinline)) static void order_free(void *order) {
    CHECKED(free(order));
}

__attribute__((noinline)) static void order_expire(void *order) {
    CHECKED(free(order));
}

__attribute__((noinline)) static void *order_grow(void *order) {
    void *volatile grown;
    CHECKED(grown = realloc(order, 4000));
    return grown;
}

__attribute__((noinline)) static void *order_grow_in_vain(void *order) {
    void *volatile grown = realloc(order, huge);
    return grown ? NULL : order;
}

__attribute__((noinline)) static void *make_note(void) {
    void *volatile note = malloc(24);
    return note;
}

__attribute__((noinline)) static void drop_note(void *note) {
    CHECKED(free(note));
}

static void *work(void *argument) {
    long number = (long)argument, next = (number + 1) % threads;
    for (long i = MADE * number / threads; i < MADE * (number + 1) / threads; i++) {
        __atomic_store_n(&blocks[i], make_order(), __ATOMIC_RELEASE);
        if (i % 10 == 0) {
            drop_note(make_note());
        }
    }
    /* The neighbour's blocks, as soon as they are there. */
    for (long i = MADE * next / threads; i < MADE * (next + 1) / threads; i++) {
        void *order;
        while (!(order = __atomic_load_n(&blocks[i], __ATOMIC_ACQUIRE))) {
        }
        switch (i % 10) {
        case 0:
        case 1:
        case 2:
            order_free(order);
            break;
        case 3:
            order_expire(order);
            break;
        case 4:
            blocks[i] = order_grow(order);
            break;
        case 5:
            blocks[i] = order_grow_in_vain(order);
            break;
        default:
            break;
        }
    }
    return NULL;
}

static void work_all(void) {
    pthread_t ids[64];
    for (long i = 0; i < threads; i++) {
        pthread_create(&ids[i], NULL, work, (void *)i);
    }
    for (long i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
    }
}

int main(int argc, char **argv) {
    const char *way = argc > 2 ? argv[2] : "";
    threads = argc > 1 ? atoi(argv[1]) : 1;
    if (!*way) {
        work_all();
        return 0;
    }
    pid_t child = fork();
    if (child == 0) {
        if (strcmp(way, "exec") == 0) {
            execl("/proc/self/exe", argv[0], argv[1], (char *)NULL);
            _exit(8);
        }
        work_all();
        return 0;
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 7;
}
