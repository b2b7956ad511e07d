/* kept_kinds.c: opens one descriptor of each kind a hundred times a second and keeps all of them.
 *
 * `kept_kinds FOLDER SECONDS` prints the port that its connections lead to; their other ends are
 * closed at once. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in server = {.sin_family = AF_INET};
static const char *folder;

__attribute__((noinline)) static int dial(void) {
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(connection, (struct sockaddr *)&server, sizeof server);
}

__attribute__((noinline)) static int bind_name(int number) {
    struct sockaddr_un address = {AF_UNIX, {0}};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s%d", folder, number);
    int named = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return bind(named, (struct sockaddr *)&address, sizeof address);
}

__attribute__((noinline)) static int open_file(void) {
    char path[200];
    snprintf(path, sizeof path, "%s/orders.log", folder);
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) < 0;
}

__attribute__((noinline)) static int make_pipe(void) {
    int ends[2];
    return pipe2(ends, O_CLOEXEC);
}

__attribute__((noinline)) static int make_event(void) {
    return eventfd(0, EFD_CLOEXEC) < 0;
}

__attribute__((noinline)) static int make_memory(void) {
    return memfd_create("frames", MFD_CLOEXEC) < 0;
}

int main(int count, char **arguments) {
    if (count != 3) {
        return 2;
    }
    folder = arguments[1];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof server;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&server, length) || listen(listener, 16) ||
        getsockname(listener, (struct sockaddr *)&server, &length)) {
        perror("127.0.0.1");
        return 1;
    }
    printf("%d\n", ntohs(server.sin_port));
    int rounds = (int)(atof(arguments[2]) * 100);
    for (int i = 0; i < rounds; i++) {
        int failed = dial();
        close(accept(listener, NULL, NULL));
        failed |= bind_name(i) | open_file() | make_pipe() | make_event() | make_memory();
        if (failed) {
            perror(folder);
            return 1;
        }
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    return 0;
}
