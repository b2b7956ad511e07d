/*
 * interfaces: allocators by their own names. Built with -DJEMALLOC, -DTCMALLOC or -DMIMALLOC and
 * the library: keeps 20 blocks of 617 bytes, drops 20 and one by a function that it looks up, then
 * calls the other functions, each of which gives back what it took. Prints what each returned.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AS_TEXT(name)  AS_TEXT_(name)
#define AS_TEXT_(name) #name
#define OK(what)       printf("%s: %d errno %d\n", #what, (what) != 0, errno)

#if defined JEMALLOC
void *mallocx(size_t, int), *rallocx(void *, size_t, int);
size_t xallocx(void *, size_t, size_t, int), sallocx(const void *, int), nallocx(size_t, int);
void dallocx(void *, int), sdallocx(void *, size_t, int);
#    define NAME             mallocx
#    define ALLOCATE(bytes)  mallocx(bytes, 0)
#    define GIVE_BACK(block) sdallocx(block, 617, 0)

static void others(void) {
    void *block = mallocx(100, 12 | 0x40 /* of 2^12, zeroed */);
    printf("aligned %d size %zu\n", (uintptr_t)block % 4096 == 0, sallocx(block, 0));
    printf("here %zu\n", xallocx(block, 120, 0, 0));
    printf("not here %d\n", xallocx(block, 1 << 20, 0, 0) < 1 << 20);
    block = rallocx(block, 50000, 0);
    OK(block);
    printf("as large %zu\n", nallocx(50000, 0));
    OK(rallocx(block, SIZE_MAX / 2, 0));
    dallocx(block, 0);
    free(mallocx(50, 0));
    dallocx(malloc(50), 0);
}
#elif defined TCMALLOC
void *tc_malloc(size_t), *tc_realloc(void *, size_t), *tc_calloc(size_t, size_t);
void *tc_memalign(size_t, size_t), *tc_valloc(size_t), *tc_pvalloc(size_t);
void *tc_malloc_skip_new_handler(size_t);
void tc_free(void *), tc_free_sized(void *, size_t), tc_cfree(void *), tc_delete(void *);
int tc_posix_memalign(void **, size_t, size_t);
#    define NAME             tc_malloc
#    define ALLOCATE(bytes)  tc_malloc(bytes)
#    define GIVE_BACK(block) tc_free_sized(block, 617)

static void others(void) {
    void *block = NULL;
    OK(tc_posix_memalign(&block, 256, 100));
    block = tc_realloc(block, 5000);
    OK(block);
    OK(tc_realloc(block, SIZE_MAX / 2));
    tc_free(block);
    tc_cfree(tc_calloc(10, 10));
    tc_free(tc_memalign(4096, 100));
    tc_free(tc_valloc(100));
    tc_free(tc_pvalloc(100));
    free(tc_malloc_skip_new_handler(50));
    tc_delete(tc_malloc(1));
}
#else
void *mi_malloc(size_t), *mi_realloc(void *, size_t), *mi_expand(void *, size_t);
void *mi_rezalloc(void *, size_t), *mi_recalloc(void *, size_t, size_t);
void *mi_reallocn(void *, size_t, size_t), *mi_zalloc(size_t), *mi_calloc(size_t, size_t);
void *mi_mallocn(size_t, size_t), *mi_malloc_small(size_t), *mi_malloc_aligned(size_t, size_t);
void *mi_zalloc_aligned(size_t, size_t), *mi_realloc_aligned(void *, size_t, size_t);
void *mi_aligned_alloc(size_t, size_t), *mi_memalign(size_t, size_t), *mi_valloc(size_t);
void *mi_pvalloc(size_t), *mi_new(size_t), *mi_new_n(size_t, size_t), *mi_new_nothrow(size_t);
void mi_free(void *), mi_free_size(void *, size_t), mi_free_aligned(void *, size_t);
void mi_free_size_aligned(void *, size_t, size_t);
char *mi_strdup(const char *), *mi_strndup(const char *, size_t);
int mi_posix_memalign(void **, size_t, size_t);
#    define NAME             mi_malloc
#    define ALLOCATE(bytes)  mi_malloc(bytes)
#    define GIVE_BACK(block) mi_free_size(block, 617)

static void others(void) {
    void *block = NULL;
    OK(mi_posix_memalign(&block, 256, 100));
    block = mi_realloc(block, 5000);
    OK(block);
    OK(mi_expand(block, 1 << 20));
    OK(mi_expand(block, 5001));
    block = mi_rezalloc(block, 9000);
    block = mi_recalloc(block, 10, 1000);
    block = mi_reallocn(block, 20, 1000);
    OK(block);
    mi_free(block);
    char *copy = mi_strdup("a copy of it");
    puts(copy);
    mi_free(copy);
    mi_free(mi_strndup("another", 3));
    mi_free(mi_zalloc(10));
    mi_free(mi_calloc(10, 10));
    mi_free(mi_mallocn(10, 10));
    mi_free(mi_malloc_small(10));
    mi_free_aligned(mi_malloc_aligned(100, 64), 64);
    mi_free_size_aligned(mi_zalloc_aligned(100, 64), 100, 64);
    mi_free(mi_realloc_aligned(mi_aligned_alloc(64, 64), 200, 64));
    mi_free(mi_memalign(64, 100));
    mi_free(mi_valloc(100));
    mi_free(mi_pvalloc(100));
    mi_free(mi_new(10));
    mi_free(mi_new_n(10, 10));
    mi_free(mi_new_nothrow(10));
}
#endif

__attribute__((noinline)) void *interface_kept(void) {
    void *block = ALLOCATE(617);
    memset(block, 1, 617);
    return block;
}

int main(void) {
    for (int i = 0; i < 20; i++) {
        void *volatile kept = interface_kept();
        (void)kept;
        void *block = interface_kept();
        errno = 77;
        GIVE_BACK(block);
        if (errno != 77) {
            puts("errno changed");
        }
    }
    void *(*found)(size_t, int) = NULL;
    *(void **)&found = dlsym(RTLD_DEFAULT, AS_TEXT(NAME));
    printf("found %d\n", (uintptr_t)found == (uintptr_t)NAME);
    GIVE_BACK(found(617, 0));
    errno = 0;
    others();
    return 0;
}
