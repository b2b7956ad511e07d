/* received.c: descriptors that arrive in messages (unix(7), SCM_RIGHTS). */
#define _GNU_SOURCE
#include "real.h"
#include "system.h"
#include "taken.h"

#include <sys/socket.h>

/* The descriptor with that number, from 0, among those that the message brought; -1 when it brought
 * less. The kernel has written the message's control data, and said how much. */
static __attribute__((noinline)) int brought(struct msghdr *message, size_t number) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
            size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            if (number < count) {
                return ((const int *)(const void *)CMSG_DATA(part))[number];
            }
            number -= count;
        }
    }
    return -1;
}

/* Jumped to by the hook, whose place on the stack it takes. Returns `got`. */
static __attribute__((noinline)) ssize_t take_rights(struct msghdr *message, ssize_t got) {
    int fd;
    for (size_t i = 0; (fd = brought(message, i)) >= 0; i++) {
        silt_took(fd, FRAME());
    }
    return got;
}

SILT_EXPORT ssize_t recvmsg(int socket, struct msghdr *message, int flags) {
    ssize_t got = SILT_FORWARD(recvmsg, (socket, message, flags),
                               silt_call(SYS_recvmsg, socket, message, flags));
    bool has_more = got >= 0 && message->msg_controllen;
    return SILT_UNLIKELY(has_more) ? take_rights(message, got) : got;
}

SILT_EXPORT int recvmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags,
                         struct timespec *patience) {
    int got = (int)SILT_FORWARD(recvmmsg, (socket, messages, count, flags, patience),
                                silt_call(SYS_recvmmsg, socket, messages, count, flags, patience));
    for (int i = 0; i < got; i++) {
        int fd;
        for (size_t k = 0; (fd = brought(&messages[i].msg_hdr, k)) >= 0; k++) {
            silt_took(fd, FRAME());
        }
    }
    return got;
}
