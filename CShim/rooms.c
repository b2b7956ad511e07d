/*
 * rooms.c: the private pages that a slot's owner begins with. Runs inside hooks; takes no lock.
 *
 * A program may have vm.max_map_count mappings. So the rooms of a block of slots are one mapping
 * where there are many of them, and are given back without being unmapped.
 */
#define _GNU_SOURCE
#include "rooms.h"

#include "memory.h"
#include "sandbox.h"
#include "system.h"

#include <string.h>
#include <sys/mman.h>

#define BLOCK_BYTES (SILT_BLOCK_SLOTS * (size_t)SILT_ROOM_BYTES)

static uint8_t *blocks[SILT_MAX_SLOTS / SILT_BLOCK_SLOTS]; /* NULL: its rooms are mapped singly */

/* Pages of which one does not become 512 (transparent huge pages). */
static uint8_t *map_block(void) {
    uint8_t *block = silt_pages(BLOCK_BYTES);
    if (block && !silt_is_filtered()) {
        silt_call(SYS_madvise, block, BLOCK_BYTES, MADV_NOHUGEPAGE);
    }
    return block;
}

void *silt_room(uint32_t index) {
    uint32_t number = index / SILT_BLOCK_SLOTS;
    if (number < SILT_SINGLE_BLOCKS) {
        return silt_pages(SILT_ROOM_BYTES);
    }
    uint8_t *block = __atomic_load_n(&blocks[number], __ATOMIC_ACQUIRE), *there = NULL;
    if (!block && (block = map_block()) &&
        !__atomic_compare_exchange_n(&blocks[number], &there, block, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        silt_pages_drop(block, BLOCK_BYTES);
        block = there;
    }
    return block ? block + index % SILT_BLOCK_SLOTS * (size_t)SILT_ROOM_BYTES
                 : silt_pages(SILT_ROOM_BYTES);
}

/* Whether that room is a part of its block's mapping. */
static bool is_of_block(uint32_t index, const void *room) {
    const uint8_t *block = blocks[index / SILT_BLOCK_SLOTS];
    return block && room == block + index % SILT_BLOCK_SLOTS * (size_t)SILT_ROOM_BYTES;
}

void silt_room_clear(uint32_t index, void *room) {
    if (!is_of_block(index, room)) {
        silt_pages_drop(room, SILT_ROOM_BYTES);
    } else if (silt_is_filtered() ||
               silt_call(SYS_madvise, room, SILT_ROOM_BYTES, MADV_DONTNEED) != 0) {
        memset(room, 0, SILT_ROOM_BYTES); /* it may be locked (mlockall(2)) */
    }
}

void silt_room_forget(uint32_t index, void *room) {
    uint8_t *block = blocks[index / SILT_BLOCK_SLOTS];
    if (block) {
        silt_pages_drop(block + index % SILT_BLOCK_SLOTS * (size_t)SILT_ROOM_BYTES,
                        SILT_ROOM_BYTES);
    }
    if (!is_of_block(index, room)) {
        silt_pages_drop(room, SILT_ROOM_BYTES);
    }
}

void silt_rooms_forget(void) {
    memset(blocks, 0, sizeof blocks);
}
