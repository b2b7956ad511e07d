/* own.h: silt's own descriptors in the program. */
#ifndef SILT_OWN_H
#define SILT_OWN_H

#include "macros.h"

#include <stdbool.h>
#include <stdint.h>

enum silt_own_descriptor {
    /* The pipe's writing end. Nothing is written to it: the analyzer takes its end for the end of
     * this image. */
    SILT_LIFE_LINE,
    /* The connection to the analyzer. It is kept so that a fork child that has changed its root or
     * its user can still say hello. The analyzer takes its end for the end of the last process that
     * may. */
    SILT_RENDEZVOUS,
    SILT_OWN_DESCRIPTORS
};

/* Their numbers, -1 for none; the number of one that the program replaced stays. */
extern int silt_own[SILT_OWN_DESCRIPTORS] SILT_HIDDEN;

/* Moves a descriptor to a high number, close-on-exec, where the program does not expect its own:
 * beyond those that select(2) can name, and beyond a low limit of descriptors, where that can be.
 * At start, in a fork child. */
int silt_own_raise(int fd);
/* Closes both again where the program may have few and silt could not put them beyond the limit:
 * the analyzer watches the process otherwise. At start, in a fork child. */
void silt_own_spare(void);
void silt_own_set(enum silt_own_descriptor which, int fd);
/* Whether one of silt's descriptors is still what it was. Holds as long as nobody else replaces the
 * number. */
bool silt_own_is_still(enum silt_own_descriptor which);
/* Whether that number stands for one of silt's descriptors. In a hook. */
bool silt_own_holds(int fd);
/* The program was told that a number of silt's is not open, which it wanted to close. When it asks
 * again and again, as a loop over /proc/self/fd does, silt goes without that descriptor, as it does
 * where the program has put its own in its place. In a hook. */
void silt_own_refused(int fd);
/* True when the life line is broken: the analyzer is gone. In a hook that waits. */
bool silt_own_line_is_broken(void);

/* Whether nobody else can change descriptors: no other thread, as far as /proc tells, and neither
 * the parent nor the process `maker` (0: none) shares them (clone(2), CLONE_FILES without CLONE_VM,
 * perhaps with CLONE_PARENT), which only a forked process can have. At start, in a fork child, in
 * an exec hook. */
bool silt_own_is_alone(bool forked, uint32_t maker);
/* Whether there is another thread, as far as /proc tells. */
bool silt_own_has_threads(void);

#endif
