/*
 * keys.c: takes all keys of pthread_key_create, or with `c11` of tss_create: their number. Each of
 * 100 short threads then sets all of them; how often destructors were called, and with the value
 * of their own key. A thread that began before sees nothing in any of them.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#define MOST 2000

static pthread_key_t keys[MOST];
static int count;
static _Atomic int destroyed, wrong, seen;
static sem_t begun, taken;

static void destroy(void *value) {
    destroyed++;
    wrong += strcmp(value, "value") != 0;
    free(value);
}

static void *early(void *unused) {
    void *volatile block = malloc(10);
    free(block);
    sem_post(&begun);
    sem_wait(&taken);
    for (int i = 0; i < count; i++) {
        seen += pthread_getspecific(keys[i]) != NULL;
    }
    return unused;
}

static void *late(void *unused) {
    for (int i = 0; i < count; i++) {
        pthread_setspecific(keys[i], strdup("value"));
    }
    return unused;
}

int main(int argc, char **argv) {
    pthread_t thread;
    (void)argv;
    sem_init(&begun, 0, 0);
    sem_init(&taken, 0, 0);
    pthread_create(&thread, NULL, early, NULL);
    sem_wait(&begun);
    while (count < MOST && (argc > 1 ? tss_create((tss_t *)&keys[count], destroy) == thrd_success
                                     : pthread_key_create(&keys[count], destroy) == 0)) {
        count++;
    }
    sem_post(&taken);
    pthread_join(thread, NULL);
    for (int i = 0; i < 100; i++) {
        pthread_create(&thread, NULL, late, NULL);
        pthread_join(thread, NULL);
    }
    printf("%d keys, %d destroyed, %d wrong, %d seen\n", count, destroyed, wrong, seen);
    return 0;
}
