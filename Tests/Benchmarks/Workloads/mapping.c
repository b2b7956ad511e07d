/* mapping COUNT: maps 16 pages, touches one and unmaps them, as often. */
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
    long count = argc > 1 ? atol(argv[1]) : 1000000;
    for (long i = 0; i < count; i++) {
        char *pages = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED) {
            return 1;
        }
        pages[0] = 1;
        munmap(pages, 65536);
    }
    return 0;
}
