/*
 * exec.c: the hooks by which the program starts others. What cannot take in the preload library is
 * started without it, and the analyzer is told that it is not traced; docs/children.md has the
 * table of what is seen at which of them.
 *
 * Any of these may be called in a vfork child, which shares its parent's memory, or in a signal
 * handler: they write to nothing but their own stack and scratch.c's pages, take no lock, and leave
 * environ as it is. The environment without the library is a copy of its pointers.
 */
#define _GNU_SOURCE
#include "follow.h"
#include "image.h"
#include "programs.h"
#include "real.h"
#include "sandbox.h"
#include "scratch.h"
#include "silt_wire.h"
#include "system.h"
#include "taken.h"
#include "untraced.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 1024u /* a longer path is not looked at */

typedef silt_strings strings;

enum door { EXECVE, EXECVPE, FEXECVE, EXECVEAT, SPAWN, SPAWNP };

/* A call of one of the hooks. */
struct start {
    enum door door;
    struct silt_program program;
    strings arguments, variables;
    pid_t *pid;
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
    bool older; /* of the C library's older version, which has the shell run scripts without #! */
};

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

/* Calls the next definition. */
static int enter(const struct start *what, strings variables) {
    const struct silt_program *program = &what->program;
    switch (what->door) {
    case EXECVE:
        if (silt_real.execve) {
            return silt_real.execve(program->path, what->arguments, variables);
        }
        break;
    case EXECVPE:
        if (silt_real.execvpe) {
            return silt_real.execvpe(program->path, what->arguments, variables);
        }
        break;
    case FEXECVE:
        if (silt_real.fexecve) {
            return silt_real.fexecve(program->directory, what->arguments, variables);
        }
        break;
    case EXECVEAT:
        if (silt_real.execveat) {
            return silt_real.execveat(program->directory, program->path, what->arguments, variables,
                                      program->flags);
        }
        break;
    case SPAWN:
    case SPAWNP: {
        __typeof__(silt_real.posix_spawn) newer = what->door == SPAWN ? silt_real.posix_spawn
                                                                      : silt_real.posix_spawnp,
                                          spawn = what->older
                                                      ? silt_older_spawn[what->door == SPAWNP]
                                                      : newer;
        return spawn ? spawn(what->pid, program->path, what->actions, what->attributes,
                             what->arguments, variables)
                     : ENOSYS;
    }
    }
    errno = ENOSYS;
    return -1;
}

/* Starts it with a copy of its environment that does not name the library: `pointers` bytes of
 * pointers, then text. */
static int enter_with_copy(const struct start *what, char **copy, size_t pointers) {
    silt_follow_copy(what->variables, copy, (char *)copy + pointers);
    return enter(what, copy);
}

static __attribute__((noinline)) int enter_from_stack(const struct start *what, size_t bytes,
                                                      size_t pointers) {
    char *copy[(bytes + sizeof(char *) - 1) / sizeof(char *)];
    return enter_with_copy(what, copy, pointers);
}

static __attribute__((noinline)) int enter_without_ours(const struct start *what,
                                                        const struct silt_environment *seen) {
    size_t pointers = (seen->count + 1) * sizeof(char *),
           bytes = pointers + seen->preload_bytes + 1;
    bool spawns = what->door == SPAWN || what->door == SPAWNP;
    struct silt_scratch scratch = silt_scratch_take(bytes, !spawns);
    if (!scratch.pages) {
        return enter_from_stack(what, bytes, pointers);
    }
    int result = enter_with_copy(what, scratch.pages, pointers);
    silt_scratch_drop(&scratch);
    return result;
}

static int begin(const struct start *what) {
    const struct silt_program *program = &what->program;
    struct silt_environment seen;
    char found[PATH_BYTES];
    const char *path = program->path;
    if (!silt_follow_reads(program, what->variables, &seen)) {
        return enter(what, what->variables);
    }
    if (silt_may_start() && program->searched && !strchr(path, '/')) {
        search(path, found);
        path = found;
    }
    uint32_t reason = seen.lists_only ? 0 : silt_follow_judge(program, path, &seen);
    if (reason && !*path) {
        silt_name_descriptor(program->directory, found, sizeof found);
        path = found;
    }
    bool spawns = what->door == SPAWN || what->door == SPAWNP;
    if (reason && !spawns) {
        silt_tell_untraced(reason, 0, path);
    }
    bool changes = seen.has_ours && (seen.lists_only || silt_follow_gives_way(reason));
    int result = changes ? enter_without_ours(what, &seen) : enter(what, what->variables);
    if (reason && !spawns) {
        silt_tell_untraced(SILT_UNTRACED_NOT, 0, path);
    } else if (reason && result == 0 && what->pid) {
        silt_tell_untraced(reason, (uint32_t)*what->pid, path);
    }
    return result;
}

static int start_execve(const char *path, strings arguments, strings variables) {
    struct start what = {.door = EXECVE, .program = {AT_FDCWD, .path = path}};
    what.arguments = arguments;
    what.variables = variables;
    return begin(&what);
}

static int start_execvpe(const char *file, strings arguments, strings variables) {
    struct start what = {.door = EXECVPE, .program = {AT_FDCWD, .path = file, .searched = true}};
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

/* The arguments of a variadic hook, as an array on the stack; `list` is left behind their end. */
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
    struct start what = {.door = FEXECVE, .program = {fd, .path = "", .by_descriptor = true}};
    what.arguments = arguments;
    what.variables = variables;
    return begin(&what);
}

SILT_EXPORT int execveat(int directory, const char *path, strings arguments, strings variables,
                         int flags) {
    struct start what = {.door = EXECVEAT, .program = {directory, .path = path, .flags = flags}};
    what.arguments = arguments;
    what.variables = variables;
    return begin(&what);
}

static int start_spawn(struct start *what, pid_t *pid, const char *path,
                       const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, strings arguments, strings variables) {
    pid_t child;
    what->program = (struct silt_program){AT_FDCWD, .path = path};
    what->program.searched = what->door == SPAWNP;
    what->program.has_actions = actions != NULL;
    what->arguments = arguments;
    what->variables = variables;
    what->pid = pid ? pid : &child;
    what->actions = actions;
    what->attributes = attributes;
    return begin(what);
}

/* The C library has two versions of both, which are not the same function (hook_table.h). */
#define SPAWN_HOOK(function, which, is_older)                                                      \
    SILT_EXPORT int function(pid_t *restrict pid, const char *restrict path,                       \
                             const posix_spawn_file_actions_t *actions,                            \
                             const posix_spawnattr_t *restrict attributes,                         \
                             char *const arguments[restrict], char *const variables[restrict]) {   \
        struct start what = {.door = which, .older = is_older};                                    \
        return start_spawn(&what, pid, path, actions, attributes, arguments, variables);           \
    }

__typeof__(posix_spawn) silt_older_posix_spawn, silt_older_posix_spawnp;
__asm__(".symver posix_spawn,posix_spawn@@@GLIBC_2.15\n\t"
        ".symver posix_spawnp,posix_spawnp@@@GLIBC_2.15\n\t"
        ".symver silt_older_posix_spawn,posix_spawn@GLIBC_2.2.5\n\t"
        ".symver silt_older_posix_spawnp,posix_spawnp@GLIBC_2.2.5");
SPAWN_HOOK(posix_spawn, SPAWN, false)
SPAWN_HOOK(posix_spawnp, SPAWNP, false)
SPAWN_HOOK(silt_older_posix_spawn, SPAWN, true)
SPAWN_HOOK(silt_older_posix_spawnp, SPAWNP, true)

/* system and popen have their shell inherit environ: it is named where it cannot be traced, and
 * started as it is. */
static void look_at_shell(void) {
    const struct silt_program shell = {.directory = AT_FDCWD, .path = "/bin/sh"};
    struct silt_environment seen;
    bool is_known = silt_follow_reads(&shell, environ, &seen) && !seen.lists_only;
    uint32_t reason = is_known ? silt_follow_judge(&shell, shell.path, &seen) : 0;
    if (reason) {
        silt_tell_untraced(reason, SILT_UNKNOWN_PROCESS, shell.path);
    }
}

SILT_EXPORT int system(const char *command) {
    if (command) {
        look_at_shell();
    }
    return silt_real.system ? silt_real.system(command) : -1;
}

SILT_EXPORT FILE *popen(const char *command, const char *type) {
    look_at_shell();
    FILE *stream = silt_real.popen ? silt_real.popen(command, type) : NULL;
    if (stream) {
        silt_took(fileno(stream), __builtin_frame_address(0));
    }
    return stream;
}
