#include <stddef.h>
extern void *__libc_malloc(size_t bytes);
__attribute__((visibility("default"))) void *malloc(size_t bytes) {
    return __libc_malloc(bytes);
}
