/*
 * sandboxes WAY: 30,000 blocks of 67 bytes by a program that forbids itself system calls first.
 *
 * strict-prctl, strict-seccomp: seccomp(2)'s strict mode; ends with 0 after "strict done"
 * filter-prctl: a filter that kills the process for anything but what its own calls need: brk,
 *          mmap, munmap, mremap, futex, write and exit. A second thread, which has allocated
 * before, allocates too filter-seccomp: the same by syscall(3), for all threads at once, without
 * memory calls closed:  the same by syscall(3), without futex either fork:    a filter that allows
 * what fork and wait take besides; three children allocate refused: a filter that cannot be
 * installed (its address is bad): everything goes on starts:  a filter that kills for memfd_create,
 * socket and connect, as few programs need them; then programs are started in each way, with
 * variables of before and after, the first by a vfork(2) child that does so before its parent
 * dispatch: system calls outside of the C library raise SIGSYS (PR_SET_SYSCALL_USER_DISPATCH)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS 30000

static int on, off;

__attribute__((noinline)) void *sandboxed_block(void) {
    return malloc(67);
}

__attribute__((noinline)) static void work(void) {
    for (int i = 0; i < BLOCKS; i++) {
        void *volatile block = sandboxed_block();
        free(block);
        block = malloc(16);
        free(block);
    }
}

#define ALLOW(call)                                                                                \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

enum { MEMORY = 1, FUTEX = 2, FORK = 4 };

static int confine(bool by_prctl, int allowed) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(allowed & MEMORY ? SYS_brk : SYS_write),
        ALLOW(allowed & MEMORY ? SYS_mmap : SYS_write),
        ALLOW(allowed & MEMORY ? SYS_munmap : SYS_write),
        ALLOW(allowed & MEMORY ? SYS_mremap : SYS_write),
        ALLOW(allowed & FUTEX ? SYS_futex : SYS_write),
        ALLOW(SYS_write),
        ALLOW(SYS_exit_group),
        ALLOW(allowed & FORK ? SYS_clone : SYS_write),
        ALLOW(allowed & FORK ? SYS_wait4 : SYS_write),
        ALLOW(allowed & FORK ? SYS_set_robust_list : SYS_write),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        return -1;
    }
    return by_prctl ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)
                    : (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                                   &program);
}

static int forbid_starts(void) {
    static const unsigned calls[] = {SYS_memfd_create, SYS_socket, SYS_connect};
    struct sock_filter filter[8] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short count = 1;
    for (unsigned i = 0; i < 3; i++) {
        filter[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
        filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    }
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {count, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int start_programs(void) {
    char *arguments[] = {"sh", "-c", "echo $1; env | grep -c LD_PRELOAD", "sh", "", NULL};
    char *before[1024] = {NULL};
    for (unsigned i = 0; environ[i] && i < 1023; i++) {
        before[i] = environ[i];
    }
    int status;
    pid_t child = vfork();
    if (child == 0) {
        arguments[4] = "executed by a child that forbids it itself";
        if (forbid_starts() == 0) {
            execve("/bin/sh", arguments, before);
        }
        _exit(77);
    }
    waitpid(child, &status, 0);
    printf("%x\n", (unsigned)status);
    fflush(stdout);
    if (forbid_starts()) {
        return 2;
    }
    arguments[4] = "spawned";
    int error = posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, before);
    waitpid(child, &status, 0);
    printf("%d %x\n", error, (unsigned)status);
    printf("%x\n", (unsigned)system("echo by a shell"));
    fflush(stdout);
    for (int i = 0; i < 2; i++) {
        child = i ? vfork() : fork();
        if (child == 0) {
            arguments[4] = "executed";
            execve("/bin/sh", arguments, i ? before : environ);
            _exit(77);
        }
        waitpid(child, &status, 0);
        printf("%x\n", (unsigned)status);
        fflush(stdout);
    }
    return execl("/bin/echo", "echo", "itself", NULL);
}

static volatile char blocks_calls;
static uintptr_t libc_start, libc_bytes;

static int find_libc(struct dl_phdr_info *info, size_t bytes, void *unused) {
    (void)bytes, (void)unused;
    for (int i = 0; strstr(info->dlpi_name, "/libc.so") && i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            libc_start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            libc_bytes = info->dlpi_phdr[i].p_memsz;
        }
    }
    return 0;
}

static void count_call(int signal) {
    (void)signal;
    on++;
}

static int dispatch(void) {
    signal(SIGSYS, count_call);
    dl_iterate_phdr(find_libc, NULL);
    if (prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 1, libc_start, libc_bytes, &blocks_calls)) {
        return 2;
    }
    blocks_calls = 1;
    work();
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *moved = mremap(page, 4096, 8192, MREMAP_MAYMOVE);
    bool maps = page != MAP_FAILED && moved != MAP_FAILED && munmap(moved, 8192) == 0;
    int status = system("echo by a shell");
    blocks_calls = 0;
    printf("maps %d, status %d, signals %d\n", maps, status, on);
    return 0;
}

static pthread_barrier_t ready;

static void *second(void *unused) {
    (void)unused;
    work();
    pthread_barrier_wait(&ready);
    while (!__atomic_load_n(&on, __ATOMIC_ACQUIRE)) {
    }
    work();
    __atomic_store_n(&off, 1, __ATOMIC_RELEASE);
    for (;;) {
        syscall(SYS_futex, &on, 0, 1, NULL, NULL, 0);
    }
    return NULL;
}

static int say(const char *text) {
    return write(1, text, strlen(text)) < 0;
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "";
    pthread_t thread;
    void *volatile early = malloc(1 << 20);
    free(early);
    if (strncmp(way, "strict", 6) == 0) {
        work();
        long entered = strcmp(way, "strict-prctl") == 0
                           ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)
                           : syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
        if (entered) {
            return 2;
        }
        for (int i = 0; i < 3; i++) {
            work();
        }
        say("strict done\n");
        syscall(SYS_exit, 0);
    }
    if (strncmp(way, "filter", 6) == 0) {
        pthread_barrier_init(&ready, NULL, 2);
        pthread_create(&thread, NULL, second, NULL);
        work();
        pthread_barrier_wait(&ready);
        bool by_prctl = strcmp(way, "filter-prctl") == 0;
        if (confine(by_prctl, by_prctl ? MEMORY | FUTEX : FUTEX)) {
            return 2;
        }
        __atomic_store_n(&on, 1, __ATOMIC_RELEASE);
        work();
        while (!__atomic_load_n(&off, __ATOMIC_ACQUIRE)) {
        }
        say("filter done\n");
        syscall(SYS_exit_group, 0);
    }
    if (strcmp(way, "starts") == 0) {
        return start_programs();
    }
    if (strcmp(way, "dispatch") == 0) {
        return dispatch();
    }
    if (strcmp(way, "closed") == 0) {
        work();
        if (confine(false, 0)) {
            return 2;
        }
        work();
        say("closed done\n");
        syscall(SYS_exit_group, 0);
    }
    if (strcmp(way, "fork") == 0) {
        if (confine(true, MEMORY | FUTEX | FORK)) {
            return 2;
        }
        for (int i = 0; i < 3; i++) {
            pid_t child = fork();
            if (child == 0) {
                work();
                syscall(SYS_exit_group, 7);
            }
            int status;
            if (waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
                WEXITSTATUS(status) != 7) {
                say("a child did not end well\n");
            }
        }
        work();
        say("fork done\n");
        syscall(SYS_exit_group, 0);
    }
    if (strcmp(way, "refused") == 0) {
        struct sock_filter unknown = {0xffff, 0, 0, 0};
        struct sock_fprog wrong = {1, &unknown};
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &wrong) != -1 || errno != EINVAL ||
            syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL) != -1 ||
            prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 1, 1ul, ~0ul, 0) != -1) {
            return 1;
        }
        int failed = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1 && errno == EFAULT;
        failed += syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == -1 && errno == EFAULT;
        pid_t child = fork();
        if (child == 0) {
            work();
            _exit(7);
        }
        waitpid(child, NULL, 0);
        work();
        printf("refused %d\n", failed);
    }
    return 0;
}
