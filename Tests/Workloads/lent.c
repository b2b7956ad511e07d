/*
 * lent WAY: who runs in memory that is not its own.
 *
 * process: a child by clone(2) with CLONE_VM maps, unmaps, protects, opens and closes while its
 * maker makes blocks of 89 bytes; 20,000 each. thread: the same by one with CLONE_THREAD that has
 * the thread pointer of its maker. daemon: a fork child whose vfork child allocates and maps before
 * it does, then 20,000 blocks in it. "done" in each
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMES 20000

static volatile int over;
static char *page;

__attribute__((noinline)) void *lent_block(void) {
    return malloc(89);
}

static void allocate(int count) {
    for (int i = 0; i < count; i++) {
        void *volatile block = lent_block();
        free(block);
    }
}

static int borrow(void *unused) {
    (void)unused;
    for (int i = 0; i < TIMES; i++) {
        void *there = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(there, 8192);
        mprotect(page, 4096, i % 2 ? PROT_READ : PROT_READ | PROT_EXEC);
        close(open("/dev/null", O_RDONLY));
    }
    over = 1;
    syscall(SYS_exit, 0);
    return 0;
}

static int lend(int flags) {
    size_t bytes = 256 << 10;
    char *stack = malloc(bytes);
    if (clone(borrow, stack + bytes, flags, NULL) < 0) {
        return 1;
    }
    for (int i = 0; i < TIMES || !over; i++) {
        allocate(i < TIMES);
        void *volatile other = malloc(50);
        free(other);
    }
    return 0;
}

__attribute__((noinline)) static void in_child(void) {
    allocate(1);
    mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    _exit(0);
}

static int daemon_of(void) {
    int status;
    pid_t daemon = fork();
    if (daemon == 0) {
        pid_t child = vfork();
        if (child == 0) {
            in_child();
        }
        waitpid(child, &status, 0);
        allocate(TIMES);
        _exit(0);
    }
    return waitpid(daemon, &status, 0) < 0 || status != 0;
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "";
    page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    free(malloc(1));
    int failed = 2;
    if (strcmp(way, "process") == 0) {
        failed = lend(CLONE_VM | SIGCHLD);
    } else if (strcmp(way, "thread") == 0) {
        failed =
            lend(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM);
    } else if (strcmp(way, "daemon") == 0) {
        failed = daemon_of();
    }
    if (failed) {
        return failed;
    }
    puts("done");
    return 0;
}
