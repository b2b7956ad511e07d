/* opening.c COUNT: opens /dev/null and closes it again, that often: nothing but what a hook of each
 * costs beside its system call. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: opening COUNT\n");
        return 2;
    }
    long count = atol(argv[1]), failures = 0;
    for (long i = 0; i < count; i++) {
        failures += close(open("/dev/null", O_RDONLY)) != 0;
    }
    printf("%ld pairs %ld\n", count, failures);
    return failures != 0;
}
