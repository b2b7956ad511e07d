/* Becomes a daemon of the old school: closes every descriptor, then opens files that reuse the
 * numbers (all that there are, when the limit is below 1,200), and allocates. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((noinline)) void *daemon_block(void) {
    return malloc(77);
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "/dev/null";
    for (int fd = 3; fd < 5000; fd++) {
        close(fd);
    }
    int opened = 0;
    for (int i = 0; i < 1200; i++) {
        opened += open(path, O_RDWR | O_CREAT | O_APPEND, 0600) >= 0;
    }
    for (int i = 0; i < 200000; i++) {
        void *block = daemon_block();
        if (i % 2) {
            free(block);
        }
    }
    return opened == 0;
}
