#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "silt_demangle.h"

/* The Swift runtime's (SwiftDemangle.h): a text to be freed, or NULL. */
extern char *swift_demangle(const char *name, size_t length, char *output, size_t *output_bytes,
                            uint32_t flags);

#define MEMORY_BYTES (64ul << 20)
#define PATIENCE_MS  2000
#define ALL_NAMES_MS 10000

/* Milliseconds that names have taken so far, in all threads. */
static atomic_long spent;

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Bytes of this process's address space; what it has is not taken from the child. */
static rlim_t own_space(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file) {
        if (fscanf(file, "%lu", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void limit(int resource, rlim_t soft) {
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && soft < now.rlim_max) {
        now.rlim_cur = now.rlim_max = soft;
        setrlimit(resource, &now);
    }
}

/* In the child, which has nothing of the parent's open but the pipe. */
static _Noreturn void work(const char *name, size_t length, size_t bytes, rlim_t space, int out) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    for (int number = 1; number < 32; number++) {
        signal(number, SIG_DFL);
    }
    int nothing = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3 && nothing >= 0; fd++) {
        dup2(nothing, fd);
    }
    if (dup2(out, 3) < 0 || close_range(4, ~0u, 0) < 0) {
        _exit(1);
    }
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, 1);
    if (space != 0) {
        limit(RLIMIT_AS, space + MEMORY_BYTES);
    }
    char *text = swift_demangle(name, length, NULL, NULL, 0);
    size_t made = text ? strlen(text) : 0;
    if (made == 0 || made > bytes) {
        _exit(1);
    }
    while (made > 0) {
        ssize_t n = write(3, text, made);
        if (n <= 0) {
            _exit(1);
        }
        text += n;
        made -= (size_t)n;
    }
    _exit(0);
}

int silt_swift_demangle_contained(const char *name, size_t length, char *text, size_t bytes) {
    int ends[2];
    if (atomic_load(&spent) > ALL_NAMES_MS || pipe2(ends, O_CLOEXEC) < 0) {
        return 0;
    }
    long began = milliseconds();
    rlim_t space = own_space();
    pid_t child = fork();
    if (child == 0) {
        work(name, length, bytes - 1, space, ends[1]);
    }
    close(ends[1]);
    size_t got = 0;
    int whole = 0;
    while (child > 0) {
        long left = began + PATIENCE_MS - milliseconds();
        struct pollfd ready = {.fd = ends[0], .events = POLLIN};
        int count = left > 0 ? poll(&ready, 1, (int)left) : 0;
        if (count < 0 && errno == EINTR) {
            continue;
        }
        ssize_t n = count > 0 ? read(ends[0], text + got, bytes - 1 - got) : -1;
        if (n <= 0) {
            whole = n == 0;
            break;
        }
        got += (size_t)n;
    }
    close(ends[0]);
    if (child > 0) {
        int status = 1;
        if (!whole) {
            kill(child, SIGKILL);
        }
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        whole = whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    atomic_fetch_add(&spent, milliseconds() - began);
    text[whole ? got : 0] = 0;
    return whole && got > 0;
}
