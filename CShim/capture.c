/*
 * capture.c: the current stack of a thread, by unwind rules and verified reuse. In a hook.
 *
 * Unwinding is a deterministic function of the words it reads. A walker therefore keeps the frames
 * of its last walks, outermost first, with the words that were read to get from each frame to the
 * next one and the id of the stack that ends there. A capture walks from the innermost frame until
 * it meets a kept one, checks the kept words from there outward, and is done: the id is known. The
 * words are checked in the order in which an unwinder would read them, so that nothing is read that
 * it would not read; stacks of coroutines come and go.
 *
 * Frames deeper than SILT_MAX_FRAMES are named from a cut on: a frame at depth 1024 m to 1024 m +
 * 1023, counted from the outermost kept one, is named by the frames from 1024 (m - 1) inward. So
 * between 1024 and 2047 frames name it, a recursion shares the nodes of its outer part, and no
 * capture reads more than that.
 */
#include "capture.h"

#include "naming.h"
#include "rules.h"
#include "unwind.h"

/* A stack that no memo has: walked, named and kept. */
static inline uint32_t capture_anew(struct silt_walker *walker, struct walk *walk, uint32_t limit,
                                    uintptr_t hook_frame, bool memorize, struct silt_sink *sink) {
    struct way *way = &walker->way;
    for (;;) {
        silt_walk_begin(walker, walk, limit, hook_frame);
        do {
            silt_walk_out(walker);
        } while (SILT_UNLIKELY(way->out.end == END_UNKNOWN) && silt_walk_learn(way));
        if (SILT_UNLIKELY(way->out.end != END_JOINED)) {
            return silt_name_ended(walker, hook_frame, sink);
        }
        if (way->careful || way->searched) {
            return silt_name_inside(walker, sink);
        }
        if (SILT_LIKELY(walk_has_room(walk, way->here.k + way->here.count))) {
            break;
        }
        /* Too deep to add to: begin with the innermost frames. */
        walk->count = walk->cursor = 0;
        limit = 0;
        memorize = false;
    }
    uint32_t node = silt_name_joined(walker, sink);
    if (node && memorize) {
        memo_keep(&walker->memos, walk, way->here.k - 1);
    }
    return node;
}

/* Begins anew: a module has gone, longjmp(3) has left a capture half-made, or there are as many
 * nodes as there may be. Where code made at run time has gone, nodes stay. */
static __attribute__((noinline)) void start_over(struct silt_walker *walker,
                                                 struct silt_sink *sink) {
    uint32_t generation = silt_rules_generation, forgotten = silt_rules_forgotten;
    silt_walker_forget(walker);
    if (walker->busy || walker->forgotten != forgotten) {
        silt_trie_clear(&walker->trie);
        silt_emit_tree(sink);
    }
    walker->forgotten = forgotten;
    walker->generation = generation;
    walker->busy = false;
}

/* A capture whose innermost frame is not kept, or not in front of what it was in front of; `asked`:
 * no memo has it either. */
static __attribute__((noinline)) uint32_t capture_changed(struct silt_walker *walker,
                                                          struct walk *walk, uint32_t limit,
                                                          uintptr_t hook_frame, bool asked,
                                                          struct silt_sink *sink) {
    uintptr_t slot = hook_frame + 8;
    bool memorize = asked || memo_is_on(&walker->memos);
    uint32_t node = 0;
    walker->busy = true;
    if (memorize && !asked) {
        node = memo_ask(&walker->memos, walk, slot, word(slot), word(hook_frame));
    }
    if (!node) {
        node = capture_anew(walker, walk, limit, hook_frame, memorize, sink);
    }
    walker->busy = walker->trie.is_full;
    return node;
}

uint32_t silt_walker_capture(struct silt_walker *walker, const void *frame,
                             struct silt_sink *sink) {
    uintptr_t hook_frame = (uintptr_t)frame, slot = hook_frame + 8;
    if (SILT_UNLIKELY(walker->generation != silt_rules_generation || walker->busy)) {
        start_over(walker, sink);
    }
    struct walk *walk = choose_walk(walker, slot);
    bool asked = walker->memos.lead;
    if (asked) {
        uint32_t node = memo_ask(&walker->memos, walk, slot, word(slot), word(hook_frame));
        if (SILT_LIKELY(node)) {
            return node;
        }
    }
    uint32_t k = walk->cursor;
    while (k < walk->count && walk->frames[k].slot >= slot) {
        k++;
    }
    const struct frame *top = walk->frames + k - 1;
    while (top->slot < slot) {
        top--;
    }
    k = (uint32_t)(top + 1 - walk->frames);
    uint32_t limit = k;
    walk->cursor = k;
    if (top->slot == slot && (top->key & ~NEEDS_RBP) == word(slot) &&
        (!(top->key & NEEDS_RBP) || top->need == word(hook_frame))) {
        limit = k - 1;
        if (SILT_LIKELY(holds(walk, k - 1, &limit))) {
            return top->node;
        }
    }
    return capture_changed(walker, walk, limit, hook_frame, asked, sink);
}
