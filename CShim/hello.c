/* hello.c: the connection to the analyzer, and what this image says of itself over it. */
#define _GNU_SOURCE
#include "hello.h"

#include "analyzer.h"
#include "image.h"
#include "own.h"
#include "programs.h"
#include "real.h"
#include "system.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char socket_path[sizeof((struct sockaddr_un *)0)->sun_path];
/* As it was at start: a fork child may have changed its root since. */
static char executable[SILT_TEXT_BYTES];

/* SILT_SOCKET names an analyzer that listens; else SILT_OUT asks for one of our own. With neither
 * the hooks only forward. */
bool silt_find_analyzer(void) {
    const char *path = silt_variable("SILT_SOCKET"), *out = silt_variable("SILT_OUT");
    if (path && *path) {
        if (strlen(path) >= sizeof socket_path) {
            return false;
        }
        strcpy(socket_path, path);
        return true;
    }
    return out && *out && silt_start_analyzer(out, socket_path, sizeof socket_path);
}

const char *silt_rendezvous_path(void) {
    return socket_path;
}

int silt_kept_rendezvous(void) {
    return silt_own_is_still(SILT_RENDEZVOUS) ? silt_own[SILT_RENDEZVOUS] : -1;
}

/* The analyzer may be stopped or slow, and with it all that waits for it: nothing here waits longer
 * than that. */
#define CONNECT_NS  1000000000ull /* for a place in the queue, which has thousands */
#define HELLO_NS    2000000000ull /* for a place in the kept connection, which has hundreds */
#define HELLO_SHARE 16            /* in the long run: one part of so many */
#define MOMENT_NS   50000000

static void rest(void) {
    struct timespec moment = {0, MOMENT_NS};
    silt_call(SYS_ppoll, 0, 0, &moment, 0, 8);
}

/* The abstract name is anybody's once the analyzer is gone: this user alone is told what is in this
 * memory, and hears nobody else. */
static bool is_trusted(long fd) {
    struct ucred peer = {0, ~0u, ~0u};
    socklen_t bytes = sizeof peer;
    return silt_call(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
           peer.uid == (uid_t)silt_call(SYS_geteuid, 0);
}

long silt_connect_to_analyzer(long fd) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, socket_path, sizeof address.sun_path);
    long error = silt_call(SYS_connect, fd, &address, sizeof address);
    if (error != -ENOENT) {
        return error;
    }
    size_t name = strlen(socket_path);
    memmove(address.sun_path + 1, socket_path, name);
    address.sun_path[0] = 0;
    error = silt_call(SYS_connect, fd, &address, offsetof(struct sockaddr_un, sun_path) + 1 + name);
    return error == 0 && !is_trusted(fd) ? -ECONNREFUSED : error;
}

static long connect_socket(void) {
    long fd = silt_call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fd;
    }
    long error;
    uint64_t begun = silt_now_ns();
    while ((error = silt_connect_to_analyzer(fd)) == -EINTR ||
           (error == -EAGAIN && silt_now_ns() - begun < CONNECT_NS)) {
        if (error == -EAGAIN) {
            rest();
        }
    }
    if (error < 0) {
        silt_call(SYS_close, fd);
        return error;
    }
    return fd;
}

/* Connects to the analyzer, unless the kept connection is still there. 0 or a negative errno. */
static long reach_analyzer(void) {
    if (silt_own_is_still(SILT_RENDEZVOUS)) {
        return 0;
    }
    long fd = connect_socket();
    if (fd < 0) {
        return fd;
    }
    silt_own_set(SILT_RENDEZVOUS, silt_own_raise((int)fd));
    return 0;
}

/* Whether one more fork child may wait a moment longer, which has waited since `from`. All children
 * of an image together wait for two seconds at once at most, and for a sixteenth of the time in the
 * long run; those that wait at the same time count once. */
static bool may_wait(struct silt_header *kin, uint64_t *from) {
    uint64_t now = silt_now_ns(), last = kin->hello_waited_ns;
    uint64_t step = now - (last > *from && last < now ? last : *from);
    if (last < now && __atomic_compare_exchange_n(&kin->hello_waited_ns, &last, now, false,
                                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        uint64_t debt = kin->hello_debt_ns;
        kin->hello_debt_ns = (debt > now ? debt : now) + step * HELLO_SHARE;
    }
    *from = now;
    return kin->hello_debt_ns < now + HELLO_NS * HELLO_SHARE;
}

/* Sends a message over the kept connection. Where that is full, a fork child of the image whose
 * header is `kin` waits while it may; without one there is no wait. 0 or a negative errno. */
static long send_patiently(const struct msghdr *message, struct silt_header *kin) {
    uint64_t from = kin ? silt_now_ns() : 0;
    for (;;) {
        long sent =
            silt_call(SYS_sendmsg, silt_own[SILT_RENDEZVOUS], message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent == -EPIPE || sent == -ECONNRESET) {
            return -ECONNREFUSED;
        }
        if (sent == -EAGAIN) {
            if (!kin || !may_wait(kin, &from)) {
                return sent;
            }
            rest();
        } else if (sent != -EINTR) {
            return sent < 0 ? sent : 0;
        }
    }
}

bool silt_refuse(enum silt_refusal reason, const char *text) {
    if (reach_analyzer() < 0) {
        return false;
    }
    struct silt_hello hello = {SILT_MAGIC, SILT_WIRE_VERSION, 2, 0, 0, reason};
    struct iovec vectors[2] = {{&hello, sizeof hello},
                               {(void *)text, strnlen(text, SILT_REFUSAL_TEXT)}};
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
    return send_patiently(&message, NULL) == 0;
}

/* Sends the hello with its descriptors; the analyzer owns them from then on. `program` may be -1. 0
 * or a negative errno. */
static long send_hello(int pipe_reader, int memory, int program, struct silt_header *kin) {
    struct silt_hello hello = {SILT_MAGIC,         SILT_WIRE_VERSION, 0,
                               silt_shared->image, silt_shared->pid,  0};
    struct iovec vector = {&hello, sizeof hello};
    _Alignas(8) char control[CMSG_SPACE(3 * sizeof(int))] = {0};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control};
    int descriptors[3] = {pipe_reader, memory, program};
    size_t bytes = (program < 0 ? 2 : 3) * sizeof(int);
    message.msg_controllen = CMSG_SPACE(bytes);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(rights), descriptors, bytes);
    return send_patiently(&message, kin);
}

/* The analyzer has the program's file open for a moment. A file system that is mounted for a short
 * program alone is unmounted when that ends: so such a program does not begin before. */
#define TAKE_NS 500000000ull

static void wait_until_taken(void) {
    uint32_t *taken = &silt_shared->file_taken;
    uint64_t begun = silt_now_ns(), now = begun;
    while (!__atomic_load_n(taken, __ATOMIC_ACQUIRE) && now - begun < TAKE_NS) {
        struct timespec left = {0, (long)(TAKE_NS - (now - begun))};
        silt_call(SYS_futex, taken, FUTEX_WAIT, 0, &left, 0, 0);
        now = silt_now_ns();
    }
}

/* File systems that are never unmounted. */
static bool is_of_system(int program) {
    uint64_t device = silt_file_at(program, "").device;
    return device == silt_file_at(AT_FDCWD, "/").device ||
           device == silt_file_at(AT_FDCWD, "/usr/lib").device;
}

/* Sends the hello, with the executable where that can be opened: a short program ends before the
 * analyzer looks, and its file may be gone or replaced by then. A fork child's is its parent's. */
static long send_with_executable(int pipe_reader, int memory, struct silt_header *kin) {
    long error = reach_analyzer();
    if (error < 0) {
        return error;
    }
    long program =
        silt_shared->forked ? -1 : silt_call(SYS_open, "/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (program >= 0) {
        error = send_hello(pipe_reader, memory, (int)program, kin);
        bool waits = error == 0 && !is_of_system((int)program);
        silt_call(SYS_close, program);
        if (waits) {
            wait_until_taken();
        }
        if (error == 0 || error == -ECONNREFUSED) {
            return error;
        }
    }
    return send_hello(pipe_reader, memory, -1, kin);
}

long silt_say_hello(int memory, struct silt_header *kin) {
    int ends[2];
    long error = silt_call(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK);
    if (error < 0) {
        return error;
    }
    int writer = silt_own_raise(ends[1]);
    error = send_with_executable(ends[0], memory, kin);
    silt_call(SYS_close, ends[0]);
    if (error < 0) {
        silt_call(SYS_close, writer);
        return error;
    }
    silt_own_set(SILT_LIFE_LINE, writer);
    return 0;
}

static void read_file(const char *path, char *into, size_t capacity) {
    long fd = silt_call(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
    size_t filled = 0;
    while (fd >= 0 && filled < capacity - 2) {
        long got = silt_call(SYS_read, fd, into + filled, capacity - 2 - filled);
        if (got <= 0) {
            break;
        }
        filled += (size_t)got;
    }
    if (fd >= 0) {
        silt_call(SYS_close, fd);
    }
}

void silt_fill_header(uint64_t parent_image, bool free_stacks) {
    struct silt_header *header = silt_shared;
    char *base = (char *)header;
    header->magic = SILT_MAGIC;
    header->version = SILT_WIRE_VERSION;
    header->header_bytes = sizeof *header;
    header->image = silt_random();
    header->parent_image = parent_image;
    header->pid = (uint32_t)silt_call(SYS_getpid, 0);
    header->ppid = (uint32_t)silt_call(SYS_getppid, 0);
    header->forked = parent_image != 0;
    header->free_stacks = free_stacks;
    header->start_ns = silt_now_ns();
    read_file("/proc/self/cmdline", base + SILT_COMMAND_OFFSET, SILT_TEXT_BYTES);
    if (!*executable) {
        silt_call(SYS_readlink, "/proc/self/exe", executable, SILT_TEXT_BYTES - 1);
    }
    strcpy(base + SILT_EXE_OFFSET, executable);
    if (!base[SILT_COMMAND_OFFSET]) {
        strcpy(base + SILT_COMMAND_OFFSET, executable); /* no /proc: another root */
    }
    silt_call(SYS_getcwd, base + SILT_CWD_OFFSET, SILT_TEXT_BYTES - 1);
    struct dl_find_object found;
    if (silt_real.malloc && _dl_find_object((void *)silt_real.malloc, &found) == 0) {
        strncpy(base + SILT_ALLOC_OFFSET, found.dlfo_link_map->l_name, SILT_TEXT_BYTES - 1);
    }
}
