/* silt_process.h: descriptors over a socket, process start and futexes: what needs macros or fork
 * in C. */
#ifndef SILT_PROCESS_H
#define SILT_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>
#include <sys/xattr.h>

/* The words that this process was started with, its own name first; NULL beyond them. */
int silt_argument_count(void);
const char *silt_argument(int index);

/* The variables of this process; NULL when it has none. */
char **silt_environment(void);

/* What one message on the rendezvous socket carried. */
struct silt_message {
    ssize_t bytes; /* of the payload; 0 = the peer closed; -1 = error, see errno */
    int fds[4];    /* descriptors received, close-on-exec */
    int fd_count;
    int is_cut; /* 1: not all descriptors came: this process may not have so many */
    pid_t pid;  /* of the sender as this process sees it, 0 if unknown */
    uid_t uid;
};

/* A listening SOCK_SEQPACKET socket at `path`, mode 0600, credentials on. Returns -1 and errno. */
int silt_listen(const char *path);

/* The same under that name in the network namespace (unix(7), abstract), where file systems do not
 * matter; any user may connect. */
int silt_listen_by_name(const char *path);

/* Accepts one connection, non-blocking, close-on-exec. Returns -1 and errno. */
int silt_accept(int listener);

/* Whether who has connected is root or this user (SO_PEERCRED of unix(7)). */
int silt_is_trusted_peer(int fd);

/* Receives one message, its descriptors and credentials. Does not block. */
struct silt_message silt_receive(int fd, void *payload, size_t capacity);

/* Connects to a listening socket; -1 and errno. */
int silt_connect(const char *path);

/* How a program starts, where that differs from its starter. */
struct silt_start {
    const char *directory; /* NULL: the caller's */
    int input;             /* descriptor for its standard input; -1: the caller's */
    int output;            /* the same for standard output */
    int errors;            /* and for standard error */
    int own_group;         /* leads a process group of its own, with an empty signal mask; gets
                              SIGTERM when the thread that started it ends (PR_SET_PDEATHSIG) */
};

/*
 * Starts argv[0] (searched on PATH) with the given environment, with the caller's original signal
 * mask and default dispositions, in the caller's process group. Returns the pid, or -1 with errno
 * set to what exec, fork or chdir gave.
 */
pid_t silt_spawn_as(char *const argv[], char *const envp[], const struct silt_start *start);

/* A pipe, close-on-exec, whose reading end ends[0] does not block. Returns -1 and errno. */
int silt_output_pipe(int ends[2]);

/* From now on processes whose parent ends become children of this one, if they descend from it
 * (PR_SET_CHILD_SUBREAPER of prctl(2)). Returns -1 and errno. */
int silt_adopt_orphans(void);

/* 1 when the child has ended, which leaves it to be waited for; 0 while it runs; -1 and errno.
 * *status as a shell reports it: the exit status, or 128 + signal. */
int silt_has_ended(pid_t child, int *status);

/* Allows this process as many descriptors as the hard limit does (each traced image takes three),
 * and 16,384 at least where it may; what silt_spawn_as starts gets the old limit. */
void silt_raise_descriptor_limit(void);

/* How many descriptors this process may still open, counted up to `most`, 64 at most. */
int silt_count_free_descriptors(int most);

/* Becomes the program, with the old limit and the signals as they were; returns with errno if it
 * cannot. */
void silt_execute(char *const argv[], char *const envp[]);

int silt_pidfd(pid_t pid);

/* Claims a file for writing as long as the descriptor is open; 0 when another has claimed it. */
int silt_claim(int fd);

/* An empty memory file (memfd_create(2)), close-on-exec. Returns -1 and errno. */
int silt_memory_file(const char *name);

/* Gives back the memory of a part of such a file, which reads as zeros from then on. */
void silt_punch(int fd, uint64_t offset, uint64_t bytes);

/* Wakes the producer that sleeps on `word` (shared futex) after setting it to 0. */
void silt_wake(uint32_t *word);

#endif
