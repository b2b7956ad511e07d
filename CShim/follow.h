/* follow.h: whether a program that is about to start can be traced. */
#ifndef SILT_FOLLOW_H
#define SILT_FOLLOW_H

#include "environment.h"

#include <stdint.h>

/* A program that is about to start. */
struct silt_program {
    int directory; /* as of execveat(2) */
    const char *path;
    int flags;
    bool by_descriptor; /* fexecve(3): `directory` is the program */
    bool searched;      /* on PATH */
    bool has_actions;   /* file actions of posix_spawn(3), which may change the directory first */
};

/* At start, before the program's own code; a second call has no effect. */
void silt_follow_init(void);

/* Reads an environment; false when nothing is known of it, of the library, or of what `program`
 * names. Only then the path may be read. In an exec hook. */
bool silt_follow_reads(const struct silt_program *program, silt_strings variables,
                       struct silt_environment *seen);

/* Why the program at `path` cannot be traced (SILT_UNTRACED_…); 0 when it can, or when nothing is
 * known. In an exec hook. */
uint32_t silt_follow_judge(const struct silt_program *program, const char *path,
                           const struct silt_environment *seen);

/* What this program starts from now on must not find the library: it would be killed. Takes it out
 * of environ. In the hooks that install a filter. */
void silt_follow_stop(void);

/* Whether the new image must not find the library in its environment. In an exec hook. */
bool silt_follow_gives_way(uint32_t reason);

/* silt_copy_environment without our library. In an exec hook. */
void silt_follow_copy(silt_strings variables, char **copy, char *text);

#endif
