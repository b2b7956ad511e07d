/* Becomes a daemon of the old school: closes every descriptor, then opens files that reuse the
 * numbers, and allocates. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "/dev/null";
    for (int fd = 3; fd < 5000; fd++) {
        close(fd);
    }
    int file = -1;
    for (int i = 0; i < 1200; i++) {
        file = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
    }
    for (int i = 0; i < 200000; i++) {
        void *block = malloc(77);
        if (i % 2) {
            free(block);
        }
    }
    return file < 0;
}
