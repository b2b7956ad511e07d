/* short_threads.c WAY COUNT AT_ONCE: short threads, at most AT_ONCE alive, each with 20 blocks that
 * it frees. WAY: joined, detached, canceled, exits (a raw exit(2)), kept (all AT_ONCE live until
 * the last has begun; COUNT of them in all, in rounds), counted (so too). Prints resident KiB
 * before, at the most and after; counted, how many mappings there were with all threads. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static sem_t places, begun;
static pthread_barrier_t all;
static const char *way;
static bool keeps;
static long most_mappings;

static long resident_kib(void) {
    char text[128] = {0};
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (file && fgets(text, sizeof text, file)) {
        sscanf(text, "%*s %ld", &pages);
    }
    fclose(file);
    return pages * 4;
}

static long mappings(void) {
    FILE *file = fopen("/proc/self/maps", "r");
    long lines = 0;
    for (int c = 0; file && (c = getc(file)) != EOF;) {
        lines += c == '\n';
    }
    fclose(file);
    return lines;
}

static void work(void) {
    char *blocks[20];
    for (int i = 0; i < 20; i++) {
        blocks[i] = malloc(100 + (size_t)i);
        memset(blocks[i], 1, 100);
    }
    for (int i = 0; i < 20; i++) {
        free(blocks[i]);
    }
}

static void leave(void *unused) {
    (void)unused;
    sem_post(&places);
}

static void *body(void *unused) {
    (void)unused;
    if (keeps) {
        work();
        pthread_barrier_wait(&all);
        pthread_barrier_wait(&all);
        return NULL;
    }
    pthread_cleanup_push(leave, NULL);
    work();
    if (strcmp(way, "canceled") == 0) {
        sem_post(&begun);
        for (;;) {
            pause();
        }
    }
    pthread_cleanup_pop(1);
    if (strcmp(way, "exits") == 0) {
        syscall(SYS_exit, 0);
    }
    return NULL;
}

static void start(pthread_attr_t *attributes) {
    pthread_t thread;
    if (pthread_create(&thread, attributes, body, NULL) != 0) {
        perror("pthread_create");
        exit(1);
    }
    if (strcmp(way, "canceled") == 0) {
        sem_wait(&begun);
        pthread_cancel(thread);
    }
    if (strcmp(way, "detached") == 0) {
        pthread_detach(thread);
    } else {
        pthread_join(thread, NULL);
    }
}

static void keep(long at_once, pthread_attr_t *attributes) {
    pthread_t *threads = malloc(sizeof *threads * (size_t)at_once);
    pthread_barrier_init(&all, NULL, (unsigned)at_once + 1);
    for (long i = 0; i < at_once; i++) {
        if (pthread_create(&threads[i], attributes, body, NULL) != 0) {
            perror("pthread_create");
            exit(1);
        }
    }
    pthread_barrier_wait(&all);
    most_mappings = mappings();
    pthread_barrier_wait(&all);
    for (long i = 0; i < at_once; i++) {
        pthread_join(threads[i], NULL);
    }
    free(threads);
}

int main(int argc, char **argv) {
    (void)argc;
    long count = atol(argv[2]), at_once = atol(argv[3]), most = 0;
    pthread_attr_t attributes;
    way = argv[1];
    keeps = strcmp(way, "kept") == 0 || strcmp(way, "counted") == 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    sem_init(&places, 0, (unsigned)at_once);
    sem_init(&begun, 0, 0);
    long before = resident_kib();
    for (long i = 0; i < count; i++) {
        if (keeps) {
            keep(at_once, &attributes);
            i += at_once - 1;
        } else {
            sem_wait(&places);
            start(&attributes);
        }
        if (i % (count / 8 + 1) == 0 || i + 1 == count) {
            most = resident_kib() > most ? resident_kib() : most;
        }
    }
    if (strcmp(way, "counted") == 0) {
        printf("mappings %ld\n", most_mappings);
        return 0;
    }
    usleep(300000);
    printf("before %ld most %ld after %ld\n", before, most, resident_kib());
    return 0;
}
