/*
 * exec.c: the hooks by which the program starts others. What cannot take in the preload library is
 * started without it, and the analyzer is told that it is not traced; docs/children.md has the
 * table of what is seen at which of them.
 *
 * Any of these may be called in a vfork child, which shares its parent's memory, or in a signal
 * handler with a small stack of its own: they look at the program on a stack in scratch.c's pages,
 * write to nothing else, take no lock, and leave environ as it is. The environment without the
 * library is a copy of its pointers.
 */
#define _GNU_SOURCE
#include "aside.h"
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

enum door { EXECV, EXECVP, EXECVE, EXECVPE, FEXECVE, EXECVEAT, SPAWN, SPAWNP };

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
    bool inherits = variables == what->variables; /* else the copy has to be handed over */
    switch (what->door) {
    case EXECV:
        if (inherits && silt_real.execv) {
            return silt_real.execv(program->path, what->arguments);
        }
        __attribute__((fallthrough));
    case EXECVE:
        if (silt_real.execve) {
            return silt_real.execve(program->path, what->arguments, variables);
        }
        break;
    case EXECVP:
        if (inherits && silt_real.execvp) {
            return silt_real.execvp(program->path, what->arguments);
        }
        __attribute__((fallthrough));
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
        bool searches = what->door == SPAWNP;
        __typeof__(silt_real.posix_spawn) spawn =
            searches ? silt_real.posix_spawnp : silt_real.posix_spawn;
        if (what->older) {
            spawn = silt_older_spawn[searches];
        }
        return spawn ? spawn(what->pid, program->path, what->actions, what->attributes,
                             what->arguments, variables)
                     : ENOSYS;
    }
    }
    errno = ENOSYS;
    return -1;
}

/* ---- what is looked at, and said, before and after ---- */

#define STACK_BYTES (16u << 10)

/* A call, what is known of it, and memory for it: PATH_BYTES bytes, the copied environment, and a
 * stack. */
struct look {
    const struct start *what;
    const struct silt_environment *seen;
    char *found; /* PATH_BYTES bytes */
    const char *path;
    uint32_t reason; /* why what is started is not traced; 0: it is, or nothing is known */
};

static bool spawns(const struct start *what) {
    return what->door == SPAWN || what->door == SPAWNP;
}

static uintptr_t look_before(const struct silt_origin *origin, uintptr_t at, uintptr_t unused,
                             uintptr_t unused_too) {
    struct look *look = (struct look *)at;
    const struct silt_program *program = &look->what->program;
    (void)origin, (void)unused, (void)unused_too;
    look->path = program->path;
    if (silt_may_start() && program->searched && !strchr(look->path, '/')) {
        search(look->path, look->found);
        look->path = look->found;
    }
    look->reason = look->seen->lists_only ? 0 : silt_follow_judge(program, look->path, look->seen);
    if (look->reason && !*look->path) {
        silt_name_descriptor(program->directory, look->found, PATH_BYTES);
        look->path = look->found;
    }
    if (look->reason && !spawns(look->what)) {
        silt_tell_untraced(look->reason, 0, look->path);
    }
    return 0;
}

static uintptr_t say_after(const struct silt_origin *origin, uintptr_t at, uintptr_t unused,
                           uintptr_t unused_too) {
    const struct look *look = (const struct look *)at;
    (void)origin, (void)unused, (void)unused_too;
    if (spawns(look->what)) {
        silt_tell_untraced(look->reason, (uint32_t)*look->what->pid, look->path);
    } else {
        silt_tell_untraced(SILT_UNTRACED_NOT, 0, look->path);
    }
    return 0;
}

/* On a stack that ends there, where no handler of the program's runs; where signals cannot be
 * blocked, or there is none, on this one. */
static void run_apart(silt_task *task, struct look *look, uint8_t *end_of_stack) {
    uint64_t mask;
    bool blocked = end_of_stack && silt_signals_block(&mask);
    silt_aside_switch(blocked ? (uintptr_t)end_of_stack : 0, task, (uintptr_t)look, 0, 0);
    if (blocked) {
        silt_signals_restore(&mask);
    }
}

/* Looks, starts it, and says what came of it. `copy` has room for an environment that does not
 * name the library: `pointers` bytes of pointers, then text. */
static int carry_out(struct look *look, char **copy, size_t pointers, uint8_t *end_of_stack) {
    const struct start *what = look->what;
    strings variables = what->variables;
    run_apart(look_before, look, end_of_stack);
    if (look->seen->has_ours && (look->seen->lists_only || silt_follow_gives_way(look->reason))) {
        silt_follow_copy(variables, copy, (char *)copy + pointers);
        variables = copy;
    }
    int result = enter(what, variables), error = errno;
    if (look->reason && (!spawns(what) || (result == 0 && what->pid))) {
        run_apart(say_after, look, end_of_stack);
    }
    errno = error;
    return result;
}

static __attribute__((noinline)) int carry_out_here(struct look *look, size_t bytes,
                                                    size_t pointers) {
    char found[PATH_BYTES];
    char *copy[(bytes + sizeof(char *) - 1) / sizeof(char *)];
    look->found = found;
    return carry_out(look, copy, pointers, NULL);
}

static int begin(const struct start *what) {
    struct silt_environment seen;
    if (!silt_follow_reads(&what->program, what->variables, &seen)) {
        return enter(what, what->variables);
    }
    struct look look = {.what = what, .seen = &seen};
    size_t pointers = (seen.count + 1) * sizeof(char *), bytes = pointers + seen.preload_bytes + 1;
    size_t whole = silt_whole_pages(PATH_BYTES + bytes + STACK_BYTES);
    struct silt_scratch scratch = silt_scratch_take(whole, !spawns(what));
    if (!scratch.pages) {
        return carry_out_here(&look, bytes, pointers);
    }
    look.found = scratch.pages;
    int result = carry_out(&look, (char **)(void *)(look.found + PATH_BYTES), pointers,
                           (uint8_t *)scratch.pages + whole);
    silt_scratch_drop(&scratch);
    return result;
}

static int start_path(enum door door, const char *path, strings arguments, strings variables) {
    struct start what = {.door = door, .program = {AT_FDCWD, .path = path}};
    what.program.searched = door == EXECVP || door == EXECVPE;
    what.arguments = arguments;
    what.variables = variables;
    return begin(&what);
}

SILT_EXPORT int execve(const char *path, strings arguments, strings variables) {
    return start_path(EXECVE, path, arguments, variables);
}

SILT_EXPORT int execv(const char *path, strings arguments) {
    return start_path(EXECV, path, arguments, environ);
}

SILT_EXPORT int execvpe(const char *file, strings arguments, strings variables) {
    return start_path(EXECVPE, file, arguments, variables);
}

SILT_EXPORT int execvp(const char *file, strings arguments) {
    return start_path(EXECVP, file, arguments, environ);
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
    return start_path(silt_wrapped.execv ? EXECVE : EXECV, path, arguments, environ);
}

SILT_EXPORT int execlp(const char *file, const char *first, ...) {
    ARGUMENTS(arguments, list, first);
    va_end(list);
    return start_path(silt_wrapped.execvp ? EXECVPE : EXECVP, file, arguments, environ);
}

SILT_EXPORT int execle(const char *path, const char *first, ...) {
    ARGUMENTS(arguments, list, first);
    strings variables = va_arg(list, strings);
    va_end(list);
    return start_path(EXECVE, path, arguments, variables);
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
static uintptr_t look_at_shell(const struct silt_origin *origin, uintptr_t unused,
                               uintptr_t unused_too, uintptr_t unused_as_well) {
    const struct silt_program shell = {.directory = AT_FDCWD, .path = "/bin/sh"};
    struct silt_environment seen;
    bool is_known = silt_follow_reads(&shell, environ, &seen) && !seen.lists_only;
    uint32_t reason = is_known ? silt_follow_judge(&shell, shell.path, &seen) : 0;
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    if (reason) {
        silt_tell_untraced(reason, SILT_UNKNOWN_PROCESS, shell.path);
    }
    return 0;
}

static void look_at_shell_apart(void) {
    struct silt_scratch scratch = silt_scratch_take(STACK_BYTES, false);
    run_apart(look_at_shell, NULL, scratch.pages ? (uint8_t *)scratch.pages + STACK_BYTES : NULL);
    silt_scratch_drop(&scratch);
}

SILT_EXPORT int system(const char *command) {
    if (command) {
        look_at_shell_apart();
    }
    return silt_real.system ? silt_real.system(command) : -1;
}

SILT_EXPORT FILE *popen(const char *command, const char *type) {
    look_at_shell_apart();
    FILE *stream = silt_real.popen ? silt_real.popen(command, type) : NULL;
    if (stream) {
        silt_took(fileno(stream), __builtin_frame_address(0));
    }
    return stream;
}
