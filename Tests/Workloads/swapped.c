/* swapped COMMAND [fork]: allocates 500 times, has a shell run COMMAND, which replaces this file or
 * its library, and allocates 500 times more; with `fork` it is a child that does. Built with
 * -DSPLIT the allocating function is that of the library, built with -DLIBRARY; with -DOTHER other
 * functions lie there. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAR __attribute__((noinline))

#ifdef OTHER
FAR void *other_first(int size) {
    printf("%d", size);
    return malloc((size_t)size);
}
FAR void *innocent(void) {
    return malloc(501);
}
FAR void *other_last(void) {
    return malloc(502);
}
void *real_leaker(void) {
    other_first(3);
    innocent();
    return other_last();
}
#elif !defined(SPLIT)
FAR void *real_leaker(void) {
    return malloc(500);
}
#endif

#ifdef SPLIT
void *real_leaker(void);
#endif

#ifndef LIBRARY
static void allocate(void) {
    for (int i = 0; i < 500; i++) {
        void *volatile block = real_leaker();
        (void)block;
    }
}

int main(int argc, char **argv) {
    if (argc > 2 && fork() > 0) {
        wait(NULL);
        return 0;
    }
    allocate();
    if (argc > 1 && system(argv[1]) != 0) {
        return 1;
    }
    allocate();
    return 0;
}
#endif
