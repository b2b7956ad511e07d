// Programs that live beside others: `grow SECONDS` loses a touched megabyte every tenth of a
// second, `steady SECONDS` frees what it allocates, `exec PROGRAM …` becomes another, `init PROGRAM
// …` starts another and waits for it, `mute SECONDS` grows in a child that shares its parent's
// descriptors, which cannot be traced.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void live(int tenths, int grows) {
    for (int i = 0; i < tenths; i++) {
        char *volatile block = malloc(1 << 20);
        memset(block, 1, 1 << 20);
        if (!grows) {
            free(block);
        }
        usleep(100000);
    }
}

int main(int count, char **arguments) {
    if (count < 3) {
        return 2;
    }
    const char *way = arguments[1];
    int tenths = 10 * atoi(arguments[2]);
    if (!strcmp(way, "exec")) {
        execvp(arguments[2], arguments + 2);
        return 127;
    }
    if (!strcmp(way, "init") || !strcmp(way, "mute")) {
        long flags = SIGCHLD | (*way == 'm' ? CLONE_FILES : 0);
        long child = syscall(SYS_clone, flags, 0, 0, 0, 0);
        if (child == 0 && *way == 'm') {
            live(tenths, 1);
            _exit(0);
        }
        if (child == 0) {
            execvp(arguments[2], arguments + 2);
            _exit(127);
        }
        return waitpid((pid_t)child, NULL, 0) == child ? 0 : 1;
    }
    live(tenths, !strcmp(way, "grow"));
    return 0;
}
