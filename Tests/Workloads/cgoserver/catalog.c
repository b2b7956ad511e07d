#include "catalog.h"

#include <stdlib.h>
#include <string.h>

struct item {
    struct item *next;
    char text[ITEM_BYTES - sizeof(struct item *)];
};

static struct item *kept;

static struct item *__attribute__((noinline)) make_item(int number) {
    struct item *item = malloc(sizeof *item); /* leaks: lookup */
    if (item) {
        memset(item->text, number, sizeof item->text);
    }
    return item;
}

int catalog_lookup(int number, int keep) {
    struct item *item = make_item(number);
    if (!item) {
        return -1;
    }
    int first = item->text[0];
    if (keep) {
        /* One thread at a time: the caller sees to that. */
        item->next = kept;
        kept = item;
    } else {
        free(item);
    }
    return first;
}
