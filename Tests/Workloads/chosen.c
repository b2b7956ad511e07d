/* -DLIBRARY: an allocator whose malloc is chosen when it is loaded (STT_GNU_IFUNC), and whose
 * calloc is a symbol without a type; it aborts at a block that it has not made. Else a program that
 * uses it. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LIBRARY
static _Alignas(16) char memory[1 << 20];
static size_t used;

static void *take(size_t bytes) {
    size_t at = __atomic_fetch_add(&used, (bytes + 31) & ~(size_t)15, __ATOMIC_RELAXED);
    if (at + bytes + 16 > sizeof memory) {
        return NULL;
    }
    memcpy(memory + at, &bytes, sizeof bytes);
    return memory + at + 16;
}

static void *(*choose(void))(size_t) {
    return take;
}
void *malloc(size_t bytes) __attribute__((ifunc("choose")));

__attribute__((used)) static void *clear(size_t count, size_t size) {
    return take(count * size); /* nothing is used twice */
}
__asm__(".globl calloc\ncalloc:\n\tjmp clear\n");

void free(void *block) {
    if (block && (size_t)((char *)block - memory) >= sizeof memory) {
        abort();
    }
}

void *realloc(void *block, size_t bytes) {
    size_t before = 0;
    void *grown = take(bytes);
    free(block);
    if (block && grown) {
        memcpy(&before, (char *)block - 16, sizeof before);
        memcpy(grown, block, before < bytes ? before : bytes);
    }
    return grown;
}
#else
__attribute__((noinline)) static void *chosen_block(int i) {
    return i % 2 ? malloc(419) : calloc(1, 419);
}

int main(void) {
    for (int i = 0; i < 20; i++) {
        void *block = chosen_block(i);
        if (i < 10) {
            free(block);
        }
    }
    puts("none but its own");
    return 0;
}
#endif
