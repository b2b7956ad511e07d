/* ends_early.c: a program that keeps one thing of a kind each 5 ms, and what becomes of it.
 *
 * `ends_early KIND SECONDS keep|give` ends with what it kept, or gives all of it back on its way
 * out. KIND is the first letter of blocks, descriptors or mappings; n: nothing. With `child AFTER`
 * behind it a forked child does that, and the parent, which keeps nothing, goes on for AFTER
 * seconds more. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 100000, BLOCK = 2011, MAPPING = 16 << 10, TABLE = 150011, PAUSE = 5000 };

static union {
    void *address;
    int descriptor;
} kept[MOST];
static int count;

__attribute__((noinline)) static void keep_block(void) {
    kept[count].address = malloc(BLOCK);
    memset(kept[count++].address, 1, BLOCK);
}

__attribute__((noinline)) static void keep_descriptor(void) {
    kept[count++].descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

__attribute__((noinline)) static void keep_mapping(void) {
    void *address = mmap(NULL, MAPPING, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(address, 1, MAPPING);
    kept[count++].address = address;
}

__attribute__((noinline)) static void work(char kind, double seconds) {
    int rounds = (int)(seconds * 1e6 / PAUSE);
    for (int i = 0; i < rounds && count < MOST; i++) {
        switch (kind) {
        case 'b':
            keep_block();
            break;
        case 'd':
            keep_descriptor();
            break;
        case 'm':
            keep_mapping();
            break;
        default:
            break;
        }
        usleep(PAUSE);
    }
}

__attribute__((noinline)) static void give_back(char kind) {
    while (count > 0) {
        count--;
        switch (kind) {
        case 'b':
            free(kept[count].address);
            break;
        case 'd':
            close(kept[count].descriptor);
            break;
        default:
            munmap(kept[count].address, MAPPING);
            break;
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 6) {
        return 2;
    }
    char *volatile table = malloc(TABLE);
    memset(table, 1, TABLE);
    double seconds = atof(argv[2]);
    pid_t child = argc == 6 ? fork() : 0;
    if (child > 0) {
        work('n', seconds + atof(argv[5]));
        waitpid(child, NULL, 0);
    } else {
        work(argv[1][0], seconds);
        if (argv[3][0] == 'g') {
            give_back(argv[1][0]);
        }
    }
    return 0;
}
