/* fork.h: what a fork child does at once. */
#ifndef SILT_FORK_H
#define SILT_FORK_H

/* In each fork child, before the program goes on. */
void silt_forked(void);

#endif
