/*
 * follow.c: whether a program that is about to start can be traced: whether its loader takes in the
 * preload library, and whether it can reach library and analyzer.
 *
 * In an exec hook, perhaps of a vfork child or a signal handler: after silt_follow_init nothing but
 * the caller's buffers is written to.
 */
#define _GNU_SOURCE
#include "follow.h"

#include "hello.h"
#include "loaded.h"
#include "programs.h"
#include "real.h"
#include "sandbox.h"
#include "silt_wire.h"
#include "system.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    const char *path;  /* of the library, as the loader opened it; NULL: nothing is known */
    const char *name;  /* its last part */
    bool named;        /* LD_PRELOAD named it when the program started */
    bool socket_named; /* and SILT_SOCKET the analyzer's socket */
    struct silt_surroundings here;
} ours;

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A connection that is refused or finds nobody says that there is no way; any other answer, that
 * the analyzer is there. */
static bool reaches_analyzer(void) {
    long fd = silt_call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    long error = fd < 0 ? 0 : silt_connect_to_analyzer(fd);
    if (fd >= 0) {
        silt_call(SYS_close, fd);
    }
    return error != -ENOENT && error != -ENOTDIR && error != -ECONNREFUSED;
}

/* Why the program could not reach library and analyzer with this process's root and rights; 0 when
 * it can. Where the analyzer has gone nobody hears of it. */
static uint32_t look_around(void) {
    bool moved = !silt_same_file(silt_file_at(AT_FDCWD, "/"), ours.here.root);
    long fd = silt_call(SYS_openat, AT_FDCWD, ours.path, O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0) {
        silt_call(SYS_close, fd);
    } else if (fd == -EACCES) {
        return SILT_UNTRACED_USER;
    } else if (fd == -ENOENT || fd == -ENOTDIR) {
        return SILT_UNTRACED_ROOT;
    }
    const char *socket = silt_rendezvous_path();
    long reached = *socket ? silt_call(SYS_faccessat, AT_FDCWD, socket, W_OK) : 0;
    if (reached == -EACCES) {
        return SILT_UNTRACED_USER;
    }
    if (reached >= 0 || reaches_analyzer()) {
        return 0;
    }
    return moved ? SILT_UNTRACED_ROOT : SILT_UNTRACED_SOCKET;
}

/* The program is what a descriptor refers to. Only where the path may be read. */
static bool is_descriptor(const struct silt_program *program) {
    return program->by_descriptor || (program->flags & AT_EMPTY_PATH && !*program->path);
}

/* Whether there is something under the path, which may be no address at all. Where a file is
 * searched for, or started by posix_spawn in another directory, that is asked later. */
static bool can_start(const struct silt_program *program) {
    if (program->by_descriptor || program->searched || program->has_actions) {
        return true;
    }
    long answer = silt_call(SYS_faccessat, program->directory, program->path, F_OK);
    return answer == 0 || (answer == -ENOENT && is_descriptor(program));
}

/* Emulators hand LD_PRELOAD on to the loader of a program of another machine, which would complain
 * of the library. */
static bool is_emulator(const char *name) {
    static const char *const names[] = {
        "qemu-aarch64",  "qemu-alpha",  "qemu-hppa",        "qemu-m68k",    "qemu-microblaze",
        "qemu-or1k",     "qemu-sh4",    "qemu-xtensa",      "qemu-hexagon", "qemu-arm",
        "qemu-i386",     "qemu-mips",   "qemu-ppc",         "qemu-riscv",   "qemu-s390",
        "qemu-sparc",    "qemu-x86_64", "qemu-loongarch64", "box64",        "box86",
        "FEXInterpreter"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncmp(name, names[i], strlen(names[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Why what is about to start cannot be followed; 0 when it can, or when nothing is known. */
uint32_t silt_follow_judge(const struct silt_program *program, const char *path,
                           const struct silt_environment *seen) {
    uint32_t reason = 0;
    if (!silt_may_start()) {
        return 0; /* nothing can be looked at */
    }
    /* File actions may change the directory first. */
    if (*path == '/' || !program->has_actions) {
        if (!is_descriptor(program) &&
            silt_call(SYS_faccessat, program->directory, path, X_OK) < 0) {
            return 0; /* it will not start */
        }
        reason = silt_inspect_program(&ours.here, program->directory, path);
    }
    if (reason == SILT_UNTRACED_STATIC && (seen->valgrind || strstr(path, "/valgrind/"))) {
        return SILT_UNTRACED_VALGRIND;
    }
    if ((!reason || reason == SILT_UNTRACED_STATIC) && is_emulator(last_part(path))) {
        return SILT_UNTRACED_MACHINE;
    }
    if (!reason && !seen->has_ours) {
        uint32_t left_out = seen->preload_bytes || seen->has_socket ? SILT_UNTRACED_PRELOAD
                                                                    : SILT_UNTRACED_ENVIRONMENT;
        return ours.named ? left_out : 0;
    }
    if (!reason && ours.socket_named && !seen->has_socket) {
        return SILT_UNTRACED_NAMELESS;
    }
    if (!reason && seen->is_behind) {
        return SILT_UNTRACED_SANITIZER;
    }
    return reason ? reason : look_around();
}

/* True when the new image must not find the library in its environment. The others never look
 * there; what they start may be followed again. */
bool silt_follow_gives_way(uint32_t reason) {
    if (!silt_may_start()) {
        return silt_forbids_starts();
    }
    return reason && reason != SILT_UNTRACED_STATIC && reason != SILT_UNTRACED_RIGHTS &&
           reason != SILT_UNTRACED_ENVIRONMENT && reason != SILT_UNTRACED_PRELOAD &&
           reason != SILT_UNTRACED_SOCKET && reason != SILT_UNTRACED_NAMELESS;
}

bool silt_follow_reads(const struct silt_program *program, silt_strings variables,
                       struct silt_environment *seen) {
    if (!ours.path) {
        silt_follow_init();
    }
    return ours.path && program->path && silt_read_environment(ours.name, variables, seen) &&
           (!silt_may_start() || can_start(program));
}

void silt_follow_stop(void) {
    static char text[SILT_MAX_PRELOADS];
    static _Atomic bool stopped;
    struct silt_environment seen;
    if (!__atomic_exchange_n(&stopped, true, __ATOMIC_SEQ_CST) && ours.path &&
        silt_read_environment(ours.name, environ, &seen) && seen.has_ours) {
        silt_copy_environment(ours.name, environ, environ, text);
    }
}

void silt_follow_copy(silt_strings variables, char **copy, char *text) {
    silt_copy_environment(ours.name, variables, copy, text);
}

void silt_follow_init(void) {
    struct dl_find_object found, loader;
    silt_find_real();
    if (ours.path || _dl_find_object((void *)silt_follow_init, &found) != 0) {
        return;
    }
    const struct link_map *map = found.dlfo_link_map;
    if (silt_find_loader(&loader)) {
        ours.here.loader_path = loader.dlfo_link_map->l_name;
        ours.here.loader = silt_file_at(AT_FDCWD, ours.here.loader_path);
    }
    ours.here.root = silt_file_at(AT_FDCWD, "/");
    ours.name = last_part(map->l_name);
    struct silt_environment seen;
    silt_read_environment(ours.name, environ, &seen);
    ours.named = seen.has_ours;
    ours.socket_named = seen.has_socket;
    ours.path = map->l_name;
}
