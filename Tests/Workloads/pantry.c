/* A library as it is shipped, stripped, with a pool inside: a static function calls malloc, a known
 * wrapper is around it, and the entries are a few static functions further out. */
#include <stdlib.h>
#include <string.h>

#define HIDDEN __attribute__((noinline)) static
#define STAY   __asm__ volatile("" ::: "memory")

HIDDEN void *raw_block(size_t size) {
    void *block = malloc(size);
    STAY;
    return block;
}

__attribute__((noinline)) void *palloc(size_t size) {
    void *block = raw_block(size);
    memset(block, 'p', size);
    return block;
}

HIDDEN void *jar(size_t size) {
    void *block = palloc(size);
    STAY;
    return block;
}

HIDDEN void *shelf(size_t size) {
    void *block = jar(size);
    STAY;
    return block;
}

void *pantry_put(void) {
    void *block = shelf(409);
    STAY;
    return block;
}

void pantry_take(void *block) {
    free(block);
}
