/* programs.h: a program that is about to be executed. In an exec hook. */
#ifndef SILT_PROGRAMS_H
#define SILT_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file, whatever its path. */
struct silt_file {
    uint64_t device;
    uint64_t inode;
};

struct silt_file silt_file_at(int directory, const char *path);
bool silt_same_file(struct silt_file a, struct silt_file b);

/* What a new image must find: known at start, constant from then on. */
struct silt_surroundings {
    struct silt_file loader; /* the one that runs this program */
    const char *loader_path;
    struct silt_file root;
};

/* Why the loader of that program cannot take in the preload library (SILT_UNTRACED_…), 0 when it
 * can or when nothing is known. `path` as for execveat(2): "" is the descriptor itself. */
uint32_t silt_inspect_program(const struct silt_surroundings *here, int directory,
                              const char *path);

/* The path behind a descriptor, "" when /proc does not say. */
void silt_name_descriptor(int fd, char *path, size_t capacity);

/* Whether a library must be loaded before all others: the file of a sanitizer's runtime begins with
 * such a name. */
bool silt_is_sanitizer(const char *name);

#endif
