/* made.c: a library that allocates, by malloc or, built as C++, by operator new. */
#ifdef __cplusplus
extern "C" void *made(void);
#else
#    include <stdlib.h>
void *made(void);
#endif

__attribute__((noinline)) static void *make(void) {
#ifdef __cplusplus
    void *block = operator new(60);
#else
    void *block = malloc(60);
#endif
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

void *made(void) {
    void *block = make();
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}
