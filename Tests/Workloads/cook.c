/* Uses pantry.c: one of two callers takes back what it put. */
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define STAY     __asm__ volatile("" ::: "memory")

void *pantry_put(void);
void pantry_take(void *block);

NOINLINE void forget_jar(void) {
    pantry_put();
    STAY;
}

NOINLINE void use_jar(void) {
    pantry_take(pantry_put());
    STAY;
}

int main(void) {
    for (int tick = 0; tick < 300; tick++) {
        forget_jar();
        use_jar();
        use_jar();
        usleep(10000);
    }
    return 0;
}
