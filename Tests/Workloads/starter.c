/* Fails to start a program, which must leave no child; then starts one in a group of its own,
 * prints its process id, and is killed. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "silt_process.h"

int main(void) {
    char *arguments[] = {"sleep", "62", NULL};
    struct silt_start start = {.input = -1, .output = -1, .errors = -1, .own_group = 1};
    start.directory = "/nowhere";
    if (silt_spawn_as(arguments, environ, &start) != -1 || errno != ENOENT) {
        return 1;
    }
    if (waitpid(-1, NULL, 0) != -1 || errno != ECHILD) {
        return 2;
    }
    start.directory = NULL;
    printf("%d\n", silt_spawn_as(arguments, environ, &start));
    fflush(stdout);
    return kill(getpid(), SIGKILL);
}
