/*
 * iterates WAY PLUGIN: another thread is in a callback of dl_iterate_phdr(3), which waits for a
 * mutex that the main thread holds; meanwhile that calls an operator new in a plugin ("new"), dlsym
 * ("dlsym"), or dlclose of what is open elsewhere ("dlclose"). "fork": a thread iterates over and
 * over; children, of two threads each, call that operator.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t held, inside;
static void *(*make)(void);

static int wait_for_mutex(struct dl_phdr_info *info, size_t size, void *with) {
    (void)info, (void)size, (void)with;
    sem_post(&inside);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return 1;
}

static void *iterate_once(void *with) {
    sem_wait(&held);
    dl_iterate_phdr(wait_for_mutex, with);
    return NULL;
}

static int take_time(struct dl_phdr_info *info, size_t size, void *with) {
    (void)info, (void)size, (void)with;
    for (volatile int i = 0; i < 2000; i++) {
    }
    return 0;
}

static void *iterate_always(void *with) {
    for (;;) {
        dl_iterate_phdr(take_time, with);
    }
    return NULL;
}

static void *make_one(void *with) {
    (void)with;
    return make();
}

static int forks(void) {
    pthread_t thread;
    int bad = 0;
    pthread_create(&thread, NULL, iterate_always, NULL);
    for (int i = 0; i < 20 && bad == 0; i++) {
        usleep(500);
        pid_t child = fork();
        if (child == 0) {
            alarm(5);
            pthread_create(&thread, NULL, make_one, NULL);
            make();
            pthread_join(thread, NULL);
            _exit(0);
        }
        int status = 1;
        waitpid(child, &status, 0);
        bad += status != 0;
    }
    return bad;
}

int main(int argc, char **argv) {
    const char *way = argv[argc - 2], *plugin = argv[argc - 1];
    void *first = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
    if (!first) {
        return 2;
    }
    make = (void *(*)(void))dlsym(first, "plugin_make");
    if (strcmp(way, "fork") == 0) {
        return forks();
    }
    void *second = dlopen(strcmp(way, "dlsym") == 0 ? "libm.so.6" : plugin, RTLD_NOW);
    pthread_t thread;
    pthread_create(&thread, NULL, iterate_once, NULL);
    pthread_mutex_lock(&mutex);
    sem_post(&held);
    sem_wait(&inside);
    if (strcmp(way, "new") == 0) {
        make();
    } else if (strcmp(way, "dlsym") == 0) {
        dlsym(second, "cos");
    } else {
        dlclose(second);
    }
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
