/*
 * exec.c: the doors through which the program starts others. What cannot take in the preload
 * library is started without it, and the analyzer is told that it is not followed; docs/children.md
 * has the table of what is seen at which door.
 *
 * Any of these may be called in a vfork child, which shares its parent's memory, or in a signal
 * handler: they write to nothing but their own stack, take no lock, and leave environ as it is. The
 * environment without the library is a copy of its pointers on the stack.
 */
#define _GNU_SOURCE
#include "exec.h"
#include "careful.h"
#include "silt_internal.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_VARIABLES   8192u /* a larger environment is passed on as it is */
#define MAX_PRELOADS    8192u /* bytes of LD_PRELOAD entries: the same */
#define PATH_BYTES      1024u /* a longer path is not looked at */
#define UNKNOWN_PROCESS (~0u)
#define PRELOAD         "LD_PRELOAD="

typedef char *const *strings;

static struct {
    const char *path; /* of the library, as the loader opened it; NULL: nothing is known */
    const char *name; /* its last part */
    bool named;       /* LD_PRELOAD named it when the program started */
    struct silt_surroundings here;
} ours;

/* The next definitions; NULL where the C library has none. */
static struct {
    int (*execve)(const char *, strings, strings);
    int (*execvpe)(const char *, strings, strings);
    int (*fexecve)(int, strings, strings);
    int (*execveat)(int, const char *, strings, strings, int);
    int (*system)(const char *);
    FILE *(*popen)(const char *, const char *);
    int (*spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                 const posix_spawnattr_t *, strings, strings);
    int (*spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                  const posix_spawnattr_t *, strings, strings);
} next;

enum door { EXECVE, EXECVPE, FEXECVE, EXECVEAT, SPAWN, SPAWNP, SHELL };

/* A call of one of the doors. */
struct start {
    enum door door;
    bool searched; /* on PATH */
    int directory; /* as of execveat(2) */
    const char *path;
    strings arguments, variables;
    int flags;
    pid_t *pid;
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
};

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The next name in a list of libraries (ld.so(8): spaces and colons separate), NULL at its end. */
static const char *next_name(const char *at, size_t *length) {
    at += strspn(at, ": ");
    *length = strcspn(at, ": ");
    return *length ? at : NULL;
}

static bool is_ours(const char *name, size_t length) {
    size_t own = strlen(ours.name);
    return length >= own && memcmp(name + length - own, ours.name, own) == 0 &&
           (length == own || name[length - own - 1] == '/');
}

static bool names_sanitizer(const char *name, size_t length) {
    size_t start = length;
    while (start > 0 && name[start - 1] != '/') {
        start--;
    }
    return silt_is_sanitizer(name + start);
}

/* What an environment says about the library. */
struct environment {
    unsigned count;
    size_t preload_bytes; /* of the LD_PRELOAD entries */
    bool has_ours;
    bool is_behind;  /* a sanitizer's runtime is named after ours */
    bool lists_only; /* the loader is asked what it would load (ldd(1)) */
    bool valgrind;
};

static void read_preloads(const char *entry, struct environment *seen) {
    size_t length;
    seen->has_ours = seen->is_behind = false; /* the last entry is the one that counts */
    for (const char *at = entry; (at = next_name(at, &length)); at += length) {
        seen->has_ours |= is_ours(at, length);
        seen->is_behind |= seen->has_ours && names_sanitizer(at, length);
    }
}

/* An entry of an array that the kernel would read; false where it would answer EFAULT. */
static bool read_entry(struct silt_readable *known, strings array, unsigned index,
                       const char **entry) {
    uintptr_t word, text = 0;
    if (!silt_careful_word(known, (uintptr_t)(array + index), &text)) {
        return false;
    }
    *entry = (const char *)text;
    return !text || silt_careful_word(known, text & ~(uintptr_t)7, &word);
}

/* False when it is not all there, or larger than what is copied. */
static bool read_environment(strings variables, struct environment *seen) {
    struct silt_readable known = {0, 0};
    memset(seen, 0, sizeof *seen);
    for (const char *entry = NULL; variables; seen->count++) {
        if (seen->count > MAX_VARIABLES || !read_entry(&known, variables, seen->count, &entry)) {
            return false;
        }
        if (!entry) {
            break;
        }
        if (begins(entry, PRELOAD)) {
            read_preloads(entry + strlen(PRELOAD), seen);
            seen->preload_bytes += strlen(entry) + 1;
        } else if (begins(entry, "LD_TRACE_LOADED_OBJECTS=")) {
            seen->lists_only |= entry[strlen("LD_TRACE_LOADED_OBJECTS=")] != 0;
        } else if (begins(entry, "VALGRIND_LAUNCHER=")) {
            seen->valgrind = true;
        }
    }
    return seen->preload_bytes <= MAX_PRELOADS;
}

/* Copies an LD_PRELOAD entry without our name and one separator, the rest byte for byte; returns
 * the end of the copy, `into` when nothing is left. */
static char *copy_without_ours(const char *entry, char *into) {
    const char *names = entry + strlen(PRELOAD);
    char *start = into, *end = into + strlen(PRELOAD);
    memcpy(into, entry, strlen(PRELOAD));
    for (const char *at = names; *at;) {
        size_t gap = strspn(at, ": "), length = strcspn(at + gap, ": ");
        if (!length || !is_ours(at + gap, length)) {
            memcpy(end, at, gap + length);
            end += gap + length;
        } else if (at == names && at[gap + length]) {
            length++; /* the first: with the separator behind it */
        }
        at += gap + length;
    }
    *end++ = 0;
    return end == start + strlen(PRELOAD) + 1 ? start : end;
}

static void copy_environment(strings variables, char **copy, char *text) {
    for (; *variables; variables++) {
        *copy = (char *)*variables;
        if (begins(*variables, PRELOAD)) {
            char *end = copy_without_ours(*variables, text);
            *copy = text;
            copy -= end == text;
            text = end;
        }
        copy++;
    }
    *copy = NULL;
}

/* The file that execvp(3) would run, as far as it can be said: 0 or more of `path`, "" when none.
 */
static void search(const char *file, char *path) {
    const char *folders = silt_variable("PATH");
    size_t bytes = strlen(file);
    for (folders = folders ? folders : "/bin:/usr/bin"; bytes < NAME_MAX; folders++) {
        size_t length = strcspn(folders, ":");
        if (length + bytes + 2 < PATH_BYTES) {
            memcpy(path, folders, length);
            path[length] = '/';
            memcpy(path + length + (length > 0), file, bytes + 1);
            if (silt_call(SYS_faccessat, AT_FDCWD, path, X_OK) == 0) {
                return;
            }
        }
        folders += length;
        if (!*folders) {
            break;
        }
    }
    *path = 0;
}

/* Why the program could not reach library and analyzer with this process's root and rights; 0 when
 * it can, or when the analyzer has gone. */
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
    return reached < 0 && moved ? SILT_UNTRACED_ROOT : 0;
}

/* The program is what a descriptor refers to. Only where the path may be read. */
static bool is_descriptor(const struct start *what) {
    return what->door == FEXECVE || (what->flags & AT_EMPTY_PATH && !*what->path);
}

/* Whether there is something under the path, which may be no address at all. Where a file is
 * searched for, or started by posix_spawn in another directory, that is asked later. */
static bool can_start(const struct start *what) {
    if (what->door == FEXECVE || what->searched || what->actions) {
        return true;
    }
    long answer = silt_call(SYS_faccessat, what->directory, what->path, F_OK);
    return answer == 0 || (answer == -ENOENT && is_descriptor(what));
}

/* Why what is about to start cannot be followed; 0 when it can, or when nothing is known. */
static uint32_t judge(const struct start *what, const char *path, const struct environment *seen) {
    uint32_t reason = 0;
    /* File actions may change the directory first. */
    if (*path == '/' || !what->actions) {
        if (!is_descriptor(what) && silt_call(SYS_faccessat, what->directory, path, X_OK) < 0) {
            return 0; /* it will not start */
        }
        reason = silt_inspect_program(&ours.here, what->directory, path);
    }
    if (reason == SILT_UNTRACED_STATIC && (seen->valgrind || strstr(path, "/valgrind/"))) {
        return SILT_UNTRACED_VALGRIND;
    }
    if (!reason && !seen->has_ours) {
        return ours.named ? SILT_UNTRACED_ENVIRONMENT : 0;
    }
    if (!reason && seen->is_behind) {
        return SILT_UNTRACED_SANITIZER;
    }
    return reason ? reason : look_around();
}

/* True when the new image must not find the library in its environment. The others never look
 * there; what they start may be followed again. */
static bool gives_way(uint32_t reason) {
    return reason && reason != SILT_UNTRACED_STATIC && reason != SILT_UNTRACED_RIGHTS &&
           reason != SILT_UNTRACED_ENVIRONMENT;
}

/* What the analyzer is told, and where. */
struct news {
    struct sockaddr_un address;
    struct silt_hello hello;
    const char *path;
    bool has_kept; /* the kept connection may be used where the socket is out of reach */
};

/* Over a connection that lasts for this message alone and waits for nobody. The descriptors must be
 * the caller's alone. */
static int send_news(void *argument) {
    struct news *news = argument;
    struct iovec parts[2] = {{&news->hello, sizeof news->hello},
                             {(void *)news->path, strnlen(news->path, SILT_REFUSAL_TEXT)}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    news->hello.image |= (uint64_t)silt_call(SYS_getpid, 0) << 32;
    long fd = silt_call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int kept = news->has_kept ? silt_kept_rendezvous() : -1;
    if (fd >= 0 && silt_call(SYS_connect, fd, &news->address, sizeof news->address) == 0) {
        silt_call(SYS_sendmsg, fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else if (kept >= 0) {
        silt_call(SYS_sendmsg, kept, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (fd >= 0) {
        silt_call(SYS_close, fd);
    }
    return 0;
}

/* Other threads may close and reuse any number at any time: a process that shares this one's
 * memory, but not its descriptors, sends what there is to say. It has no exit signal, so that
 * wait(2) without __WALL does not see it. */
static void send_apart(struct news *news) {
    _Alignas(16) uint8_t stack[4096];
    uint64_t all = ~0ull, mask;
    int saved = errno;
    /* No handler of the program's may run in it. */
    silt_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, 8);
    int pid = clone(send_news, stack + sizeof stack, CLONE_VM | CLONE_VFORK, news);
    if (pid > 0) {
        while (silt_call(SYS_wait4, pid, 0, __WALL, 0) == -EINTR) {
        }
    }
    silt_call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
    errno = saved;
}

/* Tells the analyzer why a program is not followed. `pid` 0: this process. A sandbox that has begun
 * is not asked for anything. */
static void tell(uint32_t reason, uint32_t pid, const char *path) {
    const char *socket = silt_rendezvous_path();
    if (!*socket || silt_is_filtered()) {
        return;
    }
    uint32_t own = (uint32_t)silt_call(SYS_getpid, 0);
    struct news news = {{.sun_family = AF_UNIX},
                        {SILT_MAGIC, SILT_WIRE_VERSION, 2, own, pid ? pid : own, reason},
                        path,
                        true};
    strncpy(news.address.sun_path, socket, sizeof news.address.sun_path - 1);
    if (silt_is_alone()) {
        send_news(&news);
    } else {
        send_apart(&news);
    }
}

static int enter(const struct start *what, strings variables) {
    switch (what->door) {
    case EXECVE:
        if (next.execve) {
            return next.execve(what->path, what->arguments, variables);
        }
        break;
    case EXECVPE:
        if (next.execvpe) {
            return next.execvpe(what->path, what->arguments, variables);
        }
        break;
    case FEXECVE:
        if (next.fexecve) {
            return next.fexecve(what->directory, what->arguments, variables);
        }
        break;
    case EXECVEAT:
        if (next.execveat) {
            return next.execveat(what->directory, what->path, what->arguments, variables,
                                 what->flags);
        }
        break;
    case SPAWN:
    case SPAWNP: {
        int (*spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                     const posix_spawnattr_t *, strings, strings) =
            what->door == SPAWN ? next.spawn : next.spawnp;
        return spawn ? spawn(what->pid, what->path, what->actions, what->attributes,
                             what->arguments, variables)
                     : ENOSYS;
    }
    case SHELL:
        break;
    }
    errno = ENOSYS;
    return -1;
}

/* Starts it with a copy of its environment that does not name the library. */
static int enter_without_ours(const struct start *what, const struct environment *seen) {
    char *copy[seen->count + 1];
    char text[seen->preload_bytes + 1];
    copy_environment(what->variables, copy, text);
    return enter(what, copy);
}

static int begin(const struct start *what) {
    struct environment seen;
    char found[PATH_BYTES];
    const char *path = what->path;
    silt_exec_init();
    if (!ours.path || !path || !read_environment(what->variables, &seen) || !can_start(what)) {
        return enter(what, what->variables);
    }
    if (what->searched && !strchr(path, '/')) {
        search(path, found);
        path = found;
    }
    uint32_t reason = seen.lists_only ? 0 : judge(what, path, &seen);
    if (reason && !*path) {
        silt_name_descriptor(what->directory, found, sizeof found);
        path = found;
    }
    bool spawns = what->door == SPAWN || what->door == SPAWNP;
    if (reason && !spawns) {
        tell(reason, 0, path);
    }
    bool changes = seen.has_ours && (seen.lists_only || gives_way(reason));
    int result = changes ? enter_without_ours(what, &seen) : enter(what, what->variables);
    if (reason && !spawns) {
        tell(SILT_UNTRACED_NOT, 0, path);
    } else if (reason && result == 0 && what->pid) {
        tell(reason, (uint32_t)*what->pid, path);
    }
    return result;
}

static int start_execve(const char *path, strings arguments, strings variables) {
    struct start what = {EXECVE, .directory = AT_FDCWD, .path = path};
    what.arguments = arguments;
    what.variables = variables;
    return begin(&what);
}

static int start_execvpe(const char *file, strings arguments, strings variables) {
    struct start what = {EXECVPE, .searched = true, .directory = AT_FDCWD, .path = file};
    what.arguments = arguments;
    what.variables = variables;
    return begin(&what);
}

SILT_EXPORT int execve(const char *path, strings arguments, strings variables) {
    return start_execve(path, arguments, variables);
}

SILT_EXPORT int execv(const char *path, strings arguments) {
    return start_execve(path, arguments, environ);
}

SILT_EXPORT int execvpe(const char *file, strings arguments, strings variables) {
    return start_execvpe(file, arguments, variables);
}

SILT_EXPORT int execvp(const char *file, strings arguments) {
    return start_execvpe(file, arguments, environ);
}

/* The arguments of a variadic door, as an array on the stack; `list` is left behind their end. */
static size_t count_arguments(const char *first, va_list list) {
    size_t count = 0;
    for (const char *argument = first; argument; argument = va_arg(list, const char *)) {
        count++;
    }
    return count;
}

static void collect_arguments(char **array, const char *first, va_list *list) {
    const char *argument = first;
    for (; argument; argument = va_arg(*list, const char *)) {
        *array++ = (char *)argument;
    }
    *array = NULL;
}

#define ARGUMENTS(array, list, first)                                                              \
    va_list list;                                                                                  \
    va_start(list, first);                                                                         \
    char *array[count_arguments(first, list) + 1];                                                 \
    va_end(list);                                                                                  \
    va_start(list, first);                                                                         \
    collect_arguments(array, first, &list)

SILT_EXPORT int execl(const char *path, const char *first, ...) {
    ARGUMENTS(arguments, list, first);
    va_end(list);
    return start_execve(path, arguments, environ);
}

SILT_EXPORT int execlp(const char *file, const char *first, ...) {
    ARGUMENTS(arguments, list, first);
    va_end(list);
    return start_execvpe(file, arguments, environ);
}

SILT_EXPORT int execle(const char *path, const char *first, ...) {
    ARGUMENTS(arguments, list, first);
    strings variables = va_arg(list, strings);
    va_end(list);
    return start_execve(path, arguments, variables);
}

SILT_EXPORT int fexecve(int fd, strings arguments, strings variables) {
    struct start what = {FEXECVE, .directory = fd, .path = ""};
    what.arguments = arguments;
    what.variables = variables;
    return begin(&what);
}

SILT_EXPORT int execveat(int directory, const char *path, strings arguments, strings variables,
                         int flags) {
    struct start what = {EXECVEAT, .directory = directory, .path = path, .flags = flags};
    what.arguments = arguments;
    what.variables = variables;
    return begin(&what);
}

static int start_spawn(enum door door, pid_t *pid, const char *path,
                       const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, strings arguments, strings variables) {
    pid_t child;
    struct start what = {door, .searched = door == SPAWNP, .directory = AT_FDCWD, .path = path};
    what.arguments = arguments;
    what.variables = variables;
    what.pid = pid ? pid : &child;
    what.actions = actions;
    what.attributes = attributes;
    return begin(&what);
}

SILT_EXPORT int posix_spawn(pid_t *restrict pid, const char *restrict path,
                            const posix_spawn_file_actions_t *actions,
                            const posix_spawnattr_t *restrict attributes,
                            char *const arguments[restrict], char *const variables[restrict]) {
    return start_spawn(SPAWN, pid, path, actions, attributes, arguments, variables);
}

SILT_EXPORT int posix_spawnp(pid_t *restrict pid, const char *restrict file,
                             const posix_spawn_file_actions_t *actions,
                             const posix_spawnattr_t *restrict attributes,
                             char *const arguments[restrict], char *const variables[restrict]) {
    return start_spawn(SPAWNP, pid, file, actions, attributes, arguments, variables);
}

/* system and popen have their shell inherit environ: it is named where it cannot be followed, and
 * started as it is. */
static void look_at_shell(void) {
    struct start what = {SHELL, .directory = AT_FDCWD, .path = "/bin/sh", .variables = environ};
    struct environment seen;
    silt_exec_init();
    bool is_known = read_environment(environ, &seen) && ours.path && !seen.lists_only;
    uint32_t reason = is_known ? judge(&what, what.path, &seen) : 0;
    if (reason) {
        tell(reason, UNKNOWN_PROCESS, what.path);
    }
}

SILT_EXPORT int system(const char *command) {
    if (command) {
        look_at_shell();
    }
    return next.system ? next.system(command) : -1;
}

SILT_EXPORT FILE *popen(const char *command, const char *type) {
    look_at_shell();
    return next.popen ? next.popen(command, type) : NULL;
}

/* The loader of this program: the module without a dependency, whose base is AT_BASE. */
static const char *find_loader(const struct link_map *map) {
    uintptr_t base = getauxval(AT_BASE);
    while (map->l_prev) {
        map = map->l_prev;
    }
    for (; map; map = map->l_next) {
        if (base && map->l_addr == base) {
            return map->l_name;
        }
    }
    return NULL;
}

void silt_exec_init(void) {
    struct dl_find_object found;
    if (ours.path || _dl_find_object((void *)silt_exec_init, &found) != 0) {
        return;
    }
    next.execve = (int (*)(const char *, strings, strings))silt_next("execve");
    next.execvpe = (int (*)(const char *, strings, strings))silt_next("execvpe");
    next.fexecve = (int (*)(int, strings, strings))silt_next("fexecve");
    next.execveat = (int (*)(int, const char *, strings, strings, int))silt_next("execveat");
    next.spawn = (int (*)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                          const posix_spawnattr_t *, strings, strings))silt_next("posix_spawn");
    next.spawnp = (int (*)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                           const posix_spawnattr_t *, strings, strings))silt_next("posix_spawnp");
    next.system = (int (*)(const char *))silt_next("system");
    next.popen = (FILE * (*)(const char *, const char *)) silt_next("popen");
    const struct link_map *map = found.dlfo_link_map;
    ours.here.loader_path = find_loader(map);
    if (ours.here.loader_path) {
        ours.here.loader = silt_file_at(AT_FDCWD, ours.here.loader_path);
    }
    ours.here.root = silt_file_at(AT_FDCWD, "/");
    ours.name = last_part(map->l_name);
    struct environment seen;
    read_environment(environ, &seen);
    ours.named = seen.has_ours;
    ours.path = map->l_name;
}
