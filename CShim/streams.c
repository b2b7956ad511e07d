/*
 * streams.c: streams and folders as the program opens and closes them (popen aside: exec.c). The C
 * library opens their descriptors inside, where no hook sees it.
 */
#define _GNU_SOURCE
#include "real.h"
#include "taken.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

/* The compiler is told that nobody asks these functions about NULL, but they have answers. */
static inline bool is_there(const void *pointer) {
    __asm__("" : "+r"(pointer));
    return pointer != NULL;
}

/* -1: it has none. */
static int number_of(FILE *stream) {
    int saved = errno;
    int fd = is_there(stream) ? fileno(stream) : -1;
    errno = saved;
    return fd;
}

static FILE *took(FILE *stream, const void *frame) {
    silt_took(number_of(stream), frame);
    return stream;
}

static void *unknown(void) {
    errno = ENOSYS;
    return NULL;
}

#define OPENS_STREAM(name, parameters, arguments)                                                  \
    SILT_EXPORT FILE *name parameters {                                                            \
        silt_find_real();                                                                          \
        return SILT_LIKELY(silt_real.name != NULL) ? took(silt_real.name arguments, FRAME())       \
                                                   : unknown();                                    \
    }

OPENS_STREAM(fopen, (const char *path, const char *mode), (path, mode))
OPENS_STREAM(fopen64, (const char *path, const char *mode), (path, mode))
OPENS_STREAM(tmpfile, (void), ())
OPENS_STREAM(tmpfile64, (void), ())

/* The stream is closed first, also where the other file cannot be opened. */
#define REOPENS_STREAM(name)                                                                       \
    SILT_EXPORT FILE *name(const char *path, const char *mode, FILE *stream) {                     \
        silt_find_real();                                                                          \
        silt_gives(number_of(stream), FRAME());                                                    \
        return SILT_LIKELY(silt_real.name != NULL)                                                 \
                   ? took(silt_real.name(path, mode, stream), FRAME())                             \
                   : unknown();                                                                    \
    }

REOPENS_STREAM(freopen)
REOPENS_STREAM(freopen64)

/* They close the descriptor, whatever they answer. */
#define CLOSES_STREAM(name)                                                                        \
    SILT_EXPORT int name(FILE *stream) {                                                           \
        silt_find_real();                                                                          \
        silt_gives(number_of(stream), FRAME());                                                    \
        return SILT_LIKELY(silt_real.name != NULL) ? silt_real.name(stream) : EOF;                 \
    }

CLOSES_STREAM(fclose)
CLOSES_STREAM(pclose)

SILT_EXPORT DIR *opendir(const char *path) {
    silt_find_real();
    DIR *folder = SILT_LIKELY(silt_real.opendir != NULL) ? silt_real.opendir(path) : unknown();
    if (folder) {
        silt_took(dirfd(folder), FRAME());
    }
    return folder;
}

SILT_EXPORT int closedir(DIR *folder) {
    silt_find_real();
    if (is_there(folder)) {
        silt_gives(dirfd(folder), FRAME());
    }
    return SILT_LIKELY(silt_real.closedir != NULL) ? silt_real.closedir(folder) : -1;
}
