/* letters.h: a server at a Unix socket that each request tells by its first letter what to do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* It has its name when it listens: who sees it can connect. */
static int bound(const char *path) {
    struct sockaddr_un address = {AF_UNIX, {0}};
    snprintf(address.sun_path, sizeof address.sun_path, "%s.new", path);
    unlink(address.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64) ||
        rename(address.sun_path, path)) {
        perror(path);
        exit(1);
    }
    return listener;
}

/* Its load: `count` requests, one after another. */
static int load(const char *path, char letter, int count) {
    struct sockaddr_un address = {AF_UNIX, {0}};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int answered = 0;
    for (int i = 0; i < count; i++) {
        int connection = socket(AF_UNIX, SOCK_STREAM, 0);
        char answer[2];
        if (connect(connection, (struct sockaddr *)&address, sizeof address) == 0 &&
            write(connection, &letter, 1) == 1 && read(connection, answer, 2) == 2) {
            answered++;
        }
        close(connection);
    }
    printf("silt: requests=%d\n", answered);
    return answered < count;
}
