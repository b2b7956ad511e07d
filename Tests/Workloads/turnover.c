/* turnover.c ROUNDS PLUGIN...: four threads open the plugins (plugin.cpp) in turn, make a block in
 * each and give it back, and close them again. The C++ library stays, in no global scope. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4 };
static char **plugins;
static int count, rounds;

static void *turn_over(void *argument) {
    for (int i = *(int *)argument; i < rounds; i++) {
        void *plugin = dlopen(plugins[i % count], RTLD_LAZY);
        if (!plugin) {
            puts(dlerror());
            exit(1);
        }
        void *(*make)(void);
        void (*drop)(void *);
        *(void **)&make = dlsym(plugin, "plugin_make");
        *(void **)&drop = dlsym(plugin, "plugin_drop");
        drop(make());
        dlclose(plugin);
    }
    return NULL;
}

int main(int argc, char **argv) {
    static pthread_t threads[THREADS];
    static int first[THREADS];
    if (argc < 3 || !dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL)) {
        return 2;
    }
    rounds = atoi(argv[1]);
    plugins = argv + 2;
    count = argc - 2;
    for (int i = 0; i < THREADS; i++) {
        first[i] = i;
        pthread_create(&threads[i], NULL, turn_over, &first[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    puts("turned over");
    return 0;
}
