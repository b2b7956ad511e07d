/*
 * surroundings [wait]: what a program can see of itself: descriptors below 100, threads, children,
 * signals, limits, directory. Prints the same with and without silt. With "wait" it first makes
 * 1,000 blocks of 91 bytes and sleeps until a line comes on standard input.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) void *seen_block(void) {
    return malloc(91);
}

int main(int argc, char **argv, char **envp) {
    (void)argv;
    static void *volatile blocks[1000];
    for (int i = 0; i < 1000; i++) {
        blocks[i] = seen_block();
    }
    if (argc > 1) {
        char line[16];
        return read(0, line, sizeof line) < 0;
    }
    printf("descriptors:");
    for (int fd = 0; fd < 100; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            printf(" %d", fd);
        }
    }
    int lowest = dup(0), threads = 0;
    printf("\nlowest free: %d\n", lowest);
    close(lowest);
    DIR *tasks = opendir("/proc/self/task");
    while (tasks && readdir(tasks)) {
        threads++;
    }
    closedir(tasks);
    printf("threads: %d\n", threads - 2);
    errno = 0;
    pid_t child = waitpid(-1, NULL, WNOHANG);
    printf("wait: %d %s\n", (int)child, strerror(errno));
    sigset_t mask, pending;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigpending(&pending);
    printf("signals:");
    for (int signal = 1; signal < 65; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) == 0) {
            printf(" %d%d%d", sigismember(&mask, signal), sigismember(&pending, signal),
                   action.sa_handler == SIG_DFL   ? 0
                   : action.sa_handler == SIG_IGN ? 1
                                                  : 2);
        }
    }
    printf("\nlimits:");
    for (int which = 0; which < RLIM_NLIMITS; which++) {
        struct rlimit limit;
        getrlimit(which, &limit);
        printf(" %lu/%lu", (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
    }
    mode_t mode = umask(0);
    char *directory = get_current_dir_name();
    printf("\numask %o, directory %s, pending error %s, environ is envp: %d\n", (unsigned)mode,
           directory, dlerror() ? "yes" : "no", environ == envp);
    free(directory);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(getppid() == 0);
    }
    int status;
    printf("own child: %d", waitpid(-1, &status, 0) == pid && WIFEXITED(status));
    errno = 0;
    child = wait(NULL);
    printf(", then %d %s\n", (int)child, strerror(errno));
    return 0;
}
