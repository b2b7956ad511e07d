/*
 * guests WAY: what a program may do to silt that must not harm the program.
 *
 * vforks:  eight threads whose first allocation is that of their vfork(2) child, then 100,000
 * blocks of 71 bytes in each, while eight others come; "done" stopped: stops its parent, the
 * analyzer; 600 fork children allocate, then it goes on; "done" slowed: the same with 1,500, and
 * the analyzer runs for 2 ms of 300; "in time" if they end within 15 s, "done" little PROGRAM:
 * starts PROGRAM with 1,500 variables in a thread of PTHREAD_STACK_MIN, and in a handler on an
 * alternate stack of 8 KiB, by posix_spawn and by execve; their statuses filtered PROGRAM: the same
 * under a seccomp filter that allows everything
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((noinline)) void *guest_block(void) {
    return malloc(71);
}

__attribute__((noinline)) static void allocate(int count) {
    for (int i = 0; i < count; i++) {
        void *volatile block = guest_block();
        free(block);
        block = malloc(16);
        free(block);
    }
}

static volatile int started;

__attribute__((noinline)) static void in_child(void) {
    allocate(1);
    _exit(0);
}

static void *after_vfork(void *unused) {
    pid_t child = vfork();
    if (child == 0) {
        in_child();
    }
    waitpid(child, NULL, 0);
    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
    while (started < 8) {
        usleep(100);
    }
    allocate(100000);
    return unused;
}

static void *without_vfork(void *unused) {
    while (started < 8) {
        usleep(100);
    }
    allocate(100000);
    return unused;
}

static void vforks(void) {
    pthread_t threads[16];
    for (int i = 0; i < 16; i++) {
        pthread_create(&threads[i], NULL, i < 8 ? after_vfork : without_vfork, NULL);
    }
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void have_children(int count) {
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) {
            allocate(1);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
}

static void stopped(void) {
    allocate(1);
    kill(getppid(), SIGSTOP);
    have_children(600);
    kill(getppid(), SIGCONT);
}

static void slowed(void) {
    pid_t analyzer = getppid(), slower = fork();
    if (slower == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            kill(analyzer, SIGSTOP);
            usleep(298000);
            kill(analyzer, SIGCONT);
            usleep(2000);
        }
    }
    usleep(100000);
    allocate(1);
    time_t begun = time(NULL);
    have_children(1500);
    if (time(NULL) - begun <= 15) {
        puts("in time");
    }
    kill(slower, SIGKILL);
    waitpid(slower, NULL, 0);
    kill(analyzer, SIGCONT);
}

/* `large_frame` ends in a call, so that the address behind it is that of a caller. */
__asm__(".text\n"
        ".type large_frame, @function\n"
        "large_frame:\n"
        ".cfi_startproc\n"
        "subq $4088, %rsp\n"
        ".cfi_def_cfa_offset 4096\n"
        "call abort\n"
        ".globl behind_large_frame\n"
        "behind_large_frame:\n"
        ".cfi_endproc\n"
        ".size large_frame, .-large_frame\n"
        ".type swap_stacks, @function\n"
        ".globl swap_stacks\n"
        "swap_stacks:\n"
        ".cfi_startproc\n"
        "pushq %rbp\n"
        "pushq %rbx\n"
        "pushq %r12\n"
        "pushq %r13\n"
        "pushq %r14\n"
        "pushq %r15\n"
        "movq %rsp, (%rdi)\n"
        "movq %rsi, %rsp\n"
        "popq %r15\n"
        "popq %r14\n"
        "popq %r13\n"
        "popq %r12\n"
        "popq %rbx\n"
        "popq %rbp\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size swap_stacks, .-swap_stacks\n");
extern const char behind_large_frame[];
void swap_stacks(void **from, void *to);
static void *of_program, *of_coroutine;

static void coroutine(void) {
    for (;;) {
        allocate(1);
        swap_stacks(&of_coroutine, of_program);
    }
}

static void beyond(void) {
    for (int stack = 0; stack < 40; stack++) {
        char *memory =
            mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        void **top = (void **)(void *)(memory + 2 * 4096);
        mprotect(top, 4096, PROT_NONE);
        *--top = (void *)behind_large_frame;
        *--top = (void *)coroutine;
        of_coroutine = top - 6;
        for (int i = 0; i < 100; i++) {
            swap_stacks(&of_program, of_coroutine);
        }
        if (stack % 2) {
            munmap(memory, 3 * 4096);
        }
    }
}

static char *program;

static void *start(void *unused) {
    char *arguments[] = {program, NULL};
    for (int spawns = 0; spawns < 2; spawns++) {
        pid_t child = 0;
        int status = 0, error = 0;
        if (spawns) {
            error = posix_spawn(&child, program, NULL, NULL, arguments, environ);
        } else if ((child = vfork()) == 0) {
            execve(program, arguments, environ);
            _exit(77);
        }
        waitpid(child, &status, 0);
        char line[] = "0 00\n";
        line[0] += error != 0;
        line[2] += status >> 8 & 15;
        line[3] += status & 7;
        if (write(1, line, 5) != 5) {
            _exit(2);
        }
    }
    return unused;
}

static void handle(int signal) {
    (void)signal;
    start(NULL);
}

static void little(bool filtered) {
    for (int i = 0; i < 1500; i++) {
        char name[32];
        snprintf(name, sizeof name, "VARIABLE_%d", i);
        setenv(name, "x", 1);
    }
    allocate(1);
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog filter = {1, &allow};
    if (filtered && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
                     prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))) {
        _exit(3);
    }
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
    pthread_create(&thread, &attributes, start, NULL);
    pthread_join(thread, NULL);
    char *memory =
        mmap(NULL, 4096 + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(memory, 4096, PROT_NONE);
    stack_t stack = {.ss_sp = memory + 4096, .ss_size = 8192};
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "";
    if (strcmp(way, "vforks") == 0) {
        vforks();
    } else if (strcmp(way, "stopped") == 0) {
        stopped();
    } else if (strcmp(way, "slowed") == 0) {
        slowed();
    } else if (strcmp(way, "beyond") == 0) {
        beyond();
    } else if (argc > 2) {
        program = argv[2];
        little(strcmp(way, "filtered") == 0);
    } else {
        return 2;
    }
    puts("done");
    return 0;
}
