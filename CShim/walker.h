/* walker.h: what a thread keeps of the stacks it was seen on, and the walk that is under way. In a
 * hook, except where something else is said. */
#ifndef SILT_WALKER_H
#define SILT_WALKER_H

#include "careful.h"
#include "memo.h"
#include "rule.h"
#include "walk.h"

#define WALKS 32 /* stacks of coroutines that are told apart; made as they are met */

/* A frame found by the walk under way. */
struct step {
    uintptr_t slot;
    uint64_t key;
    uintptr_t rbp_at; /* where its function saved the caller's rbp; 0: nowhere */
    uintptr_t cfa_at; /* the word that held the CFA; 0: none did */
    uintptr_t need;
};

enum end { END_OUTERMOST, END_JOINED, END_INCOMPLETE, END_TRUNCATED, END_SLOW, END_UNKNOWN };

/* A walk's findings beside its steps. */
struct outcome {
    enum end end;
    bool damaged;      /* END_INCOMPLETE for what was read, not for want of a rule */
    uintptr_t last_at; /* where the address beyond the last step was read; 0: none was */
};

/* Where a walk has come to. */
struct place {
    uintptr_t slot, address; /* the frame to be left next */
    uintptr_t rbp_at;        /* where its rbp can be read */
    uint32_t k;              /* kept frames that may still be met: the outermost ones; END_JOINED:
                                the last of them was */
    uint32_t count;          /* steps so far */
};

/* The walk under way: it stops at a frame whose rule is not known (END_UNKNOWN), and goes on with
 * `rule`. It lies in the walker, not on the program's stack, which may be small (aside.c). */
struct way {
    struct place here;
    struct walk *walk; /* whose frames may be met */
    silt_rule rule;
    uintptr_t at;
    uint64_t exact;
    bool careful;       /* a signal frame was passed */
    bool searched;      /* more words were read than are kept of a step */
    bool framed;        /* the last step's address was found by a frame of code without a table */
    uint8_t slow_flags; /* of silt_walk_slowly */
    struct silt_readable known;
    struct outcome out;
};

struct silt_walker {
    uintptr_t low, span; /* slots in [low, low + span] belong to the current walk for sure */
    uint32_t current;
    uint32_t victim;
    uint32_t generation; /* silt_rules_generation when its walks were last begun anew */
    uint32_t forgotten;  /* silt_rules_forgotten when its nodes were */
    bool busy;           /* a capture is under way, or has filled the tree */
    struct walk walks[WALKS];
    struct walk none;       /* always empty */
    struct frame beyond;    /* what lies before its first frame */
    uintptr_t highs[WALKS]; /* slots of the outermost frames; 0: empty */
    struct silt_trie trie;
    struct memos memos;
    struct way way;
    uint32_t unmaps; /* silt_walker_unmaps when `stack` was begun */
    /* Pages of the current stack that were seen to be readable: outside of them a walk looks before
     * it reads, since a wrong table or a made-up return address may lead it beyond the stack. */
    struct silt_readable stack;
    struct step steps[SILT_MAX_FRAMES]; /* innermost first */
};

/* That of a slot; NULL when there is no memory. */
struct silt_walker *silt_walker_new(uint32_t index);
/* NULL is allowed. */
void silt_walker_drop(struct silt_walker *walker, uint32_t index);
/* In a fork child: as silt_walker_drop, and the slot's room is unmapped. */
void silt_walker_forget_parent(struct silt_walker *walker, uint32_t index);
/* Rises when the program unmaps or replaces memory, which may be a stack. */
extern uint32_t silt_walker_unmaps SILT_HIDDEN;
/* Forgets all walks and memos. */
void silt_walker_forget(struct silt_walker *walker);

/* The walk of the stack that holds `slot`: the one whose outermost frame is nearest above it. */
struct walk *silt_walk_find(struct silt_walker *walker, uintptr_t slot);
/* Makes a walk the current one, and finds which slots are its own. */
void silt_walk_make_current(struct silt_walker *walker, const struct walk *current);
/* Room for a walk of so many frames that met no kept one: that of the same stack, an empty one, or
 * the victim. NULL when there is no memory. */
struct walk *silt_walk_place(struct silt_walker *walker, uintptr_t high, uint32_t frames);
/* Gives a walk room for at least so many frames; false when there is no memory, or they are too
 * many: then it is as it was. */
bool silt_walk_grow(struct walk *walk, uint32_t frames);

/* Whether a walk has room for so many frames, made if need be. */
static inline bool walk_has_room(struct walk *walk, uint32_t frames) {
    return SILT_LIKELY(frames <= walk->room) || silt_walk_grow(walk, frames);
}

static inline struct walk *choose_walk(struct silt_walker *walker, uintptr_t slot) {
    if (SILT_LIKELY(slot - walker->low <= walker->span)) {
        return &walker->walks[walker->current];
    }
    struct walk *walk = silt_walk_find(walker, slot);
    if (walk->count) {
        silt_walk_make_current(walker, walk);
    }
    return walk;
}

#endif
