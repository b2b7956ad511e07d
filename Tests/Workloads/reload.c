/* reload.c ROUNDS [moving] LIBRARY...: loads the libraries in turn, allocates inside, closes them
 * again. Those of the last round are kept. `moving`: each time elsewhere. Standard error says what
 * is resident in the end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static long resident_kib(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (!file || fscanf(file, "%*s %ld", &pages) != 1) {
        pages = -1;
    }
    if (file) {
        fclose(file);
    }
    return pages * 4;
}

int main(int argc, char **argv) {
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;
    unsigned long same = 0;
    int moving = argc > 2 && strcmp(argv[2], "moving") == 0;
    char **libraries = argv + 2 + moving;
    unsigned count = (unsigned)(argc - 2 - moving);
    ElfW(Addr) last = 0;
    for (unsigned long i = 0; i < rounds; i++) {
        void *library = dlopen(libraries[i % count], RTLD_NOW | RTLD_LOCAL);
        if (!library) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        void *(*make)(unsigned, size_t) =
            (void *(*)(unsigned, size_t))dlsym(library, "plugin_make");
        same += ((struct link_map *)library)->l_addr == last;
        last = ((struct link_map *)library)->l_addr;
        for (unsigned k = 0; k < 40; k++) {
            void *block = make(k % 5, 50 + k);
            if (i + count < rounds) {
                free(block);
            }
        }
        dlclose(library);
        if (moving) { /* the room that it had is taken */
            mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        }
    }
    printf("%s\n", same * 2 > rounds ? "mostly at the same place" : "at different places");
    fprintf(stderr, "resident %ld\n", resident_kib());
    return 0;
}
