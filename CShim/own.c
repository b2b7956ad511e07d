/*
 * own.c: silt's own descriptors in the program.
 *
 * They are made, used and closed only while nobody else can touch their numbers: at start and at a
 * fork child's first event, by a process of one thread whose signals are blocked. Later nothing is
 * written to them, since a number may stand for something else by then, and one is only closed
 * where the program closes it.
 */
#define _GNU_SOURCE
#include "own.h"

#include "image.h"
#include "programs.h"
#include "sandbox.h"
#include "system.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>

#define REFUSALS 16 /* times that the program is told that a number is not open */

int silt_own[SILT_OWN_DESCRIPTORS] = {-1, -1};

#define FEW 1100 /* a limit of descriptors up to which silt wants none of them */

static bool scarce; /* there are few, and the limit cannot be raised */

/* What a descriptor refers to: programs close them all, or put their own in their place. */
static struct silt_file files[SILT_OWN_DESCRIPTORS];

/* Moves it to a number from `least` on that the limit does not allow, so that the program can still
 * open as many files as the limit says. False where the limit cannot be raised meanwhile. */
static bool raise_beyond(int *fd, const struct rlimit *limit, rlim_t least) {
    rlim_t enough = least + SILT_OWN_DESCRIPTORS + 1;
    struct rlimit wider = {enough, limit->rlim_max > enough ? limit->rlim_max : enough};
    if (silt_call(SYS_prlimit64, 0, RLIMIT_NOFILE, &wider, 0) < 0) {
        return false;
    }
    long high = silt_call(SYS_fcntl, *fd, F_DUPFD_CLOEXEC, least);
    silt_call(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, 0);
    if (high >= 0) {
        silt_call(SYS_close, *fd);
        *fd = (int)high;
    }
    return high >= 0;
}

int silt_own_raise(int fd) {
    struct rlimit limit = {1024, 1024};
    silt_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
    if (limit.rlim_cur <= FEW) {
        rlim_t least = limit.rlim_cur > FD_SETSIZE ? limit.rlim_cur : FD_SETSIZE;
        if (raise_beyond(&fd, &limit, least) || raise_beyond(&fd, &limit, limit.rlim_cur)) {
            return fd;
        }
        scarce = true;
    }
    long top = limit.rlim_cur > 65536 ? 65536 : (long)limit.rlim_cur;
    for (long from = top > FEW ? FD_SETSIZE : top - 8; from > 2; from /= 2) {
        long high = silt_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, from);
        if (high >= 0) {
            silt_call(SYS_close, fd);
            return (int)high;
        }
    }
    return fd;
}

void silt_own_set(enum silt_own_descriptor which, int fd) {
    files[which] = silt_file_at(fd, "");
    silt_own[which] = fd;
}

void silt_own_spare(void) {
    for (unsigned i = 0; i < SILT_OWN_DESCRIPTORS && scarce; i++) {
        if (silt_own_is_still(i)) {
            silt_call(SYS_close, silt_own[i]);
        }
        silt_own[i] = -1;
    }
}

bool silt_own_is_still(enum silt_own_descriptor which) {
    return silt_same_file(silt_file_at(silt_own[which], ""), files[which]);
}

void silt_own_refused(int fd) {
    static _Atomic uint32_t refused[SILT_OWN_DESCRIPTORS];
    for (unsigned i = 0; i < SILT_OWN_DESCRIPTORS; i++) {
        /* A vfork(2) child has a table of its own, and its parent's memory: it does not count. */
        if (fd == silt_own[i] && !silt_is_borrowed() && ++refused[i] >= REFUSALS) {
            silt_own[i] = -1;
            silt_call(SYS_close, fd);
        }
    }
}

bool silt_own_holds(int fd) {
    for (unsigned i = 0; i < SILT_OWN_DESCRIPTORS; i++) {
        if (fd == silt_own[i] && silt_own_is_still(i)) {
            return true;
        }
    }
    return false;
}

/* Checks the number before and after, since the program may have put something of its own in its
 * place. */
bool silt_own_line_is_broken(void) {
    struct pollfd state = {silt_own[SILT_LIFE_LINE], POLLOUT, 0};
    struct timespec none = {0, 0};
    return silt_own_is_still(SILT_LIFE_LINE) && silt_call(SYS_ppoll, &state, 1, &none, 0, 8) > 0 &&
           (state.revents & POLLERR) && silt_own_is_still(SILT_LIFE_LINE);
}

/* Filters of sandboxes may forbid to compare: then nothing is taken to be shared. */
static bool shares_descriptors(long process) {
    return process > 0 && !silt_was_filtered_at_start() &&
           silt_call(SYS_kcmp, silt_call(SYS_getpid, 0), process, KCMP_FILES) == 0;
}

bool silt_own_has_threads(void) {
    struct stat task;
    return silt_call(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &task, 0) == 0 &&
           task.st_nlink > 3; /* itself, its name, and one for each thread (proc(5)) */
}

bool silt_own_is_alone(bool forked, uint32_t maker) {
    if (silt_own_has_threads()) {
        return false;
    }
    return !forked || !(shares_descriptors(silt_call(SYS_getppid, 0)) || shares_descriptors(maker));
}
