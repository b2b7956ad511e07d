/*
 * opens.c: what gives the program a descriptor. Each hook calls the next definition, which may
 * sleep for hours or be canceled, and records what came of it.
 *
 * fdopen and fdopendir have no hook: the number stays the one that was opened.
 */
#define _GNU_SOURCE
#include "real.h"
#include "system.h"
#include "taken.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

/* `raw`: the system call that is made before the next definition is found. */
#define OPENS(name, parameters, arguments, raw)                                                    \
    SILT_EXPORT int name parameters {                                                              \
        return silt_took((int)SILT_FORWARD(name, arguments, raw), FRAME());                        \
    }

/* What is more than one system call. */
#define OPENS_LATER(name, parameters, arguments)                                                   \
    SILT_EXPORT int name parameters {                                                              \
        silt_find_real();                                                                          \
        if (SILT_UNLIKELY(silt_real.name == NULL)) {                                               \
            errno = ENOSYS;                                                                        \
            return -1;                                                                             \
        }                                                                                          \
        return silt_took(silt_real.name arguments, FRAME());                                       \
    }

/* Two at once. */
#define OPENS_PAIR(name, parameters, arguments, raw)                                               \
    SILT_EXPORT int name parameters {                                                              \
        int result = (int)SILT_FORWARD(name, arguments, raw);                                      \
        if (result == 0) {                                                                         \
            silt_took(ends[0], FRAME());                                                           \
            silt_took(ends[1], FRAME());                                                           \
        }                                                                                          \
        return result;                                                                             \
    }

/* A mode follows where a file may be made (open(2)). */
#define MODE_AFTER(flags)                                                                          \
    mode_t mode = 0;                                                                               \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) {                                 \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

/* Jumped to by the hook, whose place on the stack it takes: without the room for its arguments. */
#define OPENS_FILE(name)                                                                           \
    static __attribute__((noinline)) int name##_with(const char *path, int flags, mode_t mode) {   \
        int fd = (int)SILT_FORWARD(name, (path, flags, mode),                                      \
                                   silt_call(SYS_openat, AT_FDCWD, path, flags, mode));            \
        return silt_took(fd, FRAME());                                                             \
    }                                                                                              \
    SILT_EXPORT int name(const char *path, int flags, ...) {                                       \
        MODE_AFTER(flags)                                                                          \
        return name##_with(path, flags, mode);                                                     \
    }

#define OPENS_FILE_AT(name)                                                                        \
    static __attribute__((noinline)) int name##_with(int folder, const char *path, int flags,      \
                                                     mode_t mode) {                                \
        int fd = (int)SILT_FORWARD(name, (folder, path, flags, mode),                              \
                                   silt_call(SYS_openat, folder, path, flags, mode));              \
        return silt_took(fd, FRAME());                                                             \
    }                                                                                              \
    SILT_EXPORT int name(int folder, const char *path, int flags, ...) {                           \
        MODE_AFTER(flags)                                                                          \
        return name##_with(folder, path, flags, mode);                                             \
    }

OPENS_FILE(open)
OPENS_FILE(open64)
OPENS_FILE_AT(openat)
OPENS_FILE_AT(openat64)
OPENS(__open_2, (const char *path, int flags), (path, flags),
      silt_call(SYS_openat, AT_FDCWD, path, flags, 0))
OPENS(__open64_2, (const char *path, int flags), (path, flags),
      silt_call(SYS_openat, AT_FDCWD, path, flags, 0))
OPENS(__openat_2, (int folder, const char *path, int flags), (folder, path, flags),
      silt_call(SYS_openat, folder, path, flags, 0))
OPENS(__openat64_2, (int folder, const char *path, int flags), (folder, path, flags),
      silt_call(SYS_openat, folder, path, flags, 0))
OPENS(creat, (const char *path, mode_t mode), (path, mode), silt_call(SYS_creat, path, mode))
OPENS(creat64, (const char *path, mode_t mode), (path, mode), silt_call(SYS_creat, path, mode))

OPENS(socket, (int domain, int type, int protocol), (domain, type, protocol),
      silt_call(SYS_socket, domain, type, protocol))
OPENS(accept, (int listener, struct sockaddr *address, socklen_t *length),
      (listener, address, length), silt_call(SYS_accept, listener, address, length))
OPENS(accept4, (int listener, struct sockaddr *address, socklen_t *length, int flags),
      (listener, address, length, flags), silt_call(SYS_accept4, listener, address, length, flags))
OPENS_PAIR(socketpair, (int domain, int type, int protocol, int ends[2]),
           (domain, type, protocol, ends), silt_call(SYS_socketpair, domain, type, protocol, ends))
OPENS_PAIR(pipe, (int ends[2]), (ends), silt_call(SYS_pipe, ends))
OPENS_PAIR(pipe2, (int ends[2], int flags), (ends, flags), silt_call(SYS_pipe2, ends, flags))

OPENS(dup, (int fd), (fd), silt_call(SYS_dup, fd))
OPENS(eventfd, (unsigned count, int flags), (count, flags), silt_call(SYS_eventfd2, count, flags))
OPENS(epoll_create, (int size), (size), silt_call(SYS_epoll_create, size))
OPENS(epoll_create1, (int flags), (flags), silt_call(SYS_epoll_create1, flags))
OPENS(timerfd_create, (clockid_t clock, int flags), (clock, flags),
      silt_call(SYS_timerfd_create, clock, flags))
OPENS(inotify_init, (void), (), silt_call(SYS_inotify_init1, 0))
OPENS(inotify_init1, (int flags), (flags), silt_call(SYS_inotify_init1, flags))
OPENS(fanotify_init, (unsigned flags, unsigned file_flags), (flags, file_flags),
      silt_call(SYS_fanotify_init, flags, file_flags))
OPENS(memfd_create, (const char *name, unsigned flags), (name, flags),
      silt_call(SYS_memfd_create, name, flags))
OPENS(pidfd_open, (pid_t process, unsigned flags), (process, flags),
      silt_call(SYS_pidfd_open, process, flags))

/* With a descriptor, that one is changed. */
SILT_EXPORT int signalfd(int fd, const sigset_t *mask, int flags) {
    int result = (int)SILT_FORWARD(signalfd, (fd, mask, flags),
                                   silt_call(SYS_signalfd4, fd, mask, 8, flags));
    return fd == -1 ? silt_took(result, FRAME()) : result;
}

/* All commands have an argument of a register, or none (fcntl(2)). */
#define DUPLICATES(name)                                                                           \
    SILT_EXPORT int name(int fd, int command, ...) {                                               \
        va_list list;                                                                              \
        va_start(list, command);                                                                   \
        void *argument = va_arg(list, void *);                                                     \
        va_end(list);                                                                              \
        int result = (int)SILT_FORWARD(name, (fd, command, argument),                              \
                                       silt_call(SYS_fcntl, fd, command, argument));               \
        return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? silt_took(result, FRAME())       \
                                                                : result;                          \
    }

DUPLICATES(fcntl)
DUPLICATES(fcntl64)

OPENS_LATER(mkstemp, (char *name), (name))
OPENS_LATER(mkstemp64, (char *name), (name))
OPENS_LATER(mkostemp, (char *name, int flags), (name, flags))
OPENS_LATER(mkostemp64, (char *name, int flags), (name, flags))
OPENS_LATER(mkstemps, (char *name, int suffix), (name, suffix))
OPENS_LATER(mkstemps64, (char *name, int suffix), (name, suffix))
OPENS_LATER(mkostemps, (char *name, int suffix, int flags), (name, suffix, flags))
OPENS_LATER(mkostemps64, (char *name, int suffix, int flags), (name, suffix, flags))
OPENS_LATER(shm_open, (const char *name, int flags, mode_t mode), (name, flags, mode))
OPENS_LATER(posix_openpt, (int flags), (flags))

/* A queue is a descriptor on Linux (mq_overview(7)). */
SILT_EXPORT int mq_open(const char *name, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    void *attributes = va_arg(list, void *);
    va_end(list);
    silt_find_real();
    if (SILT_UNLIKELY(silt_real.mq_open == NULL)) {
        errno = ENOSYS;
        return -1;
    }
    return silt_took(silt_real.mq_open(name, flags, mode, attributes), FRAME());
}

SILT_EXPORT int mq_close(int queue) {
    silt_gives(queue, FRAME());
    return (int)SILT_FORWARD(mq_close, (queue), silt_call(SYS_close, queue));
}
