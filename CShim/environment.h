/* environment.h: what an environment says about the preload library. In an exec hook. */
#ifndef SILT_ENVIRONMENT_H
#define SILT_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#define SILT_MAX_PRELOADS                                                                          \
    8192u /* bytes of LD_PRELOAD entries; with more, an environment is left                        \
           */

typedef char *const *silt_strings;

struct silt_environment {
    unsigned count;
    size_t preload_bytes; /* of the LD_PRELOAD entries */
    bool has_ours;
    bool is_behind;  /* a sanitizer's runtime is named after ours */
    bool has_socket; /* SILT_SOCKET is there */
    bool lists_only; /* the loader is asked what it would load (ldd(1)) */
    bool valgrind;
};

/* `library` is the last part of our path. False when the environment cannot be read, or is larger
 * than what is copied. */
bool silt_read_environment(const char *library, silt_strings variables,
                           struct silt_environment *seen);

/* Copies the pointers, with LD_PRELOAD entries that do not name the library. `copy` has room for
 * `count` + 1 pointers, `text` for `preload_bytes` bytes of those entries. `copy` may be
 * `variables`: pointers are only ever moved down, so that who reads them meanwhile finds the rest.
 */
void silt_copy_environment(const char *library, silt_strings variables, char **copy, char *text);

#endif
