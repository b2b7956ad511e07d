#define _GNU_SOURCE
#include "silt_process.h"
#include "silt_signals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "silt_files.h"

static int socket_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return 0;
}

/* A rename that replaces nothing: what came there meanwhile stays. */
static int move_into_place(const char *early, const char *path) {
    if (renameat2(AT_FDCWD, early, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    /* File systems that cannot do that. */
    return errno != EINVAL && errno != ENOSYS ? -1 : link(early, path) < 0 ? -1 : unlink(early);
}

/* A socket that listens there, with credentials on. */
static int listen_at(const struct sockaddr_un *address, size_t bytes) {
    int on = 1, fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
                    bind(fd, (const struct sockaddr *)address, (socklen_t)bytes) < 0 ||
                    listen(fd, 4096) < 0)) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

int silt_listen(const char *path) {
    /* Under its name only once it listens: who waits for the name may connect at once. */
    struct sockaddr_un address;
    char early[sizeof address.sun_path];
    if ((size_t)snprintf(early, sizeof early, "%s.new", path) >= sizeof early) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (socket_address(early, &address) < 0 || silt_free_socket_path(early) < 0) {
        return -1;
    }
    mode_t old = umask(0177);
    int fd = listen_at(&address, sizeof address);
    umask(old);
    if (fd >= 0 && move_into_place(early, path) < 0) {
        int saved = errno;
        unlink(early);
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

int silt_listen_by_name(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t bytes = strlen(path);
    if (bytes + 1 > sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path + 1, path, bytes);
    return listen_at(&address, offsetof(struct sockaddr_un, sun_path) + 1 + bytes);
}

int silt_accept(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int on = 1;
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    }
    return fd;
}

int silt_is_trusted_peer(int fd) {
    struct ucred peer;
    socklen_t bytes = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

struct silt_message silt_receive(int fd, void *payload, size_t capacity) {
    struct silt_message message = {0};
    char control[CMSG_SPACE(sizeof(int) * 4) + CMSG_SPACE(sizeof(struct ucred))];
    struct iovec vector = {payload, capacity};
    struct msghdr header = {.msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control};
    do {
        message.bytes = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (message.bytes < 0 && errno == EINTR);
    if (message.bytes <= 0) {
        return message;
    }
    message.is_cut = (header.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET) {
            continue;
        }
        if (c->cmsg_type == SCM_RIGHTS) {
            int count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            for (int i = 0; i < count; i++) {
                int received;
                memcpy(&received, CMSG_DATA(c) + (size_t)i * sizeof(int), sizeof received);
                if (message.fd_count < 4) {
                    message.fds[message.fd_count++] = received;
                } else {
                    close(received);
                }
            }
        } else if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
            message.pid = credentials.pid;
            message.uid = credentials.uid;
        }
    }
    return message;
}

int silt_connect(const char *path) {
    struct sockaddr_un address;
    if (socket_address(path, &address) < 0) {
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static struct rlimit original_limit;
static int limit_saved;

/* For some thousand processes at once. */
#define MANY_DESCRIPTORS 16384

void silt_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (limit_saved || getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return;
    }
    original_limit = limit;
    limit_saved = 1;
    struct rlimit more = {MANY_DESCRIPTORS, MANY_DESCRIPTORS}; /* a privileged user may */
    if (limit.rlim_max >= more.rlim_max || setrlimit(RLIMIT_NOFILE, &more) < 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int silt_count_free_descriptors(int most) {
    int opened[64], count = 0, saved = errno;
    while (count < most && count < 64 &&
           (opened[count] = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) >= 0) {
        count++;
    }
    for (int i = 0; i < count; i++) {
        close(opened[i]);
    }
    errno = saved;
    return count;
}

void silt_execute(char *const argv[], char *const envp[]) {
    silt_signals_restore();
    if (limit_saved) {
        setrlimit(RLIMIT_NOFILE, &original_limit);
    }
    execvpe(argv[0], argv, envp);
}

/* In the child: 0, or -1 with errno set. */
static int apply_start(const struct silt_start *start) {
    int places[3] = {start->input, start->output, start->errors};
    for (int target = 0; target < 3; target++) {
        /* Out of the way first: dup2 must not overwrite one that is still needed, and leaves a
         * descriptor that is in its place already close-on-exec. */
        if (places[target] >= 0) {
            places[target] = fcntl(places[target], F_DUPFD_CLOEXEC, 3);
            if (places[target] < 0) {
                return -1;
            }
        }
    }
    for (int target = 0; target < 3; target++) {
        if (places[target] >= 0 && dup2(places[target], target) < 0) {
            return -1;
        }
    }
    if (start->own_group) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0) {
            return -1;
        }
    }
    return start->directory ? chdir(start->directory) : 0;
}

int silt_output_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return -1;
    }
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

int silt_adopt_orphans(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int silt_has_ended(pid_t child, int *status) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
        return -1;
    }
    *status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    return info.si_pid == child;
}

pid_t silt_spawn_as(char *const argv[], char *const envp[], const struct silt_start *start) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        silt_signals_restore();
        if (limit_saved) {
            setrlimit(RLIMIT_NOFILE, &original_limit);
        }
        if (apply_start(start) == 0) {
            execvpe(argv[0], argv, envp);
        }
        int failure = errno;
        ssize_t n = write(report[1], &failure, sizeof failure);
        (void)n;
        _exit(127);
    }
    int saved = errno;
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        errno = saved;
        return -1;
    }
    int failure = 0;
    ssize_t n;
    do {
        n = read(report[0], &failure, sizeof failure);
    } while (n < 0 && errno == EINTR);
    close(report[0]);
    if (n == (ssize_t)sizeof failure) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        errno = failure;
        return -1;
    }
    return pid;
}

int silt_pidfd(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int silt_memory_file(const char *name) {
    return memfd_create(name, MFD_CLOEXEC);
}

void silt_punch(int fd, uint64_t offset, uint64_t bytes) {
    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes);
}

void silt_wake(uint32_t *word) {
    __atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}
