/* received.c: descriptors that arrive in messages (unix(7), SCM_RIGHTS). */
#define _GNU_SOURCE
#include "real.h"
#include "system.h"
#include "taken.h"

#include <string.h>
#include <sys/socket.h>

/* The kernel has written the message's control data, and said how much. */
static __attribute__((noinline)) void take_rights(struct msghdr *message, const void *frame) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            silt_took(fd, frame);
        }
    }
}

SILT_EXPORT ssize_t recvmsg(int socket, struct msghdr *message, int flags) {
    ssize_t got = SILT_FORWARD(recvmsg, (socket, message, flags),
                               silt_call(SYS_recvmsg, socket, message, flags));
    if (got >= 0 && SILT_UNLIKELY(message->msg_controllen)) {
        take_rights(message, FRAME());
    }
    return got;
}

SILT_EXPORT int recvmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags,
                         struct timespec *patience) {
    int got = (int)SILT_FORWARD(recvmmsg, (socket, messages, count, flags, patience),
                                silt_call(SYS_recvmmsg, socket, messages, count, flags, patience));
    for (int i = 0; i < got; i++) {
        if (SILT_UNLIKELY(messages[i].msg_hdr.msg_controllen)) {
            take_rights(&messages[i].msg_hdr, FRAME());
        }
    }
    return got;
}
