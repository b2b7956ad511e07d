/*
 * seccomp.c: prctl and syscall as the program calls them: what it is about to forbid itself.
 *
 * After seccomp(2)'s strict mode any system call of ours would end the program, so recording stops
 * before. Under a filter of its own it may forbid anything: from then on silt lives on memory it
 * has, on futex(2), and on more memory if the filter gives it; its fork children are not recorded.
 * A filter without futex counts as strict mode. A filter that was there at start does not matter:
 * it allowed the start. A filter installed by a bare instruction is not seen. Where a filter
 * forbids what a new image does to be traced, programs that this one starts do not find the
 * library.
 */
#define _GNU_SOURCE
#include "careful.h"
#include "descriptors.h"
#include "filter.h"
#include "follow.h"
#include "hooks.h"
#include "image.h"
#include "lent.h"
#include "real.h"
#include "sandbox.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a call does to the process. */
enum step { NOTHING, STRICT, FILTER, DISPATCH };

/* A step under way, and what it leaves silt. */
struct change {
    enum step step;
    unsigned allowed; /* of a filter */
    bool ends;        /* recording, unless the kernel refuses it */
    struct silt_pause pause;
};

static enum step step_of_seccomp(unsigned long operation) {
    return operation == SECCOMP_SET_MODE_STRICT   ? STRICT
           : operation == SECCOMP_SET_MODE_FILTER ? FILTER
                                                  : NOTHING;
}

static enum step step_of_prctl(int option, unsigned long mode) {
    if (option == PR_SET_SYSCALL_USER_DISPATCH) {
        return mode == PR_SYS_DISPATCH_ON ? DISPATCH : NOTHING;
    }
    return option != PR_SET_SECCOMP      ? NOTHING
           : mode == SECCOMP_MODE_STRICT ? STRICT
           : mode == SECCOMP_MODE_FILTER ? FILTER
                                         : NOTHING;
}

/* A call that silt makes. WORD stands for the address of some_word. */
struct call {
    enum silt_allowed needed_for;
    long number;
    uint64_t arguments[6];
};
static uint32_t some_word;
#define WORD (~0ull - 1)

#define NEW_PAGES MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
static const struct call calls[] = {
    {SILT_ALLOWS_FUTEX, SYS_futex, {WORD, FUTEX_WAIT, 1, WORD}},
    {SILT_ALLOWS_FUTEX, SYS_futex, {WORD, FUTEX_WAKE, 1}},
    {SILT_ALLOWS_FUTEX, SYS_futex, {WORD, FUTEX_WAIT_PRIVATE, 0, WORD}}, /* careful.h */
    {SILT_ALLOWS_MAPS, SYS_mmap, {0, 1 << 20, PROT_READ | PROT_WRITE, NEW_PAGES, ~0ull}},
    {SILT_ALLOWS_MAPS, SYS_munmap, {WORD, 1 << 20}},
    {SILT_ALLOWS_MAPS, SYS_mremap, {WORD, 1 << 20, 2 << 20, MREMAP_MAYMOVE}},
    /* follow.c, programs.c */
    {SILT_ALLOWS_STARTS, SYS_faccessat, {(uint64_t)AT_FDCWD, WORD, X_OK}},
    {SILT_ALLOWS_STARTS, SYS_newfstatat, {(uint64_t)AT_FDCWD, WORD, WORD}},
    {SILT_ALLOWS_STARTS, SYS_openat, {(uint64_t)AT_FDCWD, WORD, O_RDONLY | O_CLOEXEC}},
    {SILT_ALLOWS_STARTS, SYS_pread64, {3, WORD, 64}},
    {SILT_ALLOWS_STARTS, SYS_readlink, {WORD, WORD, 64}},
    {SILT_ALLOWS_STARTS, SYS_fgetxattr, {3, WORD, WORD, 64}},
    {SILT_ALLOWS_STARTS, SYS_getuid, {0}},
    {SILT_ALLOWS_STARTS, SYS_geteuid, {0}},
    {SILT_ALLOWS_STARTS, SYS_getgid, {0}},
    {SILT_ALLOWS_STARTS, SYS_getegid, {0}},
    {SILT_ALLOWS_STARTS, SYS_close, {3}},
    /* scratch.c */
    {SILT_ALLOWS_STARTS, SYS_prctl, {PR_GET_TID_ADDRESS, WORD}},
    {SILT_ALLOWS_STARTS, SYS_set_tid_address, {WORD}},
    /* own.c, hello.c, memory.c, start.c */
    {SILT_ALLOWS_STARTS, SYS_prlimit64, {0, RLIMIT_NOFILE, 0, WORD}},
    {SILT_ALLOWS_STARTS, SYS_prlimit64, {0, RLIMIT_NOFILE, WORD, 0}},
    {SILT_ALLOWS_STARTS, SYS_prctl, {PR_GET_SECCOMP}},
    {SILT_ALLOWS_STARTS, SYS_prctl, {PR_GET_NAME, WORD}},
    {SILT_ALLOWS_STARTS, SYS_getrandom, {WORD, 8}},
    {SILT_ALLOWS_STARTS, SYS_getpid, {0}},
    {SILT_ALLOWS_STARTS, SYS_getppid, {0}},
    {SILT_ALLOWS_STARTS, SYS_gettid, {0}},
    {SILT_ALLOWS_STARTS, SYS_open, {WORD, O_RDONLY | O_CLOEXEC}},
    {SILT_ALLOWS_STARTS, SYS_read, {3, WORD, 64}},
    {SILT_ALLOWS_STARTS, SYS_getcwd, {WORD, 64}},
    {SILT_ALLOWS_STARTS, SYS_memfd_create, {WORD, MFD_CLOEXEC | MFD_ALLOW_SEALING}},
    {SILT_ALLOWS_STARTS, SYS_ftruncate, {3, 1 << 20}},
    {SILT_ALLOWS_STARTS, SYS_fcntl, {3, F_ADD_SEALS}},
    {SILT_ALLOWS_STARTS, SYS_fcntl, {3, F_DUPFD_CLOEXEC, FD_SETSIZE}},
    {SILT_ALLOWS_STARTS, SYS_mmap, {0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, 3}},
    {SILT_ALLOWS_STARTS, SYS_madvise, {WORD, 4096, MADV_DONTFORK}},
    {SILT_ALLOWS_STARTS, SYS_mprotect, {WORD, 4096, PROT_NONE}},
    {SILT_ALLOWS_STARTS, SYS_socket, {AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC}},
    {SILT_ALLOWS_STARTS, SYS_connect, {3, WORD, 110}},
    {SILT_ALLOWS_STARTS, SYS_getsockopt, {3, SOL_SOCKET, SO_PEERCRED, WORD, WORD}},
    {SILT_ALLOWS_STARTS, SYS_sendmsg, {3, WORD, MSG_NOSIGNAL}},
    {SILT_ALLOWS_STARTS, SYS_pipe2, {WORD, O_CLOEXEC | O_NONBLOCK}},
    {SILT_ALLOWS_STARTS, SYS_rt_sigprocmask, {SIG_SETMASK, WORD, WORD, 8}},
    {SILT_ALLOWS_STARTS, SYS_ppoll, {WORD, 1, WORD, 0, 8}},
    {SILT_ALLOWS_STARTS, SYS_tgkill, {1000, 1000, 0}},
};

/* The silt_allowed of a filter. */
static unsigned allowed_by(const struct sock_fprog *program) {
    unsigned allowed = SILT_ALLOWS_MAPS | SILT_ALLOWS_FUTEX | SILT_ALLOWS_STARTS;
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        uint64_t arguments[6];
        for (unsigned k = 0; k < 6; k++) {
            uint64_t argument = calls[i].arguments[k];
            arguments[k] = argument == WORD ? (uintptr_t)&some_word : argument;
        }
        if (allowed & calls[i].needed_for &&
            !silt_filter_allows(program, calls[i].number, arguments)) {
            allowed &= ~(unsigned)calls[i].needed_for;
        }
    }
    bool starts = (allowed & SILT_ALLOWS_MAPS) && (allowed & SILT_ALLOWS_FUTEX);
    return starts ? allowed : allowed & ~(unsigned)SILT_ALLOWS_STARTS;
}

static bool ends_recording(enum step step, unsigned allowed) {
    return step == STRICT || step == DISPATCH || !(allowed & SILT_ALLOWS_FUTEX);
}

/* Before the program takes that step, which the kernel may refuse. What a vfork child forbids
 * itself concerns what it executes, and not its parent. `frame` is that of the hook. */
static struct change prepare(enum step step, const struct sock_fprog *program, const void *frame) {
    const struct change none = {.step = NOTHING};
    if (step == NOTHING || (step == FILTER && !silt_filter_is_there(program))) {
        return none;
    }
    if (silt_is_borrowed()) {
        if (step == FILTER && !(allowed_by(program) & SILT_ALLOWS_STARTS)) {
            silt_sandbox_enter_child();
        }
        return none;
    }
    /* What is taken at the first event of a process and of a thread. */
    uint32_t before;
    if (!silt_is_filtered() && silt_enter(frame, &before)) {
        silt_leave(before);
    }
    /* The kernel refuses strict mode under a filter. */
    if (step == STRICT && (silt_is_filtered() || silt_call(SYS_prctl, PR_GET_SECCOMP) != 0)) {
        return none;
    }
    struct change change = {.step = step};
    if (step == FILTER) {
        change.allowed = allowed_by(program);
    }
    change.ends = ends_recording(step, change.allowed);
    if (change.ends) {
        change.pause = silt_pause_recording();
    }
    if (step == FILTER) {
        silt_sandbox_enter(change.allowed);
    } else if (step == DISPATCH) {
        silt_sandbox_dispatch(true);
    }
    return change;
}

/* What the kernel refused is not there. */
static void conclude(struct change change, long result) {
    bool refused = result == -1;
    if (change.step == FILTER && refused) {
        silt_sandbox_leave(change.allowed);
    } else if (change.step == DISPATCH && refused) {
        silt_sandbox_dispatch(false);
    } else if (change.step == FILTER && silt_forbids_starts()) {
        silt_follow_stop();
        if (*silt_live || change.pause.live) {
            silt_shared->starts_filtered = 1;
        }
    }
    if (change.ends) {
        silt_conclude_pause(change.pause, !refused, SILT_OFF_STRICT);
    }
}

SILT_EXPORT int prctl(int option, ...) {
    va_list list;
    unsigned long a[4];
    va_start(list, option);
    for (unsigned i = 0; i < 4; i++) {
        a[i] = va_arg(list, unsigned long);
    }
    va_end(list);
    const struct sock_fprog *program = (const void *)a[1];
    struct change change =
        prepare(step_of_prctl(option, a[0]), program, __builtin_frame_address(0));
    int result = (int)SILT_FORWARD(prctl, (option, a[0], a[1], a[2], a[3]),
                                   silt_call(SYS_prctl, option, a[0], a[1], a[2], a[3]));
    conclude(change, result);
    return result;
}

/* The system calls that matter. */
static __attribute__((used)) long watched(long number, long a, long b, long c, long d, long e,
                                          long f) __asm__("silt_watched_call");

static long watched(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    bool given = false;
    const void *frame = __builtin_frame_address(0);
    if (silt_descriptor_call(number, a, b, c, frame, &given, &result)) {
        return result;
    }
    enum step step = number == SYS_seccomp ? step_of_seccomp((unsigned long)a)
                     : number == SYS_prctl ? step_of_prctl((int)a, (unsigned long)b)
                                           : NOTHING;
    const struct sock_fprog *program = (const void *)c;
    struct change change = prepare(step, program, frame);
    result = SILT_FORWARD(syscall, (number, a, b, c, d, e, f), silt_call(number, a, b, c, d, e, f));
    conclude(change, result);
    silt_descriptor_called(number, a, b, frame, given, result);
    return result;
}

/* By a call that makes processes: clone, vfork, clone3. What `a` points to may not be there. */
static __attribute__((used)) void lends(long number, uint64_t a) __asm__("silt_lends_by_call");

static void lends(long number, uint64_t a) {
    if (number == SYS_clone) {
        silt_lend(a);
    } else if (number == SYS_vfork) {
        silt_lend(CLONE_VM | CLONE_VFORK);
    } else if (silt_is_there(a)) {
        uint64_t flags;
        memcpy(&flags, (const void *)a, sizeof flags);
        silt_lend(flags);
    }
}

/* All other calls reach the next definition with every register and the stack unchanged. */
SILT_EXPORT __attribute__((naked)) long syscall(long number __attribute__((unused)), ...) {
    /* clang-format off */
    __asm__("cmpq $3, %rdi\n\t"   /* close */
            "je 1f\n\t"
            "cmpq $33, %rdi\n\t"  /* dup2 */
            "je 1f\n\t"
            "cmpq $56, %rdi\n\t"  /* clone */
            "je 2f\n\t"
            "cmpq $58, %rdi\n\t"  /* vfork */
            "je 2f\n\t"
            "cmpq $157, %rdi\n\t" /* prctl */
            "je 1f\n\t"
            "cmpq $292, %rdi\n\t" /* dup3 */
            "je 1f\n\t"
            "cmpq $317, %rdi\n\t" /* seccomp */
            "je 1f\n\t"
            "cmpq $435, %rdi\n\t" /* clone3 */
            "je 2f\n\t"
            "cmpq $436, %rdi\n\t" /* close_range */
            "je 1f\n"
            "3:\tmovq silt_real_syscall(%rip), %r11\n\t"
            "testq %r11, %r11\n\t"
            "je 1f\n\t"
            "jmp *%r11\n"
            "2:\t" SILT_KEEP_ARGUMENTS("call silt_lends_by_call\n\t")
            "jmp 3b\n"
            "1:\tjmp silt_watched_call");
    /* clang-format on */
}

_Static_assert(SYS_close == 3 && SYS_dup2 == 33 && SYS_clone == 56 && SYS_vfork == 58 &&
                   SYS_prctl == 157 && SYS_dup3 == 292 && SYS_seccomp == 317 && SYS_clone3 == 435 &&
                   SYS_close_range == 436,
               "x86-64");
