/* reload.c ROUNDS LIBRARY...: loads the libraries in turn, allocates inside, closes them again. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;
    unsigned long same = 0;
    ElfW(Addr) last = 0;
    for (unsigned long i = 0; i < rounds; i++) {
        void *library = dlopen(argv[2 + i % (unsigned)(argc - 2)], RTLD_NOW | RTLD_LOCAL);
        if (!library) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        void *(*make)(unsigned, size_t) =
            (void *(*)(unsigned, size_t))dlsym(library, "plugin_make");
        same += ((struct link_map *)library)->l_addr == last;
        last = ((struct link_map *)library)->l_addr;
        for (unsigned k = 0; k < 40; k++) {
            free(make(k % 5, 50 + k));
        }
        dlclose(library);
    }
    printf("%s\n", same * 2 > rounds ? "mostly at the same place" : "at different places");
    return 0;
}
