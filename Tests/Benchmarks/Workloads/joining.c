/* joining COUNT: creates a thread and joins it, as often. */
#include <pthread.h>
#include <stdlib.h>

static void *nothing(void *argument) {
    return argument;
}

int main(int argc, char **argv) {
    long count = argc > 1 ? atol(argv[1]) : 100000;
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL)) {
            return 1;
        }
    }
    return 0;
}
