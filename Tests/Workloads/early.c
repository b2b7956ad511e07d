/* -DLIBRARY: a library whose constructor allocates, with and without the C library's locale lock
 * held. Else a program that uses it, and that exports functions a preloaded library may be tempted
 * to call. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef LIBRARY
void *early_blocks[100];
static locale_t own;

__attribute__((noinline)) void *early_block(void) {
    return malloc(401);
}

__attribute__((constructor(101))) static void begin(void) {
    own = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    for (int i = 0; i < 100; i++) {
        early_blocks[i] = early_block();
    }
}

__attribute__((destructor)) static void finish(void) {
    for (int i = 0; i < 50; i++) {
        free(early_blocks[i]);
    }
    freelocale(own);
}
#else
extern void *early_blocks[100];
static int calls;

/* As bash does: functions of the C library that are the program's own. */
char *getenv(const char *name) {
    calls++;
    return name ? NULL : NULL;
}
ssize_t write(int fd, const void *bytes, size_t count) {
    calls++;
    return syscall(SYS_write, fd, bytes, count);
}
int open(const char *path, int flags, ...) {
    calls++;
    return (int)syscall(SYS_open, path, flags, 0);
}
ssize_t read(int fd, void *bytes, size_t count) {
    calls++;
    return syscall(SYS_read, fd, bytes, count);
}

int main(void) {
    if (!setlocale(LC_ALL, "C")) {
        return 1;
    }
    void *grown = realloc(early_blocks[99], 5000);
    printf("%d calls, %s\n", calls, grown ? "grown" : strerror(errno));
    free(grown);
    return 0;
}
#endif
