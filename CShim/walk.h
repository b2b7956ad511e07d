/* walk.h: kept walks, what was read along them, and whether it still holds. Runs inside hooks. */
#ifndef SILT_WALK_H
#define SILT_WALK_H

#include "stacks.h"

#define KEPT          8191 /* frames of a kept walk at most */
#define FIRST_ROOM    255  /* of a new one; with the frame before the first, whole pages */
#define WORDS_A_FRAME 3    /* words that a step reads, at most */
#define CUT           (SILT_MAX_FRAMES / 2)
#define NEEDS_RBP     ((uint64_t)0x80 << 56) /* in a kept frame's key only */

struct word {
    uintptr_t at, value;
};

/* A frame that was kept. */
struct frame {
    uintptr_t slot; /* where the return address lies; for an interrupted frame rsp - 8 */
    uint64_t key;   /* SILT_KEY, and NEEDS_RBP */
    uintptr_t need; /* with NEEDS_RBP: the rbp with which this frame is returned to */
    uint32_t node;
    uint32_t words; /* end of the words read from here to the outermost frame */
};

struct walk {
    /* Outermost first, and before the first a slot beyond all; NULL: not needed yet. */
    struct frame *frames;
    struct word *words; /* in the same order; what leads from frame i outward ends at [i].words */
    uint32_t count;
    uint32_t cursor; /* frames on or above the last capture's innermost one */
    uint32_t room;   /* frames there is memory for */
    bool of_room;    /* that memory is a part of the slot's room */
};

static inline uintptr_t word(uintptr_t address) {
    return *(const uintptr_t *)address;
}

/* Outermost frame that takes part in the name of frame k. */
static inline uint32_t base_of(uint32_t k) {
    return SILT_LIKELY(k < SILT_MAX_FRAMES) ? 0 : (k / CUT - 1) * CUT;
}

static inline bool differs(const struct word *at) {
    return SILT_UNLIKELY(word(at->at) != at->value);
}

/* True when every word that names frame k still holds; else *limit is the number of frames outside
 * of the first change. */
static inline bool holds(const struct walk *walk, uint32_t k, uint32_t *limit) {
    const struct word *at = walk->words + walk->frames[k].words;
    uint32_t base = base_of(k);
    const struct word *low = walk->words + (base ? walk->frames[base].words : 0);
    /* Four a round: what is read, and in which order, stays the same. */
    while (at - low >= 4) {
        if (differs(at - 1)) {
            at -= 1;
            goto changed;
        }
        if (differs(at - 2)) {
            at -= 2;
            goto changed;
        }
        if (differs(at - 3)) {
            at -= 3;
            goto changed;
        }
        at -= 4;
        if (differs(at)) {
            goto changed;
        }
    }
    while (at != low) {
        at--;
        if (differs(at)) {
            goto changed;
        }
    }
    return true;
changed:
    while (k > 0 && walk->frames[k - 1].words > (uint32_t)(at - walk->words)) {
        k--;
    }
    *limit = k;
    return false;
}

#endif
