/* silt_watch.h: one wait for the news of many traced images and for descriptors. */
#ifndef SILT_WATCH_H
#define SILT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The caller sleeps on the images' news words (silt_wire.h) and on a word of its own, which a
 * thread raises when something in an epoll(7) set is ready. That thread also says of all images,
 * twice a second, that the analyzer lives, whatever the caller is doing.
 *
 * At most 127 images are slept on (futex_waitv(2)), those that had news last; while there are more,
 * and where the kernel has no futex_waitv, the caller wakes up 100 times a second instead.
 */
struct silt_watch;

/* NULL and errno. */
struct silt_watch *silt_watch_start(int epoll);
void silt_watch_end(struct silt_watch *watch);

/* The words stay readable and writable until they are removed. -1 and errno. */
int silt_watch_add(struct silt_watch *watch, uint32_t *news, uint64_t *beats);
void silt_watch_remove(struct silt_watch *watch, const uint32_t *news);

/* Waits until an image has news, a descriptor is ready or the time is over; true when the epoll set
 * is to be looked at. Below 0: forever. */
bool silt_watch_wait(struct silt_watch *watch, int milliseconds);

/* Whether an image has news, which it has no more then. */
bool silt_take_news(uint32_t *news);

#endif
