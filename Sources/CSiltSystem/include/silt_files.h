/* silt_files.h: opening files that others name, and descriptors that others hand over. */
#ifndef SILT_FILES_H
#define SILT_FILES_H

#include <stdint.h>
#include <sys/types.h>

/* Opens a regular file for reading. What is none (a FIFO, a device, a folder) is not opened at
 * all: that could wait forever, or start something. Returns -1 and errno (ENOTSUP: no regular
 * file). */
int silt_open_regular(const char *path);

/* Whether a file lies on a mount that this process does not hold busy anyway, by its root, its own
 * files or its folder. 0 also where the kernel does not say (before Linux 5.8). */
int silt_lies_elsewhere(const char *path);

/* For a regular file on such a mount a sealed copy in memory, so that its file system can be
 * unmounted; otherwise, and where it is too large to be copied, `fd` as it is. Takes `fd` over. */
int silt_detach(int fd);

/* The same for what a user named, who may have meant a pipe or a terminal: these do too. A pipe
 * that nobody writes into reads as empty. */
int silt_open_input(const char *path);

/* Between these, what the calling thread opens for reading by open(2) in code of this program, the
 * libraries linked into it included, is a regular file or is not there (ENOENT): libdw opens
 * whatever bears the name of a debug file, and a FIFO would hold it forever. May be nested. */
void silt_open_regular_only(void);
void silt_open_anything(void);

/* What is wrong with a descriptor, or 0. */
enum silt_unfit {
    SILT_FIT = 0,
    SILT_UNFIT_KIND = 1, /* not what it should be */
    SILT_UNFIT_MODE = 2, /* it cannot be read, or not be written */
    SILT_UNFIT_SEAL = 3  /* it can be made shorter at any time */
};

/* *pipe must be the reading end of a pipe. Becomes a descriptor of our own for the same pipe, which
 * does not block: the one that was handed over shares its flags with its sender. */
enum silt_unfit silt_take_pipe(int *pipe);

/* `file` must be a memory file that can be read and written. From now on nobody can make it
 * shorter (F_SEAL_SHRINK of fcntl(2)): reading what is no longer there would end this process. */
enum silt_unfit silt_take_memory(int file);

/* Whether `path` is free for a socket: it does not exist, or is a socket that nobody listens at,
 * which is removed. Otherwise -1 and errno: EADDRINUSE (somebody listens), ENOTSOCK (it is
 * something else, a symbolic link included), or what connect or lstat gave. */
int silt_free_socket_path(const char *path);

/* Removes the socket that `silt_listen` made, unless something else is there by now. */
void silt_remove_socket(const char *path, uint64_t device, uint64_t inode);

#endif
