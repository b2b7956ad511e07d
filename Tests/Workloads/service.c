/* service.c: a small server that may misbehave, and its load.
 *
 * `service serve SOCKET MODE` answers at a Unix socket; each request says in its first letter what
 * is to be done: k keeps 1,000 bytes, f frees them again, a aborts. MODE is `well`, or `dies`
 * (before it listens), `never` (never listens), `daemon` (listens in a child that began a session
 * of its own), `stubborn` (ignores SIGTERM), `workers` (each request is served by one of two child
 * processes, which are replaced after 150 requests). `service load SOCKET LETTER COUNT` makes that
 * many requests, one after another. */
#include "letters.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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
