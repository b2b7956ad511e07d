/*
 * descriptors.c: close, dup2, dup3, close_range and closefrom as the program calls them. silt's own
 * descriptors behave like numbers that are not open: daemons close all that they find, and their
 * fork children still need those descriptors to say hello. A program that does not leave off, as
 * one that closes what /proc/self/fd lists until nothing is left, gets its way.
 *
 * dup2(2) onto one of silt's numbers succeeds as it would without silt, and closes silt's
 * descriptor. From then on the number belongs to the program, and silt writes nothing to it.
 */
#define _GNU_SOURCE
#include "descriptors.h"

#include "own.h"
#include "real.h"
#include "sandbox.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

/* Under a filter no descriptor can be checked: then all numbers belong to the program. */
static inline bool is_hidden(int fd) {
    return fd >= 0 && (fd == silt_own[SILT_LIFE_LINE] || fd == silt_own[SILT_RENDEZVOUS]) &&
           !silt_is_filtered() && silt_own_holds(fd);
}

static int bad_descriptor(void) {
    errno = EBADF;
    return -1;
}

/* A call that came before the next definition was found. */
static int outcome(long result) {
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return (int)result;
}

static int refuse_to_close(int fd) {
    silt_own_refused(fd);
    return bad_descriptor();
}

SILT_EXPORT int close(int fd) {
    if (SILT_UNLIKELY(is_hidden(fd))) {
        return refuse_to_close(fd);
    }
    return SILT_LIKELY(silt_real.close != NULL) ? silt_real.close(fd)
                                                : outcome(silt_call(SYS_close, fd));
}

SILT_EXPORT int dup2(int from, int to) {
    if (SILT_UNLIKELY(is_hidden(from))) {
        return bad_descriptor();
    }
    return SILT_LIKELY(silt_real.dup2 != NULL) ? silt_real.dup2(from, to)
                                               : outcome(silt_call(SYS_dup2, from, to));
}

SILT_EXPORT int dup3(int from, int to, int flags) {
    if (SILT_UNLIKELY(is_hidden(from)) && from != to && !(flags & ~O_CLOEXEC)) {
        return bad_descriptor();
    }
    return SILT_LIKELY(silt_real.dup3 != NULL) ? silt_real.dup3(from, to, flags)
                                               : outcome(silt_call(SYS_dup3, from, to, flags));
}

static int close_stretch(unsigned first, unsigned last, int flags) {
    return SILT_LIKELY(silt_real.close_range != NULL)
               ? silt_real.close_range(first, last, flags)
               : outcome(silt_call(SYS_close_range, first, last, flags));
}

/* Closes the stretches between silt's descriptors. Most ranges hold none: then it is one call. */
static int close_between(unsigned first, unsigned last, int flags) {
    bool closes = first <= last && (flags == 0 || flags == CLOSE_RANGE_UNSHARE);
    bool swapped = silt_own[0] > silt_own[1];
    for (unsigned i = 0; closes && i < SILT_OWN_DESCRIPTORS; i++) {
        int fd = silt_own[swapped ? SILT_OWN_DESCRIPTORS - 1 - i : i];
        unsigned own = (unsigned)fd;
        if (own < first || own > last || !is_hidden(fd)) {
            continue;
        }
        if (own > first && close_stretch(first, own - 1, flags) < 0) {
            return -1;
        }
        if (!flags) {
            silt_own_refused(fd);
        }
        if (own == last) {
            /* Nothing is left to be closed; the table may be left to be made this process's own. */
            return own > first || !flags ? 0 : close_stretch(~0u, ~0u, flags);
        }
        first = own + 1;
    }
    return close_stretch(first, last, flags);
}

SILT_EXPORT int close_range(unsigned first, unsigned last, int flags) {
    return close_between(first, last, flags);
}

SILT_EXPORT void closefrom(int first) {
    int saved = errno;
    if (close_between(first < 0 ? 0 : (unsigned)first, ~0u, 0) < 0 && silt_real.closefrom) {
        silt_real.closefrom(first); /* knows what to do without close_range(2) */
    }
    errno = saved;
}

bool silt_descriptor_call(long number, long a, long b, long c, long *result) {
    switch (number) {
    case SYS_close:
        *result = -1;
        return is_hidden((int)a) && refuse_to_close((int)a);
    case SYS_dup2:
        *result = -1;
        return is_hidden((int)a) && bad_descriptor();
    case SYS_dup3:
        *result = -1;
        return is_hidden((int)a) && a != b && !(c & ~O_CLOEXEC) && bad_descriptor();
    case SYS_close_range:
        *result = close_between((unsigned)a, (unsigned)b, (int)c);
        return true;
    }
    return false;
}
