#define _GNU_SOURCE
#include "silt_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "silt_process.h"

static int close_with(int fd, int number) {
    close(fd);
    errno = number;
    return -1;
}

int silt_open_regular(const char *path) {
    struct stat status;
    if (stat(path, &status) < 0) {
        return -1;
    }
    if (!S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP;
        return -1;
    }
    /* It may be another one by now. */
    int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))) {
        return close_with(fd, ENOTSUP);
    }
    return fd;
}

/* The mount that a file lies on; 0: the kernel does not say. */
static uint64_t mount_of(int folder, const char *path) {
    struct statx status;
    int flags = *path ? 0 : AT_EMPTY_PATH;
    bool told = statx(folder, path, flags, STATX_MNT_ID, &status) == 0 &&
                (status.stx_mask & STATX_MNT_ID) != 0;
    return told ? status.stx_mnt_id : 0;
}

static bool is_elsewhere(uint64_t mount) {
    static const char *const held[] = {"/", "/proc/self/exe", "/usr/lib", "/lib64", "."};
    for (unsigned i = 0; i < sizeof held / sizeof *held; i++) {
        if (mount == mount_of(AT_FDCWD, held[i])) {
            return false;
        }
    }
    return mount != 0;
}

int silt_lies_elsewhere(const char *path) {
    return is_elsewhere(mount_of(AT_FDCWD, path));
}

static bool copy(int from, int to, off_t bytes) {
    off_t at = 0;
    while (at < bytes) {
        ssize_t sent = sendfile(to, from, &at, (size_t)(bytes - at));
        if (sent <= 0) {
            return false;
        }
    }
    return true;
}

#define MAXIMUM_COPY ((off_t)128 << 20)
#define ALL_COPIES   ((off_t)512 << 20)

int silt_detach(int fd) {
    static _Atomic off_t copied;
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    struct stat status;
    /* A copy is on no mount. */
    if (fcntl(fd, F_GET_SEALS) == seals || !is_elsewhere(mount_of(fd, "")) ||
        fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > MAXIMUM_COPY ||
        copied + status.st_size > ALL_COPIES) {
        return fd;
    }
    int made = memfd_create("silt-copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0 || !copy(fd, made, status.st_size) || fcntl(made, F_ADD_SEALS, seals) < 0) {
        if (made >= 0) {
            close(made);
        }
        return fd;
    }
    copied += status.st_size;
    close(fd);
    return made;
}

static _Thread_local int regular_only;

void silt_open_regular_only(void) {
    regular_only++;
}

void silt_open_anything(void) {
    regular_only--;
}

/* What the linker calls for open (--wrap=open in Package.swift). */
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    if (!regular_only || (flags & O_ACCMODE) != O_RDONLY) {
        return openat(AT_FDCWD, path, flags, mode);
    }
    int fd = silt_open_regular(path);
    if (fd < 0 && (errno == ENOTSUP || errno == EISDIR)) {
        errno = ENOENT;
    }
    return fd < 0 ? fd : silt_detach(fd);
}

int silt_open_input(const char *path) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &status) < 0) {
        return close_with(fd, errno);
    }
    if (S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode)) {
        return close_with(fd, S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP);
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0) {
        return close_with(fd, errno);
    }
    return fd;
}

enum silt_unfit silt_take_pipe(int *pipe) {
    struct stat status, again;
    if (fstat(*pipe, &status) < 0 || !S_ISFIFO(status.st_mode)) {
        return SILT_UNFIT_KIND;
    }
    int flags = fcntl(*pipe, F_GETFL);
    if (flags < 0 || (flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_WRONLY) {
        return SILT_UNFIT_MODE;
    }
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", *pipe);
    int own = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (own >= 0 && fstat(own, &again) == 0 && again.st_dev == status.st_dev &&
        again.st_ino == status.st_ino) {
        close(*pipe);
        *pipe = own;
        return SILT_FIT;
    }
    /* No /proc, or another user's pipe. */
    if (own >= 0) {
        close(own);
    }
    return fcntl(*pipe, F_SETFL, flags | O_NONBLOCK) < 0 ? SILT_UNFIT_MODE : SILT_FIT;
}

enum silt_unfit silt_take_memory(int file) {
    struct stat status;
    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode)) {
        return SILT_UNFIT_KIND;
    }
    int flags = fcntl(file, F_GETFL);
    if (flags < 0 || (flags & O_PATH) != 0 || (flags & O_ACCMODE) != O_RDWR) {
        return SILT_UNFIT_MODE;
    }
    /* Refused where it is sealed against seals; then it must have this one. */
    (void)fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK);
    int seals = fcntl(file, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 ? SILT_FIT : SILT_UNFIT_SEAL;
}

int silt_free_socket_path(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    if (!S_ISSOCK(status.st_mode)) {
        errno = ENOTSOCK;
        return -1;
    }
    int probe = silt_connect(path);
    if (probe >= 0) {
        return close_with(probe, EADDRINUSE);
    }
    switch (errno) {
    case ECONNREFUSED:
        return unlink(path);
    case ENOENT:
        return 0;
    /* A listener of another kind, or one with a full queue. */
    case EPROTOTYPE:
    case EAGAIN:
        errno = EADDRINUSE;
        return -1;
    default:
        return -1;
    }
}

void silt_remove_socket(const char *path, uint64_t device, uint64_t inode) {
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_dev == device &&
        status.st_ino == inode) {
        unlink(path);
    }
}
