/* Loads twin.c twice, as the modules that its arguments name: the first keeps, the second gives
 * back. */
#include <dlfcn.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 3) {
        return 2;
    }
    void *first = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    void *second = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
    if (!first || !second) {
        return 1;
    }
    void (*keeps)(int) = (void (*)(int))dlsym(first, "twin_call");
    void (*gives_back)(int) = (void (*)(int))dlsym(second, "twin_call");
    for (int tick = 0; tick < 300; tick++) {
        keeps(1);
        gives_back(0);
        usleep(10000);
    }
    return 0;
}
