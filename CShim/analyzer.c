/*
 * analyzer.c: starts an analyzer of the program's own when it was preloaded without one (SILT_OUT).
 *
 * Runs once, at start, by one thread. The program must not see the analyzer as a child: a process
 * in between starts it and is waited for here, and the analyzer becomes a child of init. A program
 * that takes orphans in itself (PR_SET_CHILD_SUBREAPER) does not for that moment. Pid 1 of a
 * container cannot but: there the process in between stays as the analyzer's parent. It has no exit
 * signal, so wait(2) without __WALL does not see it.
 */
#define _GNU_SOURCE
#include "analyzer.h"

#include "image.h"
#include "memory.h"
#include "real.h"
#include "system.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES   (64u << 10)
#define PATH_BYTES    4096u
#define MAX_VARIABLES 4096u
#define PATIENCE_MS   20000 /* until the analyzer listens; a busy machine may need seconds */
#define READY_FD      3

struct plan {
    char program[PATH_BYTES];
    char out[PATH_BYTES];
    char directory[128];
    char socket[128];
    const char *arguments[14];
    char process[16]; /* the program's pid */
    const char *variables[MAX_VARIABLES];
    bool stays; /* the process in between stays as the analyzer's parent */
    int ready[2];
    uint64_t mask; /* signals blocked in the analyzer: those blocked in the program */
    volatile int error;
    uint8_t stacks[2][STACK_BYTES] __attribute__((aligned(16)));
};

static void say(const char *first, const char *second) {
    char line[512] = "silt: ";
    size_t length = strlen(line);
    for (const char *part = first; part; part = part == first ? second : NULL) {
        size_t more = strnlen(part, sizeof line - length - 1);
        memcpy(line + length, part, more);
        length += more;
    }
    line[length++] = '\n';
    silt_call(SYS_write, 2, line, length);
}

/* Puts the parts together; false when they do not fit. */
static bool join(char *into, size_t capacity, const char *a, const char *b, const char *c) {
    size_t la = strlen(a), lb = strlen(b), lc = strlen(c);
    if (la + lb + lc >= capacity) {
        return false;
    }
    memcpy(into, a, la);
    memcpy(into + la, b, lb);
    memcpy(into + la + lb, c, lc + 1);
    return true;
}

static bool absolute(char *into, size_t capacity, const char *path) {
    char here[PATH_BYTES];
    if (*path == '/') {
        return join(into, capacity, path, "", "");
    }
    long length = silt_call(SYS_getcwd, here, sizeof here);
    return length > 1 && join(into, capacity, here, "/", path);
}

static bool is_executable(const char *path) {
    return silt_call(SYS_faccessat, AT_FDCWD, path, X_OK) == 0;
}

/* SILT_BIN, else `silt` beside this library, or where it is installed with it (PREFIX/bin beside
 * PREFIX/lib/x86_64-linux-gnu/silt), else on PATH. */
static bool find_program(struct plan *plan) {
    const char *named = silt_variable("SILT_BIN");
    if (named && *named) {
        return absolute(plan->program, PATH_BYTES, named) && is_executable(plan->program);
    }
    struct dl_find_object ours;
    char beside[PATH_BYTES];
    if (_dl_find_object((void *)find_program, &ours) == 0 &&
        absolute(beside, sizeof beside, ours.dlfo_link_map->l_name)) {
        char *slash = strrchr(beside, '/');
        *slash = 0;
        static const char *const places[] = {"/silt", "/../../../bin/silt"};
        for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
            if (join(plan->program, PATH_BYTES, beside, places[i], "") &&
                is_executable(plan->program)) {
                return true;
            }
        }
    }
    const char *path = silt_variable("PATH");
    for (path = path ? path : "/usr/local/bin:/usr/bin:/bin"; *path;) {
        size_t length = strcspn(path, ":");
        char folder[PATH_BYTES];
        if (length > 0 && *path == '/' && length < sizeof folder) {
            memcpy(folder, path, length);
            folder[length] = 0;
            if (join(plan->program, PATH_BYTES, folder, "/silt", "") &&
                is_executable(plan->program)) {
                return true;
            }
        }
        path += length + (path[length] == ':');
    }
    return false;
}

/* A new directory, 0700, for the socket: its path must fit a socket address. */
static bool make_directory(struct plan *plan) {
    static const char digits[] = "0123456789abcdef";
    char beside[PATH_BYTES], name[] = "/silt-0123456789abcdef";
    const char *parents[] = {silt_variable("XDG_RUNTIME_DIR"), "/tmp", "/var/tmp", beside};
    strcpy(beside, plan->out);
    *strrchr(beside, '/') = 0;
    uint64_t random = silt_random();
    for (unsigned i = 0; i < 16; i++) {
        name[6 + i] = digits[random >> 4 * i & 15];
    }
    for (unsigned i = 0; i < sizeof parents / sizeof *parents; i++) {
        if (parents[i] && *parents[i] == '/' && strlen(parents[i]) < 70 &&
            join(plan->directory, sizeof plan->directory, parents[i], name, "") &&
            silt_call(SYS_mkdir, plan->directory, 0700) == 0) {
            return join(plan->socket, sizeof plan->socket, plan->directory, "/silt.sock", "");
        }
    }
    return false;
}

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* What the analyzer needs of the program's environment. The rest is the program's alone: nobody
 * else may answer a service manager (NOTIFY_SOCKET, LISTEN_FDS, WATCHDOG_USEC, JOURNAL_STREAM,
 * INVOCATION_ID and the like), or see its secrets. */
static void choose_variables(struct plan *plan) {
    static const char *const needed[] = {"PATH=",
                                         "HOME=",
                                         "USER=",
                                         "LANG=",
                                         "LANGUAGE=",
                                         "LC_",
                                         "TZ=",
                                         "TMPDIR=",
                                         "XDG_",
                                         "DEBUGINFO",
                                         "SWIFT_",
                                         "LD_LIBRARY_PATH=",
                                         "SILT_MEMORY_MIB="};
    unsigned count = 0;
    for (char **entry = environ; entry && *entry && count < MAX_VARIABLES - 1; entry++) {
        for (unsigned i = 0; i < sizeof needed / sizeof *needed; i++) {
            if (begins(*entry, needed[i])) {
                plan->variables[count++] = *entry;
                break;
            }
        }
    }
    plan->variables[count] = NULL;
}

static const char *decimal(uint32_t number, char *into, size_t capacity) {
    char *at = into + capacity - 1;
    *at = 0;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return at;
}

/* Becomes the analyzer. Shares the memory of the process in between until it does. */
static int become_analyzer(void *argument) {
    struct plan *plan = argument;
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } standard = {0};
    for (int signal = 1; signal <= 64; signal++) {
        silt_call(SYS_rt_sigaction, signal, &standard, 0, 8);
    }
    long null = silt_call(SYS_open, "/dev/null", O_RDWR);
    silt_call(SYS_dup3, plan->ready[1], null == READY_FD ? 100 : READY_FD, 0);
    for (int fd = 0; fd < 3; fd++) {
        if (null >= 0 && null != fd) {
            silt_call(SYS_dup3, null, fd, 0);
        }
    }
    if (null == READY_FD) {
        silt_call(SYS_dup3, 100, READY_FD, 0);
    }
    if (silt_call(SYS_close_range, READY_FD + 1, ~0u, 0) < 0) {
        for (int fd = READY_FD + 1; fd < 4096; fd++) {
            silt_call(SYS_close, fd);
        }
    }
    silt_call(SYS_chdir, "/");
    silt_call(SYS_rt_sigprocmask, SIG_SETMASK, &plan->mask, 0, 8);
    plan->error = (int)-silt_call(SYS_execve, plan->program, plan->arguments, plan->variables);
    silt_call(SYS_exit_group, 127);
    return 0;
}

/* The process in between: leader of a session of its own. */
static int stand_between(void *argument) {
    struct plan *plan = argument;
    silt_call(SYS_setsid, 0);
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
    if (silt_real.clone(become_analyzer, plan->stacks[1] + STACK_BYTES, flags, plan) < 0) {
        plan->error = EAGAIN;
    }
    if (plan->stays) {
        silt_call(SYS_prctl, PR_SET_NAME, "silt-parent");
        silt_call(SYS_close_range, 0, ~0u, 0);
        silt_call(SYS_chdir, "/");
        while (silt_call(SYS_wait4, -1, 0, __WALL, 0) != -ECHILD) {
        }
    }
    silt_call(SYS_exit_group, 0);
    return 0;
}

static bool launch(struct plan *plan) {
    int subreaper = 0;
    silt_call(SYS_prctl, PR_GET_CHILD_SUBREAPER, &subreaper);
    plan->stays = silt_call(SYS_getpid, 0) == 1;
    if (silt_call(SYS_pipe2, plan->ready, O_CLOEXEC) < 0) {
        return false;
    }
    /* A handler of the program must not run in a process that shares its memory. */
    uint64_t all = ~0ull;
    silt_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &plan->mask, 8);
    if (subreaper) {
        /* Else it would inherit the analyzer when the process in between ends. */
        silt_call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 0);
    }
    int saved = errno;
    int flags = plan->stays ? 0 : CLONE_VM | CLONE_VFORK;
    int between = silt_real.clone(stand_between, plan->stacks[0] + STACK_BYTES, flags, plan);
    errno = saved;
    if (between > 0 && !plan->stays) {
        while (silt_call(SYS_wait4, between, 0, __WALL, 0) == -EINTR) {
        }
    }
    if (subreaper) {
        silt_call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
    }
    silt_call(SYS_rt_sigprocmask, SIG_SETMASK, &plan->mask, 0, 8);
    silt_call(SYS_close, plan->ready[1]);
    /* It writes a byte when it listens. End of file without a byte means that it has ended. */
    struct pollfd state = {plan->ready[0], POLLIN, 0};
    struct timespec patience = {PATIENCE_MS / 1000, 0};
    char byte;
    long ready = -1;
    if (between > 0 && !plan->error) {
        do {
            ready = silt_call(SYS_ppoll, &state, 1, &patience, 0, 8); /* updates the time left */
        } while (ready == -EINTR);
    }
    ready = ready == 1 ? silt_call(SYS_read, plan->ready[0], &byte, 1) : -1;
    silt_call(SYS_close, plan->ready[0]);
    return ready == 1;
}

/* Later images, of children and of exec, find the analyzer by SILT_SOCKET. Where none was started
 * they must not try again. The entry is replaced in place: main's third argument is the same array.
 */
static void replace_variable(const char *socket) {
    static char entry[160] = "SILT_OUT=";
    if (socket && !join(entry, sizeof entry, "SILT_SOCKET=", socket, "")) {
        return;
    }
    for (char **place = environ; place && *place; place++) {
        if (begins(*place, "SILT_OUT=")) {
            *place = entry;
        }
    }
}

bool silt_start_analyzer(const char *out, char *socket, size_t capacity) {
    struct plan *plan = silt_pages(sizeof *plan);
    bool started = false;
    if (!plan || !absolute(plan->out, PATH_BYTES, out)) {
        say("no memory, or SILT_OUT is too long", "; the program runs untraced");
    } else if (!find_program(plan)) {
        say("no analyzer found (SILT_BIN, beside the library, PATH)",
            "; the program runs untraced");
    } else if (!make_directory(plan)) {
        say("no directory for a socket (XDG_RUNTIME_DIR, /tmp, /var/tmp, beside SILT_OUT)",
            "; the program runs untraced");
    } else {
        uint32_t pid = (uint32_t)silt_call(SYS_getpid, 0);
        const char *process = decimal(pid, plan->process, sizeof plan->process);
        const char *arguments[] = {plan->program, "listen",  "--once",     "--started-by-preload",
                                   "--program",   process,   "--ready-fd", "3",
                                   "--out",       plan->out, plan->socket, NULL};
        memcpy(plan->arguments, arguments, sizeof arguments);
        choose_variables(plan);
        started = launch(plan);
        if (started) {
            started = join(socket, capacity, plan->socket, "", "");
            replace_variable(plan->socket);
        } else {
            silt_call(SYS_unlink, plan->socket);
            silt_call(SYS_rmdir, plan->directory);
            say("the analyzer did not start (can it write SILT_OUT?): ", plan->program);
        }
    }
    if (!started) {
        replace_variable(NULL);
    }
    if (plan) {
        silt_pages_drop(plan, sizeof *plan);
    }
    return started;
}
