/* killed_threads: eight processes one after the other that start 200 threads each, which wait, and
 * then kill themselves. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *wait_for_ever(void *argument) {
    free(malloc(10));
    for (;;) {
        pause();
    }
    return argument;
}

int main(void) {
    for (int process = 0; process < 8; process++) {
        pid_t child = fork();
        if (child == 0) {
            for (int number = 0; number < 200; number++) {
                pthread_t thread;
                if (pthread_create(&thread, NULL, wait_for_ever, NULL)) {
                    _exit(1);
                }
            }
            usleep(200000);
            raise(SIGKILL);
        }
        waitpid(child, NULL, 0);
    }
}
