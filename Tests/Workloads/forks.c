/* forks N: N children, each makes 1,000 blocks of 123 bytes and frees 400; every third ends by
 * _exit inside a vfork sibling. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) void child_work(void) {
    void *blocks[1000];
    for (int i = 0; i < 1000; i++) {
        blocks[i] = malloc(123);
    }
    for (int i = 0; i < 400; i++) {
        free(blocks[i]);
    }
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 10;
    void *volatile before = malloc(321);
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            child_work();
            free(before);
            if (i % 3 == 0 && vfork() == 0) {
                _exit(0);
            }
            _exit(3);
        }
        int status;
        waitpid(pid, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 3) {
            return 1;
        }
    }
    free(before);
    return 0;
}
