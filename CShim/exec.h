/* exec.h: programs that this one starts; looked at before they run. */
#ifndef SILT_EXEC_H
#define SILT_EXEC_H

#include "silt_wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file, whatever its path. */
struct silt_file {
    uint64_t device;
    uint64_t inode;
};

/* What a new image must find: known at start, constant from then on. */
struct silt_surroundings {
    struct silt_file loader; /* the one that runs this program */
    const char *loader_path;
    struct silt_file root;
};

struct silt_file silt_file_at(int directory, const char *path);
bool silt_same_file(struct silt_file a, struct silt_file b);

/* programs.c: why the loader of that program cannot take in the preload library, 0 when it can or
 * when nothing is known. `path` as for execveat(2): "" is the descriptor itself. In an exec hook.
 */
uint32_t silt_inspect_program(const struct silt_surroundings *here, int directory,
                              const char *path);

/* programs.c: the path behind a descriptor, "" when /proc does not say. */
void silt_name_descriptor(int fd, char *path, size_t capacity);

/* programs.c: the file of a library that must be loaded before all others begins like that. */
bool silt_is_sanitizer(const char *name);

/* exec.c: at start, before the program's own code; again without effect. */
void silt_exec_init(void);

/* process.c: the analyzer's socket, "" when none is known; whether no other thread or process can
 * change this one's descriptors; then, the connection to the analyzer that is still kept, -1 when
 * none is. */
const char *silt_rendezvous_path(void);
bool silt_is_alone(void);
int silt_kept_rendezvous(void);

#endif
