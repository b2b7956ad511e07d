/* arguments.c: the words that this process was started with, where the kernel put them. */
#define _GNU_SOURCE
#include "silt_process.h"

#include <unistd.h>

static int count;
static char **words;

/*
 * glibc hands argc, argv and envp to every function of .init_array, in static executables as well.
 * Swift's own way to them begins at environ, or in /proc: a library that calls setenv in a
 * constructor has moved the first, and the second may not be mounted.
 */
__attribute__((constructor)) static void keep(int argc, char **argv, char **envp) {
    (void)envp;
    count = argc;
    words = argv;
}

int silt_argument_count(void) {
    return count;
}

char **silt_environment(void) {
    return environ;
}

const char *silt_argument(int index) {
    return index >= 0 && index < count ? words[index] : NULL;
}
