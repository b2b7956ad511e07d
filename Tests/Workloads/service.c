/* service.c: a small server that may misbehave, and its load.
 *
 * `service serve SOCKET MODE` answers at a Unix socket; each request says in its first letter what
 * is to be done: k keeps 1,000 bytes, f frees them again, a aborts. MODE is `well`, or `dies`
 * (before it listens), `never` (never listens), `daemon` (listens in a child that began a session
 * of its own), `stubborn` (ignores SIGTERM), `workers` (each request is served by one of two child
 * processes, which are replaced after 150 requests). `service load SOCKET LETTER COUNT` makes that
 * many requests, one after another. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int bound(const char *path) {
    struct sockaddr_un address = {AF_UNIX, {0}};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    unlink(path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64)) {
        perror(path);
        exit(1);
    }
    return listener;
}

static char *volatile kept;

__attribute__((noinline)) static void keep_order(void) {
    kept = malloc(1000);
    memset(kept, 'o', 1000);
}

__attribute__((noinline)) static void forget_user(void) {
    char *volatile user = malloc(1000);
    free(user);
}

static void serve(int listener, int requests) {
    for (int i = 0; requests == 0 || i < requests; i++) {
        int connection = accept(listener, NULL, NULL);
        char letter = 0;
        if (read(connection, &letter, 1) == 1) {
            if (letter == 'k') {
                keep_order();
            } else if (letter == 'f') {
                forget_user();
            } else {
                abort();
            }
            (void)!write(connection, "ok", 2);
        }
        close(connection);
    }
}

static int serve_mode(const char *path, const char *mode) {
    char *table = malloc(5000);
    memset(table, 't', 5000);
    if (!strcmp(mode, "dies")) {
        fprintf(stderr, "cannot open the database\n");
        return 7;
    }
    if (!strcmp(mode, "never")) {
        pause();
    }
    if (!strcmp(mode, "stubborn")) {
        signal(SIGTERM, SIG_IGN);
    }
    if (!strcmp(mode, "daemon")) {
        if (fork()) {
            return 0;
        }
        setsid();
    }
    int listener = bound(path);
    if (strcmp(mode, "workers")) {
        serve(listener, 0);
    }
    for (int running = 0;; running--) {
        for (; running < 2; running++) {
            if (fork() == 0) {
                serve(listener, 150);
                return 0;
            }
        }
        wait(NULL);
    }
}

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

int main(int count, char **arguments) {
    if (count == 4 && !strcmp(arguments[1], "serve")) {
        return serve_mode(arguments[2], arguments[3]);
    }
    if (count == 5 && !strcmp(arguments[1], "load")) {
        return load(arguments[2], arguments[3][0], atoi(arguments[4]));
    }
    fprintf(stderr, "usage: service serve SOCKET MODE | service load SOCKET LETTER COUNT\n");
    return 2;
}
