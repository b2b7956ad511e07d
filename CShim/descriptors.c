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

#include "image.h"
#include "own.h"
#include "real.h"
#include "sandbox.h"
#include "system.h"
#include "taken.h"

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

static int refuse_to_close(int fd) {
    silt_own_refused(fd);
    return bad_descriptor();
}

/* Whatever close(2) answers, the number is not the program's any more, unless the thread is
 * canceled before: what is open then the analyzer finds (OpenDescriptors). */
SILT_EXPORT int close(int fd) {
    if (SILT_UNLIKELY(is_hidden(fd))) {
        return refuse_to_close(fd);
    }
    silt_gives(fd, FRAME());
    return (int)SILT_FORWARD(close, (fd), silt_call(SYS_close, fd));
}

/* What dup2 and dup3 put something at was closed before, unless they failed. */
static int replaced(int result, int to, bool given, const void *frame) {
    if (result >= 0) {
        return silt_took(result, frame);
    }
    if (given) {
        silt_kept(to, frame);
    }
    return result;
}

SILT_EXPORT int dup2(int from, int to) {
    if (SILT_UNLIKELY(is_hidden(from))) {
        return bad_descriptor();
    }
    bool given = from != to && silt_gives(to, FRAME());
    int result = (int)SILT_FORWARD(dup2, (from, to), silt_call(SYS_dup2, from, to));
    return from == to ? result : replaced(result, to, given, FRAME());
}

SILT_EXPORT int dup3(int from, int to, int flags) {
    if (SILT_UNLIKELY(is_hidden(from)) && from != to && !(flags & ~O_CLOEXEC)) {
        return bad_descriptor();
    }
    bool given = from != to && silt_gives(to, FRAME());
    int result = (int)SILT_FORWARD(dup3, (from, to, flags), silt_call(SYS_dup3, from, to, flags));
    return replaced(result, to, given, FRAME());
}

static int close_stretch(unsigned first, unsigned last, int flags) {
    return (int)SILT_FORWARD(close_range, (first, last, flags),
                             silt_call(SYS_close_range, first, last, flags));
}

/* A kernel that knows close_range(2) does not refuse to close a range that there is. */
static bool closes_ranges(void) {
    return *silt_live && (silt_is_filtered() || silt_call(SYS_close_range, ~0u, ~0u, 0) == 0);
}

/* Closes the stretches between silt's descriptors. Most ranges hold none: then it is one call. */
static int close_between(unsigned first, unsigned last, int flags, const void *frame) {
    bool closes = first <= last && (flags == 0 || flags == CLOSE_RANGE_UNSHARE);
    if (closes && closes_ranges()) {
        silt_gives_range(first, last, frame);
    }
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
    return close_between(first, last, flags, FRAME());
}

SILT_EXPORT void closefrom(int first) {
    int saved = errno;
    unsigned from = first < 0 ? 0 : (unsigned)first;
    if (silt_wrapped.closefrom) {
        silt_gives_range(from, ~0u, FRAME());
        silt_real.closefrom(first);
    } else if (close_between(from, ~0u, 0, FRAME()) < 0 && silt_real.closefrom) {
        silt_gives_range(from, ~0u, FRAME());
        silt_real.closefrom(first); /* knows what to do without close_range(2) */
    }
    errno = saved;
}

bool silt_descriptor_call(long number, long a, long b, long c, const void *frame, bool *given,
                          long *result) {
    *result = -1;
    switch (number) {
    case SYS_close:
        if (is_hidden((int)a)) {
            refuse_to_close((int)a);
            return true;
        }
        *given = silt_gives((int)a, frame);
        return false;
    case SYS_dup2:
    case SYS_dup3:
        if (is_hidden((int)a) && (number == SYS_dup2 || (a != b && !(c & ~O_CLOEXEC)))) {
            bad_descriptor();
            return true;
        }
        *given = a != b && silt_gives((int)b, frame);
        return false;
    case SYS_close_range:
        *result = close_between((unsigned)a, (unsigned)b, (int)c, frame);
        return true;
    }
    return false;
}

void silt_descriptor_called(long number, long a, long b, const void *frame, bool given,
                            long result) {
    if ((number == SYS_dup2 || number == SYS_dup3) && a != b) {
        replaced((int)result, (int)b, given, frame);
    }
}
