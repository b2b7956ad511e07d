/*
 * processes WAY N: N children by WAY, each makes 500 blocks of 137 bytes and frees 200, then ends
 * with status 3. Meanwhile 3 threads allocate without a pause. The parent fails if a child does not
 * end so. "child" is what exec'd children run, "chain" executes itself N times, "endings" see
 * end().
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static const char *self;
static volatile int stop;

__attribute__((noinline)) void *child_block(void) {
    return malloc(137);
}

static void child_work(void) {
    static void *volatile blocks[500];
    for (int i = 0; i < 500; i++) {
        blocks[i] = child_block();
    }
    for (int i = 0; i < 200; i++) {
        free(blocks[i]);
    }
}

static void *allocate(void *argument) {
    while (!stop) {
        for (int i = 1; i < 100; i++) {
            void *volatile block = malloc((size_t)i * 10);
            free(block);
        }
    }
    return argument;
}

static int run_child(void *argument) {
    (void)argument;
    child_work();
    _exit(3);
}

static pid_t start(const char *way, char *const *environment) {
    char *arguments[] = {(char *)self, "child", NULL};
    pid_t pid = -1;
    if (strcmp(way, "fork") == 0) {
        pid = fork();
        if (pid == 0) {
            run_child(NULL);
        }
    } else if (strcmp(way, "_Fork") == 0) {
        pid = _Fork();
        if (pid == 0) {
            run_child(NULL);
        }
    } else if (strcmp(way, "vfork") == 0) {
        pid = vfork();
        if (pid == 0) {
            execve(self, arguments, environment);
            _exit(9);
        }
    } else if (strcmp(way, "spawn") == 0) {
        if (posix_spawn(&pid, self, NULL, NULL, arguments, environment) != 0) {
            return -1;
        }
    } else if (strcmp(way, "clone") == 0) {
        static char stack[1 << 16];
        pid = clone(run_child, stack + sizeof stack, SIGCHLD, NULL);
    } else if (strcmp(way, "syscall") == 0) {
        pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) {
            run_child(NULL);
        }
    }
    return pid;
}

/* Ways in which a process ends, after its 500 blocks. */
static void end(const char *way) {
    child_work();
    if (strcmp(way, "_exit") == 0) {
        _exit(3);
    } else if (strcmp(way, "quick_exit") == 0) {
        quick_exit(3);
    } else if (strcmp(way, "abort") == 0) {
        abort();
    } else if (strcmp(way, "segv") == 0) {
        raise(SIGSEGV);
    } else if (strcmp(way, "kill") == 0) {
        kill(getpid(), SIGKILL);
    } else if (strcmp(way, "thread") == 0) {
        /* The first thread ends before the others. */
        pthread_t thread;
        pthread_create(&thread, NULL, (void *(*)(void *))run_child, NULL);
        pthread_exit(NULL);
    }
}

int main(int argc, char **argv) {
    static char full[4096];
    self = realpath(argv[0], full);
    const char *way = argc > 1 ? argv[1] : "fork";
    int count = argc > 2 ? atoi(argv[2]) : 1;
    if (strcmp(way, "child") == 0) {
        child_work();
        return 3;
    }
    if (strcmp(way, "end") == 0) {
        end(argv[2]);
        return 3;
    }
    if (strcmp(way, "chain") == 0) {
        child_work();
        char left[16];
        snprintf(left, sizeof left, "%d", count - 1);
        if (count > 1) {
            execl(self, self, "chain", left, (char *)NULL);
        }
        return 3;
    }
    int bare = strncmp(way, "bare-", 5) == 0; /* children get an empty environment */
    char *nothing[] = {NULL};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        pthread_create(&threads[i], NULL, allocate, NULL);
    }
    int failed = 0;
    for (int i = 0; i < count; i++) {
        int status;
        pid_t pid = start(bare ? way + 5 : way, bare ? nothing : environ);
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
            WEXITSTATUS(status) != 3) {
            failed++;
        }
    }
    stop = 1;
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%d failed\n", failed);
    return failed != 0;
}
