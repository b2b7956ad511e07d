/* allocators: what programs do with the allocator beside calling it, printed: slack of a block,
 * aligned and sized frees, text functions, tunables, statistics calls. Then PLUGIN, opened with
 * RTLD_DEEPBIND and in a namespace of its own (dlmopen). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

extern void free_sized(void *, size_t) __attribute__((weak));
extern void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));

__attribute__((noinline)) void *kept_block(void) {
    return malloc(503);
}

int main(int argc, char **argv) {
    char *block = malloc(100);
    size_t usable = malloc_usable_size(block);
    memset(block, 7, usable);
    block = realloc(block, usable + 1);
    printf("slack %d %d\n", usable >= 100 && usable < 200, block[99] == 7);
    free(block);
    /* Freed by the sized functions where there are any: a block of realloc's too. */
    block = realloc(malloc(10), 64);
    void *aligned = aligned_alloc(64, 128);
    if (free_sized && free_aligned_sized) {
        free_sized(block, 64);
        free_aligned_sized(aligned, 64, 128);
    } else {
        free(block);
        free(aligned);
    }
    char *text = NULL, *line = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    fprintf(memory, "%s %d\n", "a line", 42);
    fclose(memory);
    FILE *input = fmemopen(text, size, "r");
    size_t room = 0;
    ssize_t length = getline(&line, &room, input);
    fclose(input);
    char *copy = strndup(line, 4), *joined = NULL;
    wchar_t *wide = wcsdup(L"wide");
    int printed = asprintf(&joined, "%s-%ls", copy, wide);
    printf("text %zd %s %d\n", length, joined, printed);
    free(text);
    free(line);
    free(copy);
    free(joined);
    free(wide);
    printf("mallopt %d trim %d\n", mallopt(M_MMAP_THRESHOLD, 1 << 20), malloc_trim(0) >= 0);
    struct mallinfo2 info = mallinfo2();
    printf("statistics %d\n", info.uordblks > 0 || info.arena == 0);
    void *volatile kept[10];
    for (int i = 0; i < 10; i++) {
        kept[i] = kept_block();
    }
    errno = 55;
    free(kept[0]);
    printf("errno %d\n", errno);
    if (argc > 1) {
        void *deep = dlopen(argv[1], RTLD_NOW | RTLD_DEEPBIND);
        void *(*make)(void) = deep ? (void *(*)(void))dlsym(deep, "make_in_plugin") : NULL;
        void *foreign = make ? make() : NULL;
        printf("deep %s\n", foreign ? "made" : dlerror());
        free(foreign);
        void *apart = dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW);
        make = apart ? (void *(*)(void))dlsym(apart, "make_in_plugin") : NULL;
        printf("apart %s\n", make && make() ? "made" : dlerror());
    }
    return 0;
}
