/*
 * reaper COMMAND…: becomes a command, as a process that takes in orphans (PR_SET_CHILD_SUBREAPER).
 *
 * reaper: what it waits for by __WALL before it has started anything, and the status of an orphan
 * that it takes in later.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) static void *reaper_block(void) {
    return malloc(77);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        execvp(argv[1], argv + 1);
        return 2;
    }
    int takes_in = 0, status = 0;
    void *volatile block = reaper_block();
    free(block);
    prctl(PR_GET_CHILD_SUBREAPER, &takes_in);
    errno = 0;
    int waited = waitpid(-1, NULL, __WALL | WNOHANG);
    printf("takes in %d, waits for %d, errno %d\n", takes_in, waited, errno);
    fflush(stdout);
    int child = fork();
    if (child == 0) {
        if (fork() == 0) {
            while (getppid() == child) {
            }
            usleep(100000);
            _exit(7);
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
    waited = waitpid(-1, &status, __WALL);
    printf("an orphan %d, status %d, then %d\n", waited > 0 && waited != child, WEXITSTATUS(status),
           waitpid(-1, NULL, __WALL | WNOHANG));
    return 0;
}
