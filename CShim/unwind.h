/* unwind.h: walks outward by unwind rules. In a hook. */
#ifndef SILT_UNWIND_H
#define SILT_UNWIND_H

#include "walker.h"

/* The stack that a walk begins on is readable at a hook's frame. */
void silt_walk_enter_page(struct silt_walker *walker, uintptr_t hook_frame);

/* Begins a walk outward from the hook's frame; a kept frame is met only among the first `limit`
 * ones. */
static inline void silt_walk_begin(struct silt_walker *walker, struct walk *walk, uint32_t limit,
                                   uintptr_t hook_frame) {
    struct way *way = &walker->way;
    if (SILT_UNLIKELY(!silt_is_seen(&walker->stack, hook_frame) ||
                      walker->unmaps != silt_walker_unmaps)) {
        silt_walk_enter_page(walker, hook_frame);
    }
    way->here = (struct place){hook_frame + 8, word(hook_frame + 8), hook_frame, limit, 0};
    way->walk = walk;
    way->rule = SILT_RULE_NONE;
    way->exact = 0;
    way->careful = way->framed = way->searched = false;
    way->known = (struct silt_readable){0, 0};
    way->out.damaged = true;
}

/* Walks on to the end, or to a frame whose rule is not known: the last step's. */
void silt_walk_out(struct silt_walker *walker);

/* Finds the rule that a walk stopped for; false when there is none, and the stack ends there. */
bool silt_walk_learn(struct way *way);

#endif
