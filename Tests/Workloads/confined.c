/*
 * confined WAY: 200,000 blocks of 307 bytes, half of them freed, by a program that has little to do
 * it with: "seccomp" forbids itself to open, look at and make descriptors and to change signals,
 * "files N", "memory N", "data N", "size N", "stack N" run it again under that resource limit,
 * "endless" goes on for 5 s; "files N opens" does nothing else than to open as many files as it
 * may and select(2) can name: their number; "files N opens hard" where it may not raise that limit.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define REFUSE(call)                                                                               \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1),                                             \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static int confine(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        REFUSE(SYS_newfstatat),
        REFUSE(SYS_fcntl),
        REFUSE(SYS_socket),
        REFUSE(SYS_pipe2),
        REFUSE(SYS_rt_sigprocmask),
        REFUSE(SYS_rt_sigpending),
        REFUSE(SYS_ppoll),
        REFUSE(SYS_mmap),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

__attribute__((noinline)) void *confined_block(void) {
    return malloc(307);
}

static void work(int count) {
    static void *volatile last;
    for (int i = 0; i < count; i++) {
        last = confined_block();
        if (i % 2) {
            free(last);
        }
    }
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "";
    static const struct {
        const char *name;
        int which;
    } limits[] = {{"files", RLIMIT_NOFILE},
                  {"memory", RLIMIT_AS},
                  {"data", RLIMIT_DATA},
                  {"size", RLIMIT_FSIZE},
                  {"stack", RLIMIT_STACK}};
    for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (strcmp(way, limits[i].name) == 0) {
            struct rlimit limit;
            getrlimit(limits[i].which, &limit);
            limit.rlim_cur = strtoul(argv[2], NULL, 10);
            limit.rlim_max = argc == 4 ? limit.rlim_max : limit.rlim_cur;
            if (argc > 4) {
                prctl(PR_CAPBSET_DROP, 24 /* CAP_SYS_RESOURCE */); /* only root has it */
            }
            closefrom(3); /* what the caller left open would count */
            if (setrlimit(limits[i].which, &limit)) {
                return 2;
            }
            execl("/proc/self/exe", argv[0], argc > 3 ? argv[3] : "work", (char *)NULL);
            return 2;
        }
    }
    if (strcmp(way, "opens") == 0) {
        work(1);
        int count = 0, fd;
        while ((fd = open("/dev/null", O_RDONLY)) >= 0 && fd < FD_SETSIZE) {
            count++;
        }
        printf("%d\n", count);
        return 0;
    }
    if (strcmp(way, "seccomp") == 0) {
        void *volatile first = malloc(1);
        free(first);
        if (confine()) {
            return 2;
        }
    }
    if (strcmp(way, "endless") == 0) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        for (time_t until = now.tv_sec + 5; now.tv_sec < until;) {
            work(2000);
            clock_gettime(CLOCK_MONOTONIC, &now);
        }
    } else {
        work(200000);
    }
    errno = 0;
    const char text[] = "done\n";
    return write(1, text, sizeof text - 1) < 0;
}
