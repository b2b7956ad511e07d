/*
 * bound_past: a host of plugins that are bound past a preloaded malloc. `bound_past PLUGIN`: opens
 * it with RTLD_DEEPBIND and has it keep 30 blocks of 613 bytes, drop 30, and call all functions.
 * `bound_past race PLUGIN…`: threads call each plugin for the first time while the next one is
 * opened, and each drops 300 blocks. `bound_past again PLUGIN`: 50 times opened and closed, each
 * time with one block kept, one dropped.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No library of this program has them. */
extern void *mallocx(size_t, int) __attribute__((weak));
extern void *tc_malloc(size_t) __attribute__((weak));
extern void *mi_malloc(size_t) __attribute__((weak));

struct plugin {
    void *handle;
    void *(*keep)(int);
    void (*drop)(int);
    void (*all)(void);
    int (*next_is_none)(void);
    int (*opens)(const char *);
};

static struct plugin open_plugin(const char *path, int flags) {
    struct plugin plugin = {dlopen(path, flags), NULL, NULL, NULL, NULL, NULL};
    if (!plugin.handle) {
        puts(dlerror());
        exit(1);
    }
    *(void **)&plugin.keep = dlsym(plugin.handle, "plugin_kept");
    *(void **)&plugin.drop = dlsym(plugin.handle, "plugin_dropped");
    *(void **)&plugin.all = dlsym(plugin.handle, "plugin_all");
    *(void **)&plugin.next_is_none = dlsym(plugin.handle, "plugin_next_is_none");
    *(void **)&plugin.opens = dlsym(plugin.handle, "plugin_opens");
    return plugin;
}

static void *use(void *argument) {
    struct plugin *plugin = argument;
    for (int i = 0; i < 300; i++) {
        plugin->drop(i % 3);
    }
    return NULL;
}

static void race(char **paths, int count) {
    enum { THREADS = 4, MOST = 16 };
    static struct plugin plugins[MOST];
    static pthread_t threads[MOST][THREADS];
    for (int i = 0; i < count && i < MOST; i++) {
        plugins[i] = open_plugin(paths[i], RTLD_LAZY | RTLD_DEEPBIND);
        for (int thread = 0; thread < THREADS; thread++) {
            pthread_create(&threads[i][thread], NULL, use, &plugins[i]);
        }
    }
    for (int i = 0; i < count && i < MOST; i++) {
        for (int thread = 0; thread < THREADS; thread++) {
            pthread_join(threads[i][thread], NULL);
        }
    }
}

int main(int count, char **arguments) {
    if (count < 2) {
        return 2;
    }
    printf("weak %d %d %d\n", mallocx != NULL, tc_malloc != NULL, mi_malloc != NULL);
    if (strcmp(arguments[1], "race") == 0) {
        race(arguments + 2, count - 2);
        puts("race done");
        return 0;
    }
    if (strcmp(arguments[1], "again") == 0) {
        for (int i = 0; i < 50; i++) {
            struct plugin plugin = open_plugin(arguments[2], RTLD_LAZY | RTLD_DEEPBIND);
            plugin.keep(i % 3);
            plugin.drop(i % 3);
            dlclose(plugin.handle);
        }
        puts("again done");
        return 0;
    }
    struct plugin plugin = open_plugin(arguments[1], RTLD_LAZY | RTLD_DEEPBIND);
    for (int i = 0; i < 30; i++) {
        plugin.keep(i % 3);
        plugin.drop(i % 3);
    }
    plugin.all();
    printf("next is none %d\n", plugin.next_is_none());
    printf("inner %d %d\n", plugin.opens("libinner.so"), dlopen("libinner.so", RTLD_LAZY) != NULL);
    void *(*by_handle)(size_t) = NULL;
    void (*free_by_handle)(void *) = NULL;
    void *libc = dlopen("libc.so.6", RTLD_LAZY);
    *(void **)&by_handle = dlsym(libc, "malloc");
    *(void **)&free_by_handle = dlsym(libc, "free");
    void *block = by_handle(619);
    free_by_handle(by_handle(619));
    printf("by handle %d\n", block != NULL);
    void *last = plugin.keep(0);
    free(last);
    return 0;
}
