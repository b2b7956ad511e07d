/*
 * A library that a server is preloaded with, as of a vendor who counts answers: sendmsg keeps a
 * record of 700 bytes of each fourth answer, or with SHOP_FIXED set of the last 32 alone. silt's
 * own messages are no answers.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NOINLINE __attribute__((noinline))

NOINLINE static char *make_record(size_t bytes) {
    char *record = malloc(bytes);
    if (record != NULL) {
        memset(record, 'r', bytes);
    }
    return record;
}

NOINLINE static void note_answer(void) {
    static _Thread_local char *recent[32];
    static _Thread_local unsigned answers;
    if (answers++ % 4 != 0) {
        return;
    }
    unsigned place = answers / 4 % 32;
    if (getenv("SHOP_FIXED") != NULL) {
        free(recent[place]);
    }
    recent[place] = make_record(700);
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    static ssize_t (*next)(int, const struct msghdr *, int);
    if (next == NULL) {
        next = (ssize_t(*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
    }
    note_answer();
    return next(socket, message, flags);
}
