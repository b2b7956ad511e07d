/* taken.h: descriptors that the program takes and gives back; `frame` is that of the hook. In a
 * hook. What a vfork(2) child does with its own table is not recorded. */
#ifndef SILT_TAKEN_H
#define SILT_TAKEN_H

#include <stdbool.h>

/* The program has a new descriptor, unless `fd` is negative; returns `fd`. */
int silt_took(int fd, const void *frame);

/* About to be closed; true when that is recorded, which silt_kept undoes. */
bool silt_gives(int fd, const void *frame);
void silt_kept(int fd, const void *frame);
/* About to be closed: all from `first` to `last`. */
void silt_gives_range(unsigned first, unsigned last, const void *frame);

#endif
