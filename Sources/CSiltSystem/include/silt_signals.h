/* silt_signals.h: signals of a silt that stands before a program: read, passed on, given back. */
#ifndef SILT_SIGNALS_H
#define SILT_SIGNALS_H

#include <stdint.h>

struct silt_signal {
    int number;
    int is_sent;   /* by a process; 0: by the kernel, a terminal or a timer */
    int is_queued; /* with `value` (sigqueue(3)) */
    int sender;    /* as this process sees it; 0: unknown */
    uint64_t value;
};

/* A file that meets its limit (RLIMIT_FSIZE) is an error of write(2), not the end of this process,
 * and its children are waited for, whatever it was started with. */
void silt_signals_prepare(void);

/* Blocks every signal that can be passed on, in this thread and those that it makes later; ignores
 * SIGPIPE. Returns -1 and errno. */
int silt_signals_block(void);

/* As silt_signals_block; opens what tells of signals: [0] of those that are blocked, [1] of those
 * that an instruction raises, where a process has sent them. From now on zeros are read behind the
 * end of a mapped file that somebody has made shorter, instead of an end by SIGBUS: who reads them
 * finds them wrong. Returns -1 and errno. */
int silt_signals_open(int fds[2]);

/* One that an instruction raises does to this process what it did when silt started. */
void silt_signal_obey(int number);

/* Takes the next signal that one of them tells of; 0: none. */
int silt_signals_next(int fd, struct silt_signal *signal);

/* Sends it to a process, with the value it had. */
void silt_signal_pass(int to, const struct silt_signal *signal);

/* True when this process ignores it: what is blocked arrives all the same. */
int silt_signal_is_ignored(int number);

/* The signal that has stopped the child since the last call; 0: it was not stopped. */
int silt_stop_signal(int child);

/* In a fork child: mask and dispositions as they were when silt started. */
void silt_signals_restore(void);

/* From now on, in any thread: signals that mean nothing to silt go to the receiver, or nowhere
 * while there is none; those that end or stop a program from a terminal stay as they are. Ignores
 * SIGPIPE. */
void silt_signals_pass_on(void);
void silt_signals_receiver(int process);

#endif
