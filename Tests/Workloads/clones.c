/*
 * clones: children by clone(2) that share something with their parent, but not its memory; each
 * makes 100 blocks of 83 bytes and ends with status 3. One each by CLONE_FS, CLONE_IO and
 * CLONE_SYSVSEM; one by CLONE_FILES; one by CLONE_FILES and CLONE_PARENT, whose maker, a fork
 * child, makes 100 blocks before and after it. "done"
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) void *clone_block(void) {
    return malloc(83);
}

__attribute__((noinline)) static void allocate(void) {
    for (int i = 0; i < 100; i++) {
        void *volatile block = clone_block();
        free(block);
    }
}

static pid_t make(unsigned long flags) {
    pid_t child = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        allocate();
        _exit(3);
    }
    return child;
}

static void wait_for(int children) {
    int status = 0;
    while (children-- > 0) {
        if (wait(&status) < 0 || status != 3 << 8) {
            _exit(1);
        }
    }
}

int main(void) {
    allocate();
    make(CLONE_FS);
    make(CLONE_IO);
    make(CLONE_SYSVSEM);
    make(CLONE_FILES);
    wait_for(4);
    int ends[2];
    if (pipe(ends) != 0) {
        return 1;
    }
    pid_t maker = fork();
    if (maker == 0) {
        char byte;
        allocate();
        make(CLONE_FILES | CLONE_PARENT);
        if (read(ends[0], &byte, 1) != 1) { /* its end is known here only by its parent */
            _exit(1);
        }
        allocate();
        _exit(3);
    }
    wait_for(1);
    if (write(ends[1], "", 1) != 1) {
        return 1;
    }
    wait_for(1);
    allocate();
    puts("done");
    return 0;
}
