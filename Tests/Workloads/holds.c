/* holds.c: a small server that holds content beside what it leaks, and its load.
 *
 * `holds serve SOCKET` answers at a Unix socket; each request says in its first letter what is to
 * be done: r puts a node into a ring of 290, and leaks every 25th; o the same without the leak; p
 * fills one of 193 slots, chosen at random; t keeps a session for six seconds, and drops those that
 * are older. `holds load SOCKET LETTER COUNT` makes that many requests, one after another. */
#include "letters.h"

#include <time.h>

static void *volatile kept;

__attribute__((noinline)) static void *make_node(void) {
    void *node = malloc(184);
    memset(node, 'n', 184);
    return node;
}

static void ring(int leaks) {
    static void *entries[290];
    static int next, seen;
    if (leaks && ++seen % 25 == 0) {
        kept = make_node();
        return;
    }
    free(entries[next]);
    entries[next] = make_node();
    next = (next + 1) % 290;
}

__attribute__((noinline)) static void fill_slot(void) {
    static void *slots[193];
    static unsigned state = 12345;
    state = state * 1103515245u + 12345u;
    unsigned slot = (state >> 8) % 193;
    if (slots[slot] == NULL) {
        slots[slot] = malloc(104);
        memset(slots[slot], 's', 104);
    }
}

struct session {
    struct session *next;
    time_t end;
    char content[300];
};

__attribute__((noinline)) static struct session *make_session(void) {
    return calloc(1, sizeof(struct session));
}

static void session(void) {
    static struct session *oldest, **end = &oldest;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    while (oldest && oldest->end <= now.tv_sec) {
        struct session *next = oldest->next;
        free(oldest);
        oldest = next;
    }
    if (oldest == NULL) {
        end = &oldest;
    }
    *end = make_session();
    (*end)->end = now.tv_sec + 6;
    end = &(*end)->next;
}

static int serve(const char *path) {
    int listener = bound(path);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        char letter = 0;
        if (read(connection, &letter, 1) == 1) {
            switch (letter) {
            case 'r':
                ring(1);
                break;
            case 'o':
                ring(0);
                break;
            case 'p':
                fill_slot();
                break;
            case 't':
                session();
                break;
            default:
                abort();
            }
            (void)!write(connection, "ok", 2);
        }
        close(connection);
    }
}

int main(int count, char **arguments) {
    if (count == 3 && !strcmp(arguments[1], "serve")) {
        return serve(arguments[2]);
    }
    if (count == 5 && !strcmp(arguments[1], "load")) {
        return load(arguments[2], arguments[3][0], atoi(arguments[4]));
    }
    fprintf(stderr, "usage: holds serve SOCKET | holds load SOCKET LETTER COUNT\n");
    return 2;
}
