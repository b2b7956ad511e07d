/*
 * opens FOLDER: descriptors in every way that a program gets and loses them.
 *
 * Each way to get some is a function of its own. A line for each tells its name, how many it has
 * got, and how many of those the program still has in the end.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMES  5 /* that each way is gone, and kept where it is not given back */
#define CLOSED 3
#define APART  __attribute__((noinline))

static const char *folder;

static void tell(const char *name, long got, long kept) {
    printf("%s %ld %ld\n", name, got, kept);
}

static const char *in_folder(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static char *pattern(const char *end) {
    static char name[4096];
    snprintf(name, sizeof name, "%s/XXXXXX%s", folder, end);
    return name;
}

/* A listener at which a client waits. */
static int knocked_at(void) {
    static int listener = -1;
    static struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (listener < 0) {
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        strncpy(address.sun_path, in_folder("socket"), sizeof address.sun_path - 1);
        unlink(address.sun_path);
        if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64)) {
            exit(3);
        }
    }
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(client, (struct sockaddr *)&address, sizeof address)) {
        exit(3);
    }
    close(client);
    return listener;
}

/* ---- one function of the C library each ---- */

#define WAY(name, expression)                                                                      \
    APART static long by_##name(void) {                                                            \
        volatile long got = (long)(expression);                                                    \
        return got;                                                                                \
    }

static sigset_t none;
static int counter;

WAY(open, open("/dev/null", O_RDONLY))
WAY(open64, open64("/dev/null", O_RDONLY))
WAY(openat, openat(AT_FDCWD, "/dev/null", O_RDONLY))
WAY(openat64, openat64(AT_FDCWD, "/dev/null", O_RDONLY))
WAY(creat, creat(in_folder("made"), 0600))
WAY(socket, socket(AF_UNIX, SOCK_STREAM, 0))
WAY(accept, accept(knocked_at(), NULL, NULL))
WAY(accept4, accept4(knocked_at(), NULL, NULL, SOCK_CLOEXEC))
WAY(dup, dup(0))
WAY(dup2, dup2(0, 600 + counter++))
WAY(dup3, dup3(0, 700 + counter++, O_CLOEXEC))
WAY(fcntl, fcntl(0, F_DUPFD, 10))
WAY(fcntl_too, fcntl(0, F_DUPFD_CLOEXEC, 10))
WAY(eventfd, eventfd(0, 0))
WAY(epoll_create, epoll_create(1))
WAY(epoll_create1, epoll_create1(0))
WAY(timerfd_create, timerfd_create(CLOCK_MONOTONIC, 0))
WAY(signalfd, signalfd(-1, &none, 0))
WAY(inotify_init, inotify_init())
WAY(inotify_init1, inotify_init1(0))
WAY(fanotify_init, fanotify_init(FAN_CLASS_NOTIF, O_RDONLY))
WAY(memfd_create, memfd_create("some", 0))
WAY(pidfd_open, pidfd_open(getpid(), 0))
WAY(mkstemp, mkstemp(pattern("")))
WAY(mkostemp, mkostemp(pattern(""), O_CLOEXEC))
WAY(mkstemps, mkstemps(pattern(".x"), 2))
WAY(mkostemps, mkostemps(pattern(".x"), 2, O_CLOEXEC))
WAY(shm_open, shm_open("/silt-opens", O_RDWR | O_CREAT, 0600))
WAY(posix_openpt, posix_openpt(O_RDWR | O_NOCTTY))
WAY(mq_open, mq_open("/silt-opens", O_RDWR | O_CREAT, 0600, NULL))
WAY(fopen, fopen("/dev/null", "r"))
WAY(fopen64, fopen64("/dev/null", "r"))
WAY(freopen, freopen("/dev/zero", "r", fopen("/dev/null", "r")))
WAY(tmpfile, tmpfile())
WAY(popen, popen("exit 0", "r"))
WAY(opendir, opendir("/"))

enum closer { CLOSE, SYSCALL, MQ_CLOSE, FCLOSE, PCLOSE, CLOSEDIR, FDCLOSE };

static const struct {
    const char *name;
    long (*way)(void);
    enum closer closer;
} ways[] = {
#define AS_WAY(name, closer) {"by_" #name, by_##name, closer}
    AS_WAY(open, CLOSE),          AS_WAY(open64, SYSCALL),       AS_WAY(openat, FDCLOSE),
    AS_WAY(openat64, CLOSE),      AS_WAY(creat, CLOSE),          AS_WAY(socket, CLOSE),
    AS_WAY(accept, CLOSE),        AS_WAY(accept4, FDCLOSE),      AS_WAY(dup, CLOSE),
    AS_WAY(dup2, CLOSE),          AS_WAY(dup3, SYSCALL),         AS_WAY(fcntl, CLOSE),
    AS_WAY(fcntl_too, CLOSE),     AS_WAY(eventfd, CLOSE),        AS_WAY(epoll_create, CLOSE),
    AS_WAY(epoll_create1, CLOSE), AS_WAY(timerfd_create, CLOSE), AS_WAY(signalfd, CLOSE),
    AS_WAY(inotify_init, CLOSE),  AS_WAY(inotify_init1, CLOSE),  AS_WAY(fanotify_init, CLOSE),
    AS_WAY(memfd_create, CLOSE),  AS_WAY(pidfd_open, CLOSE),     AS_WAY(mkstemp, CLOSE),
    AS_WAY(mkostemp, CLOSE),      AS_WAY(mkstemps, CLOSE),       AS_WAY(mkostemps, CLOSE),
    AS_WAY(shm_open, CLOSE),      AS_WAY(posix_openpt, CLOSE),   AS_WAY(mq_open, MQ_CLOSE),
    AS_WAY(fopen, FCLOSE),        AS_WAY(fopen64, FCLOSE),       AS_WAY(tmpfile, FCLOSE),
    AS_WAY(popen, PCLOSE),        AS_WAY(opendir, CLOSEDIR),
};

static void give_back(long got, enum closer closer) {
    switch (closer) {
    case CLOSE:
        close((int)got);
        break;
    case SYSCALL:
        syscall(SYS_close, got);
        break;
    case MQ_CLOSE:
        mq_close((mqd_t)got);
        break;
    case FCLOSE:
        fclose((FILE *)got);
        break;
    case PCLOSE:
        pclose((FILE *)got);
        break;
    case CLOSEDIR:
        closedir((DIR *)got);
        break;
    case FDCLOSE:
        fclose(fdopen((int)got, "r"));
        break;
    }
}

static void go_all_ways(void) {
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        bool is_pointer = ways[i].closer >= FCLOSE && ways[i].closer <= CLOSEDIR;
        int got = 0, closed = 0;
        for (int k = 0; k < TIMES; k++) {
            long one = ways[i].way();
            if (is_pointer ? one == 0 : one < 0) {
                continue; /* there is no such thing here */
            }
            got++;
            if (closed < CLOSED) {
                give_back(one, ways[i].closer);
                closed++;
            }
        }
        tell(ways[i].name, got, got - closed);
    }
    shm_unlink("/silt-opens");
    mq_unlink("/silt-opens");
    /* The first stream's descriptor is closed before the second one is opened. */
    for (int k = 0; k < TIMES; k++) {
        by_freopen();
    }
    tell("by_freopen", 2 * TIMES, TIMES);
}

/* ---- several at once ---- */

#define PAIR(name, ...)                                                                            \
    APART static void by_##name(int kept) {                                                        \
        int ends[2];                                                                               \
        if (name(__VA_ARGS__)) {                                                                   \
            exit(3);                                                                               \
        }                                                                                          \
        for (int i = kept; i < 2; i++) {                                                           \
            close(ends[i]);                                                                        \
        }                                                                                          \
    }

PAIR(pipe, ends)
PAIR(pipe2, ends, O_CLOEXEC)
PAIR(socketpair, AF_UNIX, SOCK_STREAM, 0, ends)

APART static void by_recvmsg(int socket) {
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } control;
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    if (recvmsg(socket, &message, 0) != 1) {
        exit(3);
    }
}

APART static void by_recvmmsg(int socket) {
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } control[2];
    char bytes[2];
    struct iovec parts[2] = {{&bytes[0], 1}, {&bytes[1], 1}};
    struct mmsghdr messages[2] = {{{.msg_iov = &parts[0],
                                    .msg_iovlen = 1,
                                    .msg_control = &control[0],
                                    .msg_controllen = sizeof control[0]},
                                   0},
                                  {{.msg_iov = &parts[1],
                                    .msg_iovlen = 1,
                                    .msg_control = &control[1],
                                    .msg_controllen = sizeof control[1]},
                                   0}};
    if (recvmmsg(socket, messages, 2, 0, NULL) != 2) {
        exit(3);
    }
}

static void send_three(int socket) {
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } control = {.head = {CMSG_LEN(3 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.head), (int[3]){0, 1, 2}, 3 * sizeof(int));
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    if (sendmsg(socket, &message, 0) != 1) {
        exit(3);
    }
}

static void several(void) {
    for (int kept = 0; kept < 3; kept++) {
        by_pipe(kept);
        by_pipe2(kept);
        by_socketpair(kept);
    }
    tell("by_pipe", 6, 3);
    tell("by_pipe2", 6, 3);
    tell("by_socketpair", 6, 3);
    int ends[2];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    send_three(ends[0]);
    by_recvmsg(ends[1]);
    send_three(ends[0]);
    send_three(ends[0]);
    by_recvmmsg(ends[1]);
    tell("by_recvmsg", 3, 3);
    tell("by_recvmmsg", 6, 6);
}

/* ---- what does not come about, and what goes otherwise ---- */

APART static int by_failure(void) {
    volatile int fd = open("/nonexistent/file", O_RDONLY);
    return fd;
}

APART static int by_undoing(void) {
    volatile int fd = open("/dev/null", O_RDONLY);
    return fd;
}

APART static int by_replacing(void) {
    volatile int fd = open("/dev/null", O_RDONLY);
    return fd;
}

APART static int by_range(int from) {
    volatile int fd = fcntl(0, F_DUPFD, from);
    return fd;
}

static void otherwise(void) {
    by_failure();
    tell("by_failure", 0, 0);
    int fd = by_undoing();
    if (dup2(987654, fd) != -1 || dup3(fd, fd, 0) != -1 || dup2(fd, fd) != fd ||
        syscall(SYS_dup2, 987654, fd) != -1 || syscall(SYS_dup3, fd, fd, 0) != -1) {
        exit(3);
    }
    tell("by_undoing", 1, 1);
    fd = by_replacing();
    dup2(0, fd);
    fd = by_replacing();
    dup3(0, fd, 0);
    fd = by_replacing();
    syscall(SYS_dup2, 0, fd);
    tell("by_replacing", 3, 0);
    for (int i = 0; i < 10; i++) {
        by_range(4000);
    }
    close_range(4001, 4003, 0);
    close_range(4004, 4005, 4 /* CLOSE_RANGE_CLOEXEC */);
    close_range(4008, 4006, 0);
    syscall(SYS_close_range, 4004, 4004, 0);
    closefrom(4009);
    tell("by_range", 10, 5);
}

/* ---- children ---- */

#define CHILD(name)                                                                                \
    APART static int by_##name(void) {                                                             \
        volatile int fd = open("/dev/null", O_RDONLY);                                             \
        return fd;                                                                                 \
    }

CHILD(vfork)
CHILD(clone)
CHILD(fork)

static void close_all(const int *all) {
    close(all[0]);
    dup2(0, all[1]);
    close_range((unsigned)all[2], (unsigned)all[2], 0);
    syscall(SYS_close, all[3]);
    for (int i = 0; i < 10; i++) {
        if (open("/dev/null", O_RDONLY) < 0) {
            _exit(3);
        }
    }
}

static int closing_child(void *all) {
    close_all(all);
    _exit(0);
}

static void children(void) {
    int all[4], status = 0;
    for (int i = 0; i < 4; i++) {
        all[i] = by_fork();
    }
    pid_t child = fork();
    if (child == 0) {
        close_all(all);
        _exit(0);
    }
    waitpid(child, &status, 0);
    tell("by_fork", 4, 4);
    for (int i = 0; i < 4; i++) {
        all[i] = by_vfork();
    }
    child = vfork();
    if (child == 0) {
        close_all(all);
        _exit(0);
    }
    waitpid(child, &status, 0);
    tell("by_vfork", 4, 4);
    for (int i = 0; i < 4; i++) {
        all[i] = by_clone();
    }
    static char stack[64 << 10] __attribute__((aligned(16)));
    child = clone(closing_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, all);
    waitpid(child, &status, 0);
    close(all[0]);
    tell("by_clone", 4, 3);
}

/* ---- threads and handlers ---- */

APART static int by_canceled_close(void) {
    volatile int fd = open("/dev/null", O_RDONLY);
    return fd;
}

static void *close_canceled(void *fd) {
    pthread_cancel(pthread_self());
    close(*(int *)fd);
    return NULL;
}

APART static void *by_canceled_accept(void *listener) {
    volatile int fd = accept(*(int *)listener, NULL, NULL);
    close(fd);
    return NULL;
}

APART static int by_handler(void) {
    volatile int fd = open("/dev/null", O_RDONLY);
    return fd;
}

static void handle(int number) {
    (void)number;
    by_handler();
}

APART static int by_threads(void) {
    volatile int fd = open("/dev/null", O_RDONLY);
    return fd;
}

#define THREADS 8
#define ROUNDS  500

static void *open_and_close(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        close(by_threads());
    }
    by_threads();
    return unused;
}

static void threads(void) {
    pthread_t thread, all[THREADS];
    int fd = by_canceled_close(), listener = knocked_at();
    pthread_create(&thread, NULL, close_canceled, &fd);
    pthread_join(thread, NULL);
    if (fcntl(fd, F_GETFD) < 0) {
        exit(3);
    }
    /* Until the next look, its give is believed. */
    tell("by_canceled_close", 1, 0);
    close(accept(listener, NULL, NULL));
    pthread_create(&thread, NULL, by_canceled_accept, &listener);
    usleep(50000);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    tell("by_canceled_accept", 0, 0);
    signal(SIGUSR1, handle);
    raise(SIGUSR1);
    tell("by_handler", 1, 1);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&all[i], NULL, open_and_close, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(all[i], NULL);
    }
    tell("by_threads", THREADS * (ROUNDS + 1), THREADS);
}

int main(int count, char **arguments) {
    folder = count > 1 ? arguments[1] : "/tmp";
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    go_all_ways();
    several();
    otherwise();
    children();
    threads();
    return 0;
}
