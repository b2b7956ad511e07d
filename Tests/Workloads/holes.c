/* holes.c: allocates by two routes; built with segments that lie apart, as a program, or with
 * -DLIBRARY and -DPROGRAM as a library and the program that calls it. */
#include <stdlib.h>

void *make(void);
void *route_a(void);
void *route_b(void);

#ifndef PROGRAM
__attribute__((noinline)) void *make(void) {
    void *block = malloc(1000);
    __asm__ volatile("" : "+r"(block));
    return block;
}

__attribute__((noinline)) void *route_a(void) {
    void *block = make();
    __asm__ volatile("" : "+r"(block));
    return block;
}

__attribute__((noinline)) void *route_b(void) {
    void *block = make();
    free(block);
    __asm__ volatile("");
    return NULL;
}
#endif

#ifndef LIBRARY
int main(void) {
    for (int i = 0; i < 100; i++) {
        route_a();
        route_b();
    }
    return 0;
}
#endif
