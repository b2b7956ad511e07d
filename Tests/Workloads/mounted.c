/* mounted.c: loses 100 blocks of 333 bytes, by a function of its own and one of its library's; with
 * -DLIBRARY the library. */
#include <stdlib.h>

void *mounted_library_block(void);

#ifdef LIBRARY
__attribute__((noinline)) void *mounted_library_block(void) {
    void *block = malloc(444);
    __asm__ volatile("" : "+r"(block));
    return block;
}
#else
__attribute__((noinline)) static void *mounted_block(void) {
    void *block = malloc(333);
    __asm__ volatile("" : "+r"(block));
    return block;
}

int main(void) {
    for (int i = 0; i < 100; i++) {
        mounted_block();
        mounted_library_block();
    }
    return 0;
}
#endif
