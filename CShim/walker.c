/*
 * walker.c: the walks that a thread keeps: their memory, and which one belongs to a stack.
 *
 * A walker keeps several walks, since programs change between stacks (coroutines, alternate
 * stacks). Everything here may run in a hook.
 */
#include "walker.h"

#include "memory.h"
#include "rooms.h"
#include "rules.h"

#include <string.h>

uint32_t silt_walker_unmaps;

#define REGION (8u << 20) /* a walk's outermost frame is at most this far from its innermost */

/* Bytes of a walk's frames, with the one before the first, and their words. */
#define WALK_BYTES(room)                                                                           \
    (((room) + 1) * (sizeof(struct frame) + WORDS_A_FRAME * sizeof(struct word)))

/* What a slot's room holds. Walks and trees that outgrow it get pages of their own. */
struct room {
    struct silt_walker walker;
    _Alignas(4096) uint8_t walk[WALK_BYTES(FIRST_ROOM)];
    struct silt_trie_node nodes[SILT_FIRST_NODES];
};
_Static_assert(sizeof(struct room) <= SILT_ROOM_BYTES, "a room is too small");

static void lay_out(struct walk *walk, struct frame *frames, uint32_t room) {
    frames->slot = UINTPTR_MAX;
    walk->frames = frames + 1;
    walk->words = (struct word *)(void *)(frames + 1 + room);
    walk->room = room;
    walk->of_room = false;
}

static void walk_drop(const struct walk *walk) {
    if (walk->frames && !walk->of_room) {
        silt_pages_drop(walk->frames - 1, WALK_BYTES(walk->room));
    }
}

struct silt_walker *silt_walker_new(uint32_t index) {
    struct room *room = silt_room(index);
    struct silt_walker *walker = room ? &room->walker : NULL;
    if (walker) {
        lay_out(&walker->walks[0], (struct frame *)(void *)room->walk, FIRST_ROOM);
        walker->walks[0].of_room = true;
        silt_trie_init(&walker->trie, room->nodes);
        walker->low = UINTPTR_MAX;
        walker->generation = silt_rules_generation;
        walker->forgotten = silt_rules_forgotten;
        walker->beyond.slot = UINTPTR_MAX;
        walker->none.frames = &walker->beyond + 1;
    }
    return walker;
}

/* Memory for exactly so many frames. */
static bool resize(struct walk *walk, uint32_t room) {
    struct walk old = *walk;
    struct frame *frames = silt_pages(WALK_BYTES(room));
    if (!frames) {
        return false;
    }
    lay_out(walk, frames, room);
    if (old.count) {
        memcpy(walk->frames, old.frames, old.count * sizeof *frames);
        memcpy(walk->words, old.words, old.frames[old.count - 1].words * sizeof *old.words);
    }
    walk_drop(&old);
    return true;
}

__attribute__((noinline)) bool silt_walk_grow(struct walk *walk, uint32_t frames) {
    uint32_t room = walk->room ? walk->room : FIRST_ROOM;
    while (room < frames) {
        room = room * 2 + 1;
    }
    return room <= KEPT && resize(walk, room);
}

/* What has outgrown the room. */
static void drop_grown(struct silt_walker *walker) {
    for (unsigned i = 0; i < WALKS; i++) {
        walk_drop(&walker->walks[i]);
    }
    silt_trie_drop(&walker->trie);
}

void silt_walker_drop(struct silt_walker *walker, uint32_t index) {
    if (walker) {
        drop_grown(walker);
        silt_room_clear(index, walker);
    }
}

void silt_walker_forget_parent(struct silt_walker *walker, uint32_t index) {
    if (walker) {
        drop_grown(walker);
    }
    silt_room_forget(index, walker);
}

void silt_walker_forget(struct silt_walker *walker) {
    for (unsigned i = 0; i < WALKS; i++) {
        walker->walks[i].count = walker->walks[i].cursor = 0;
        walker->highs[i] = 0;
    }
    walker->low = UINTPTR_MAX;
    walker->span = 0;
    memset(walker->memos.sets, 0, sizeof walker->memos.sets);
}

__attribute__((noinline)) struct walk *silt_walk_find(struct silt_walker *walker, uintptr_t slot) {
    struct walk *found = &walker->none;
    uintptr_t best = REGION;
    for (unsigned i = 0; i < WALKS; i++) {
        if (walker->highs[i] - slot < best) {
            best = walker->highs[i] - slot;
            found = &walker->walks[i];
        }
    }
    return found;
}

void silt_walk_make_current(struct silt_walker *walker, const struct walk *current) {
    walker->current = (uint32_t)(current - walker->walks);
    uintptr_t high = walker->highs[walker->current];
    uintptr_t low = high > REGION ? high - REGION + 1 : 1;
    for (unsigned i = 0; i < WALKS; i++) {
        if (walker->highs[i] < high && walker->highs[i] >= low) {
            low = walker->highs[i] + 1;
        }
    }
    walker->low = low;
    walker->span = high - low;
}

struct walk *silt_walk_place(struct silt_walker *walker, uintptr_t high, uint32_t frames) {
    unsigned place = 0;
    while (place < WALKS && walker->highs[place] != high) {
        place++;
    }
    if (place == WALKS) {
        for (place = 0; place < WALKS && walker->highs[place]; place++) {
        }
    }
    struct walk *walk = &walker->walks[place < WALKS ? place : walker->victim++ % WALKS];
    walk->count = walk->cursor = 0; /* what it held is not copied when it grows */
    return walk_has_room(walk, frames) ? walk : NULL;
}
