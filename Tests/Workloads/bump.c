/* bump.c: an allocator that may be interrupted and left anywhere: it only ever moves a pointer on.
 * A request of 7777 bytes raises SIGUSR1 inside of it. */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA ((size_t)8 << 30)

static char *_Atomic arena;
static _Atomic size_t used;

static void *take(size_t bytes, size_t align) {
    if (!arena) {
        arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    size_t room = ((bytes + 15) & ~(size_t)15) + 16 + align;
    size_t at = __atomic_fetch_add(&used, room, __ATOMIC_RELAXED);
    if (at + room > ARENA) {
        return NULL;
    }
    char *block = (char *)(((uintptr_t)arena + at + 16 + align - 1) & ~(uintptr_t)(align - 1));
    ((size_t *)(void *)block)[-1] = bytes;
    if (bytes == 7777) {
        raise(SIGUSR1);
    }
    return block;
}

void *malloc(size_t bytes) {
    return take(bytes, 16);
}
void *calloc(size_t count, size_t size) {
    return take(count * size, 16);
}
void free(void *block) {
    (void)block;
}
void *realloc(void *old, size_t bytes) {
    void *block = take(bytes, 16);
    if (old && block) {
        size_t before = ((size_t *)old)[-1];
        memcpy(block, old, before < bytes ? before : bytes);
    }
    return block;
}
int posix_memalign(void **block, size_t align, size_t bytes) {
    *block = take(bytes, align);
    return 0;
}
void *aligned_alloc(size_t align, size_t bytes) {
    return take(bytes, align);
}
void *memalign(size_t align, size_t bytes) {
    return take(bytes, align);
}
