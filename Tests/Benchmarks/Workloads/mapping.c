/* mapping COUNT: maps 16 pages, touches one and unmaps them, as often.
 *
 * Where nothing else is mapped nearby, the kernel makes and frees a page table with each of them,
 * and what has been loaded before says where that is: so they lie in a hole of memory that stays.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE = 1 << 21, BYTES = 65536 };

int main(int argc, char **argv) {
    long count = argc > 1 ? atol(argv[1]) : 1000000;
    char *around = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (around == MAP_FAILED) {
        return 1;
    }
    around = (char *)(((uintptr_t)around + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
    around[0] = 1;
    char *hole = around + HUGE / 2;
    if (mprotect(around, HUGE, PROT_READ) != 0 || munmap(hole, BYTES) != 0) {
        return 1;
    }
    for (long i = 0; i < count; i++) {
        char *pages = mmap(hole, BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (pages != hole) {
            return 1;
        }
        pages[0] = 1;
        munmap(pages, BYTES);
    }
    return 0;
}
