/* Holds 400 KB, then becomes another image of itself by exec, which leaves 3 KB behind. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile kept[1000];

__attribute__((noinline)) void before_exec(void) {
    for (int i = 0; i < 1000; i++) {
        kept[i] = memset(malloc(401), 1, 401);
    }
}

__attribute__((noinline)) void after_exec(void) {
    for (int i = 0; i < 10; i++) {
        kept[i] = memset(malloc(307), 1, 307);
    }
}

int main(int argc, char **argv) {
    if (argc == 1) {
        before_exec();
        usleep(300000);
        execl("/proc/self/exe", argv[0], "again", (char *)0);
        return 1;
    }
    after_exec();
    usleep(300000);
    return 0;
}
