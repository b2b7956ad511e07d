/* rooms.h: the private pages that a slot's owner begins with. In a hook, except where something
 * else is said. */
#ifndef SILT_ROOMS_H
#define SILT_ROOMS_H

#include <stddef.h>
#include <stdint.h>

#define SILT_ROOM_BYTES (208u << 10)

/* Zeroed pages of that many bytes, the same ones for the same slot; NULL when there are none. */
void *silt_room(uint32_t index);
/* Gives their memory back. */
void silt_room_clear(uint32_t index, void *room);
/* In a fork child: the slot was the parent's. NULL: it had no room then. */
void silt_room_forget(uint32_t index, void *room);
/* In a fork child, after all of them. */
void silt_rooms_forget(void);

#endif
