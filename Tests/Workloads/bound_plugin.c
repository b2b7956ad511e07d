/*
 * bound_plugin: a plugin for bound_past, which a host opens with RTLD_DEEPBIND. It calls each
 * function of malloc(3) directly and through a table of pointers, which the loader fills in.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct functions {
    void *(*allocate)(size_t);
    void (*give_back)(void *);
};
/* In pages that the loader makes read-only, and in others. */
static const struct functions fixed = {malloc, free};
static struct functions changing = {malloc, free};

static void *early[7];

__attribute__((constructor)) static void take_early(void) {
    for (int i = 0; i < 7; i++) {
        early[i] = malloc(701);
    }
}

/* Gives back what was taken before the library could be looked at. */
void plugin_early(void) {
    for (int i = 0; i < 7; i++) {
        free(early[i]);
        early[i] = NULL;
    }
}

__attribute__((noinline)) void *plugin_kept(int through) {
    void *block = through == 0   ? malloc(613)
                  : through == 1 ? fixed.allocate(613)
                                 : changing.allocate(613);
    memset(block, 1, 613);
    return block;
}

__attribute__((noinline)) void plugin_dropped(int through) {
    void *block = plugin_kept(through);
    errno = 77;
    if (through == 0) {
        free(block);
    } else if (through == 1) {
        fixed.give_back(block);
    } else {
        changing.give_back(block);
    }
    if (errno != 77) {
        puts("errno changed");
    }
}

static void show(const char *what, void *block, size_t bytes, size_t align) {
    printf("%s: %s %s errno %d\n", what, block ? "block" : "none",
           (uintptr_t)block % align == 0 ? "aligned" : "odd", errno);
    if (block && malloc_usable_size(block) < bytes) {
        puts("too small");
    }
    free(block);
    errno = 0;
}

/* Each function, with what it fails for. */
void plugin_all(void) {
    volatile size_t huge = SIZE_MAX / 2;
    void *block = NULL;
    errno = 0;
    show("malloc", malloc(1000), 1000, 16);
    show("malloc huge", malloc(huge), 0, 1);
    show("calloc", calloc(10, 100), 1000, 16);
    show("calloc huge", calloc(huge, 100), 0, 1);
    show("realloc of nothing", realloc(NULL, 100), 100, 16);
    show("realloc", realloc(malloc(10), 50000), 50000, 16);
    block = malloc(10);
    show("realloc huge", realloc(block, huge), 0, 1);
    show("what was not moved", block, 10, 16);
    show("realloc to nothing", realloc(malloc(10), 0), 0, 1);
    show("reallocarray", reallocarray(malloc(10), 10, 1000), 10000, 16);
    block = malloc(10);
    show("reallocarray huge", reallocarray(block, huge, 3), 0, 1);
    show("what was not moved", block, 10, 16);
    printf("posix_memalign %d\n", posix_memalign(&block, 256, 1000));
    show("posix_memalign", block, 1000, 256);
    printf("posix_memalign odd %d\n", posix_memalign(&block, 3, 1000));
    show("aligned_alloc", aligned_alloc(512, 1024), 1024, 512);
    show("memalign", memalign(1024, 100), 100, 1024);
    show("valloc", valloc(100), 100, 4096);
    show("pvalloc", pvalloc(100), 4096, 4096);
    free(strdup("by the C library"));
    free(NULL);
}

/* The loader answers for the caller: what comes after this plugin, which is opened alone. */
int plugin_next_is_none(void) {
    dlerror();
    return dlsym(RTLD_NEXT, "plugin_all") == NULL && dlerror() != NULL;
}

/* So does it for the caller's RUNPATH. */
int plugin_opens(const char *name) {
    return dlopen(name, RTLD_LAZY) != NULL;
}
