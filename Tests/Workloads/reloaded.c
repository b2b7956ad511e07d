/* reloaded.c: a library whose frames depend on VARIANT; reload.c loads one after the other, often
 * to the same place. */
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) static void *leaf(size_t bytes) {
    volatile char room[64 + VARIANT * 48];
    memset((char *)room, 1, sizeof room);
    void *block = malloc(bytes + (size_t)room[5]);
    room[0] = 0;
    return block;
}

#if VARIANT % 2
/* The same code size class, another frame: aligned, so with a frame pointer. */
__attribute__((noinline)) static void *middle(size_t bytes) {
    _Alignas(64) volatile char room[64 * VARIANT];
    room[1] = 1;
    void *block = leaf(bytes);
    room[2] = 1;
    return block;
}
#else
__attribute__((noinline)) static void *middle(size_t bytes) {
    void *block = leaf(bytes + 1);
    memset(block, 0, 8);
    return block;
}
#endif

void *plugin_make(unsigned depth, size_t bytes);
void *plugin_make(unsigned depth, size_t bytes) {
    volatile char room[16 * VARIANT + 16];
    room[0] = (char)depth;
    void *block = depth ? plugin_make(depth - 1, bytes) : middle(bytes);
    room[1] = room[0];
    return block;
}
