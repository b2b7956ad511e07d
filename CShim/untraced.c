/*
 * untraced.c: tells the analyzer of a program that is not traced.
 *
 * In an exec hook, perhaps of a vfork child or a signal handler: nothing but the stack and
 * scratch.c's pages is written to.
 */
#define _GNU_SOURCE
#include "untraced.h"

#include "hello.h"
#include "own.h"
#include "real.h"
#include "sandbox.h"
#include "scratch.h"
#include "system.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define STACK_BYTES 4096u

/* What the analyzer is told, and where. */
struct news {
    struct silt_hello hello;
    const char *path;
};

/* Sends over a connection that lasts for this message alone, without waiting. Nobody else may have
 * this process's descriptors. */
static int send_news(void *argument) {
    struct news *news = argument;
    struct iovec parts[2] = {{&news->hello, sizeof news->hello},
                             {(void *)news->path, strnlen(news->path, SILT_REFUSAL_TEXT)}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    news->hello.image |= (uint64_t)silt_call(SYS_getpid, 0) << 32;
    long fd = silt_call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int kept = silt_kept_rendezvous();
    if (fd >= 0 && silt_connect_to_analyzer(fd) == 0) {
        silt_call(SYS_sendmsg, fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else if (kept >= 0) {
        silt_call(SYS_sendmsg, kept, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (fd >= 0) {
        silt_call(SYS_close, fd);
    }
    return 0;
}

/* Other threads may close and reuse any number at any time: a process that shares this one's
 * memory, but not its descriptors, sends what there is to say. It has no exit signal, so wait(2)
 * without __WALL does not see it. */
static void send_on(struct news *news, uint8_t *end_of_stack) {
    uint64_t all = ~0ull, mask;
    int saved = errno;
    /* A handler of the program must not run in it. */
    silt_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, 8);
    int pid = silt_real.clone(send_news, end_of_stack, CLONE_VM | CLONE_VFORK, news);
    if (pid > 0) {
        while (silt_call(SYS_wait4, pid, 0, __WALL, 0) == -EINTR) {
        }
    }
    silt_call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
    errno = saved;
}

static __attribute__((noinline)) void send_on_this_stack(struct news *news) {
    _Alignas(16) uint8_t stack[STACK_BYTES];
    send_on(news, stack + sizeof stack);
}

static void send_apart(struct news *news) {
    struct silt_scratch scratch = silt_scratch_take(STACK_BYTES, false);
    if (scratch.pages) {
        send_on(news, (uint8_t *)scratch.pages + STACK_BYTES);
        silt_scratch_drop(&scratch);
    } else {
        send_on_this_stack(news);
    }
}

/* Under a filter of the program's nothing is sent. */
void silt_tell_untraced(uint32_t reason, uint32_t pid, const char *path) {
    if (!*silt_rendezvous_path() || silt_is_filtered()) {
        return;
    }
    uint32_t own = (uint32_t)silt_call(SYS_getpid, 0);
    struct news news = {{SILT_MAGIC, SILT_WIRE_VERSION, 2, own, pid ? pid : own, reason}, path};
    if (silt_own_is_alone(true, 0)) {
        send_news(&news);
    } else {
        send_apart(&news);
    }
}
