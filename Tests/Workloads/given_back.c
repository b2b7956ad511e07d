// A service that keeps an entry of each request, and frees them all when it ends: given_back
// keep|drop SECONDS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRY = 1013, TABLE = 150011 };

struct entry {
    struct entry *next;
    char text[ENTRY - sizeof(struct entry *)];
};

static struct entry *entries;

__attribute__((noinline)) static void remember(int keeps) {
    struct entry *volatile entry = malloc(sizeof *entry);
    memset(entry, 1, sizeof *entry);
    if (keeps) {
        entry->next = entries;
        entries = entry;
    } else {
        free(entry);
    }
}

__attribute__((noinline)) static void forget(void) {
    while (entries) {
        struct entry *next = entries->next;
        free(entries);
        entries = next;
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    char *volatile table = malloc(TABLE);
    memset(table, 1, TABLE);
    for (int i = 0; i < atoi(argv[2]) * 500; i++) {
        remember(argv[1][0] == 'k');
        usleep(2000);
    }
    forget();
}
