/* One source in two modules: twin_call(1) keeps its block. */
#include <stdlib.h>

static void *volatile kept[1 << 16];
static int count;

void twin_call(int keeps) {
    void *block = malloc(77);
    if (keeps) {
        kept[count++ % (1 << 16)] = block;
    } else {
        free(block);
    }
}
