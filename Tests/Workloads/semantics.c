/* Every allocation function, its errno and its failures, printed: the output must be the same with
 * and without silt. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void show(const char *name, void *block, size_t align) {
    printf("%s: %s errno %d aligned %d usable %d\n", name, block ? "block" : "NULL", errno,
           !block || align == 0 || (uintptr_t)block % align == 0,
           block ? (int)malloc_usable_size(block) : -1);
    errno = 77;
    free(block);
    printf("  after free errno %d\n", errno);
    errno = 0;
}

int main(void) {
    volatile size_t huge = SIZE_MAX / 2 + 1;
    void *p = NULL;
    errno = 0;
    show("malloc(0)", malloc(0), 16);
    show("malloc(100)", malloc(100), 16);
    show("malloc(huge)", malloc(huge), 0);
    show("calloc overflow", calloc(huge, 4), 0);
    show("calloc", calloc(10, 10), 16);
    show("realloc(NULL)", realloc(NULL, 50), 16);
    p = malloc(60);
    void *q = realloc(p, huge);
    printf("realloc huge: %s errno %d\n", q ? "block" : "NULL", errno);
    errno = 0;
    show("realloc grow", realloc(p, 5000), 16);
    p = malloc(64);
    q = realloc(p, 0);
    printf("realloc(p, 0): %s errno %d\n", q ? "block" : "NULL", errno);
    errno = 0;
    show("reallocarray overflow", reallocarray(NULL, huge, 4), 0);
    show("reallocarray", reallocarray(NULL, 6, 7), 16);
    int r = posix_memalign(&p, 3, 10);
    printf("posix_memalign bad: %d errno %d\n", r, errno);
    r = posix_memalign(&p, 256, 10);
    printf("posix_memalign: %d errno %d\n", r, errno);
    show("posix_memalign", p, 256);
    show("aligned_alloc", aligned_alloc(128, 256), 128);
    show("memalign", memalign(512, 33), 512);
    show("valloc", valloc(10), 4096);
    show("pvalloc", pvalloc(10), 4096);
    show("strdup", strdup("some text"), 16);
    free(NULL);
    printf("free(NULL) errno %d\n", errno);
    return 0;
}
