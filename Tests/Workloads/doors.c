/* doors.c: FOLDER [user | empty]: starts FOLDER/DOOR through each door by which a program can be
 * started, one after another, as another user or with an empty environment if that is asked for.
 * Prints the door's name and how it ended where that is not status 0. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char path[4096];
static const char *name;
static char **variables;

static int by_execve(void) {
    char *arguments[] = {path, NULL};
    return execve(path, arguments, variables);
}
static int by_execv(void) {
    char *arguments[] = {path, NULL};
    return execv(path, arguments);
}
static int by_execvp(void) {
    char *arguments[] = {path, NULL};
    return execvp(name, arguments);
}
static int by_execvpe(void) {
    char *arguments[] = {path, NULL};
    return execvpe(name, arguments, variables);
}
static int by_execl(void) {
    return execl(path, path, (char *)NULL);
}
static int by_execle(void) {
    return execle(path, path, (char *)NULL, variables);
}
static int by_execlp(void) {
    return execlp(name, path, "1", "2", "3", "4", "5", "6", "7", (char *)NULL);
}
static int by_fexecve(void) {
    char *arguments[] = {path, NULL};
    return fexecve(open(path, O_RDONLY | O_CLOEXEC), arguments, variables);
}
static int by_execveat(void) {
    char *arguments[] = {path, NULL};
    *strrchr(path, '/') = 0;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return execveat(folder, name, arguments, variables, 0);
}
static int status_of(pid_t pid) {
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}
static int by_posix_spawn(void) {
    char *arguments[] = {path, NULL};
    pid_t pid;
    errno = posix_spawn(&pid, path, NULL, NULL, arguments, variables);
    return errno ? -1 : status_of(pid);
}
static int by_posix_spawnp(void) {
    char *arguments[] = {path, NULL};
    pid_t pid;
    errno = posix_spawnp(&pid, name, NULL, NULL, arguments, variables);
    return errno ? -1 : status_of(pid);
}
static int by_vfork(void) {
    char *arguments[] = {path, NULL};
    char **before = environ;
    char *first = *environ;
    pid_t pid = vfork();
    if (pid == 0) {
        execve("/nonexistent/program", arguments, variables);
        execve(path, arguments, variables);
        _exit(127);
    }
    return environ == before && *environ == first ? status_of(pid) : 101;
}
static int by_system(void) {
    return system(path);
}
static int by_popen(void) {
    FILE *pipe = popen(path, "r");
    return pipe ? pclose(pipe) : -1;
}
static int by_raw_call(void) {
    char *arguments[] = {path, NULL};
    return (int)syscall(SYS_execve, path, arguments, variables);
}

static const struct {
    const char *name;
    int (*open)(void);
} doors[] = {
    {"execve", by_execve},
    {"execv", by_execv},
    {"execvp", by_execvp},
    {"execvpe", by_execvpe},
    {"execl", by_execl},
    {"execle", by_execle},
    {"execlp", by_execlp},
    {"fexecve", by_fexecve},
    {"execveat", by_execveat},
    {"posix_spawn", by_posix_spawn},
    {"posix_spawnp", by_posix_spawnp},
    {"vfork", by_vfork},
    {"system", by_system},
    {"popen", by_popen},
    {"raw", by_raw_call},
};

static void prepare(const char *folder, const char *how) {
    static char search[4096 + 8];
    static char *only[] = {search, NULL};
    snprintf(search, sizeof search, "PATH=%s", folder);
    if (strcmp(how, "empty") == 0) {
        clearenv();
        variables = only;
    }
    putenv(search);
    if (strcmp(how, "empty") != 0) {
        variables = environ;
    }
    if (strcmp(how, "user") == 0 &&
        (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)) {
        _exit(98);
    }
}

int main(int count, char **arguments) {
    for (unsigned i = 0; count > 1 && i < sizeof doors / sizeof *doors; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            name = doors[i].name;
            snprintf(path, sizeof path, "%s/%s", arguments[1], name);
            prepare(arguments[1], count > 2 ? arguments[2] : "");
            int status = doors[i].open();
            _exit(status < 0 ? 99 : status);
        }
        int status = status_of(pid);
        if (status) {
            printf("%s: %d\n", doors[i].name, status);
        }
    }
    return 0;
}
