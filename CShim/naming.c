/*
 * naming.c: gives stacks that were walked their nodes, and keeps what was read along them.
 *
 * In a hook, on the program's stack, which may be small: what names frames answers SILT_NODE_WAITS
 * when a node has to wait for something rare, and is called again when that is done.
 */
#include "naming.h"

#include "image.h"
#include "memory.h"
#include "slow.h"

/* Names frames `from` up to `to` of a walk inside of `node`. */
static __attribute__((noinline)) uint32_t name_frames(struct silt_walker *walker, uint32_t node,
                                                      const struct frame *from,
                                                      const struct frame *to,
                                                      struct silt_sink *sink) {
    for (; from < to && node != SILT_NODE_WAITS; from++) {
        node = silt_trie_child(&walker->trie, node, from->key & ~NEEDS_RBP, sink);
    }
    return node;
}

/* The parent of frame `index` of a walk; frames outside of it are named already. */
static inline uint32_t parent_of(struct silt_walker *walker, const struct walk *walk,
                                 uint32_t index, struct silt_sink *sink) {
    if (SILT_LIKELY(index < SILT_MAX_FRAMES || index % CUT != 0)) {
        return walk->frames[index - 1].node;
    }
    uint32_t node = silt_trie_child(&walker->trie, 0, SILT_KEY(0, SILT_NODE_TRUNCATED), sink);
    return name_frames(walker, node, walk->frames + index - CUT, walk->frames + index, sink);
}

/* Keeps the steps of the walk inside the `base` frames that stay; returns the innermost one's node.
 */
static __attribute__((noinline)) uint32_t keep(struct silt_walker *walker, struct walk *walk,
                                               uint32_t base, uint32_t parent,
                                               struct silt_sink *sink) {
    struct frame *frame = &walk->frames[base];
    const struct frame *outer = base ? frame - 1 : NULL;
    struct word *words = walk->words + (outer ? outer->words : 0);
    const struct place *end = &walker->way.here;
    uintptr_t at = walker->way.out.last_at, slot = end->slot, address = end->address;
    const struct step *step = walker->steps + end->count;
    bool reads = at != 0; /* nothing was read beyond an end without an address */
    while (step > walker->steps) {
        uint64_t key = (--step)->key;
        if (reads) {
            *words++ = (struct word){at, address};
            if (SILT_UNLIKELY(step->cfa_at)) {
                *words++ = (struct word){step->cfa_at, slot + 8};
            }
        }
        reads = true;
        frame->need = step->need;
        if (outer && outer->key & NEEDS_RBP) {
            if (step->rbp_at) {
                *words++ = (struct word){step->rbp_at, outer->need};
            } else if (!(key & NEEDS_RBP)) {
                key |= NEEDS_RBP;
                frame->need = outer->need;
            }
        }
        if (!(key & NEEDS_RBP)) {
            frame->need = 0;
        }
        uint32_t index = (uint32_t)(frame - walk->frames);
        if (SILT_UNLIKELY(index >= SILT_MAX_FRAMES)) {
            parent = parent_of(walker, walk, index, sink);
            if (SILT_UNLIKELY(parent == SILT_NODE_WAITS)) {
                return parent;
            }
        }
        slot = at = step->slot;
        address = key & 0xffffffffffffffu;
        parent = silt_trie_child(&walker->trie, parent, key & ~NEEDS_RBP, sink);
        if (SILT_UNLIKELY(parent == SILT_NODE_WAITS)) {
            return parent;
        }
        frame->slot = slot;
        frame->key = key;
        frame->node = parent;
        frame->words = (uint32_t)(words - walk->words);
        outer = frame++;
    }
    walk->count = walk->cursor = (uint32_t)(frame - walk->frames);
    return parent;
}

/* Names the first `count` steps inside of `node`. */
static __attribute__((noinline)) uint32_t name_only(struct silt_walker *walker, uint32_t count,
                                                    uint32_t node, struct silt_sink *sink) {
    while (count-- > 0 && node != SILT_NODE_WAITS) {
        node = silt_trie_child(&walker->trie, node, walker->steps[count].key & ~NEEDS_RBP, sink);
    }
    return node;
}

/* The parent of the outermost frame found: a node that is no frame says why there is none outside
 * of it. */
static inline uint32_t outermost_parent(struct silt_walker *walker, uint8_t flags,
                                        struct silt_sink *sink) {
    return flags ? silt_trie_child(&walker->trie, 0, SILT_KEY(0, flags), sink) : 0;
}

/* Names a stack that is not kept. */
static __attribute__((noinline)) uint32_t name_loose(struct silt_walker *walker, uint8_t flags,
                                                     struct silt_sink *sink) {
    uint32_t node;
    do {
        node =
            name_only(walker, walker->way.here.count, outermost_parent(walker, flags, sink), sink);
    } while (node == SILT_NODE_WAITS && silt_trie_provide(&walker->trie, sink));
    return node == SILT_NODE_WAITS ? 0 : node;
}

__attribute__((noinline)) uint32_t silt_name_inside(struct silt_walker *walker,
                                                    struct silt_sink *sink) {
    const struct way *way = &walker->way;
    uint32_t parent = way->walk->frames[way->here.k - 1].node, node;
    do {
        node = name_only(walker, way->here.count, parent, sink);
    } while (node == SILT_NODE_WAITS && silt_trie_provide(&walker->trie, sink));
    return node == SILT_NODE_WAITS ? 0 : node;
}

__attribute__((noinline)) uint32_t silt_name_joined(struct silt_walker *walker,
                                                    struct silt_sink *sink) {
    struct walk *walk = walker->way.walk;
    uint32_t base = walker->way.here.k, node;
    do {
        node = keep(walker, walk, base, walk->frames[base - 1].node, sink);
    } while (SILT_UNLIKELY(node == SILT_NODE_WAITS) && silt_trie_provide(&walker->trie, sink));
    return SILT_UNLIKELY(node == SILT_NODE_WAITS) ? 0 : node;
}

/* Names a stack that was walked with all registers. */
static __attribute__((noinline)) uint32_t name_slow(struct silt_walker *walker,
                                                    uintptr_t hook_frame, struct silt_sink *sink) {
    uint64_t *keys = (uint64_t *)(void *)walker->steps;
    uint8_t *flags = &walker->way.slow_flags;
    uint32_t count = silt_walk_slowly(hook_frame, keys, flags), node;
    do {
        node = outermost_parent(walker, *flags, sink);
        for (uint32_t i = count; i-- > 0 && node != SILT_NODE_WAITS;) {
            node = silt_trie_child(&walker->trie, node, keys[i], sink);
        }
    } while (node == SILT_NODE_WAITS && silt_trie_provide(&walker->trie, sink));
    return node == SILT_NODE_WAITS ? 0 : node;
}

/* Keeps a walk that met no kept frame: the whole of it. */
static __attribute__((noinline)) uint32_t keep_whole(struct silt_walker *walker, uint8_t flags,
                                                     struct silt_sink *sink) {
    struct walk *walk = silt_walk_place(walker, walker->steps[walker->way.here.count - 1].slot,
                                        walker->way.here.count);
    if (!walk) {
        return name_loose(walker, flags, sink);
    }
    uint32_t node;
    do {
        node = outermost_parent(walker, flags, sink);
        node = node == SILT_NODE_WAITS ? node : keep(walker, walk, 0, node, sink);
    } while (SILT_UNLIKELY(node == SILT_NODE_WAITS) && silt_trie_provide(&walker->trie, sink));
    if (SILT_UNLIKELY(node == SILT_NODE_WAITS)) {
        return 0;
    }
    walker->highs[walk - walker->walks] = walk->frames[0].slot;
    silt_walk_make_current(walker, walk);
    return node;
}

__attribute__((noinline)) uint32_t silt_name_ended(struct silt_walker *walker, uintptr_t hook_frame,
                                                   struct silt_sink *sink) {
    const struct outcome *out = &walker->way.out;
    uint8_t flags = 0;
    switch (out->end) {
    case END_JOINED:
    case END_UNKNOWN:
    case END_OUTERMOST:
        break;
    case END_SLOW:
        return name_slow(walker, hook_frame, sink);
    case END_TRUNCATED:
        __atomic_fetch_add(&silt_shared->stacks_truncated, 1, __ATOMIC_RELAXED);
        flags = SILT_NODE_TRUNCATED;
        break;
    case END_INCOMPLETE:
        flags = SILT_NODE_INCOMPLETE;
        break;
    }
    if (walker->way.careful || walker->way.searched ||
        (out->end == END_INCOMPLETE && out->damaged)) {
        return name_loose(walker, flags, sink);
    }
    return keep_whole(walker, flags, sink);
}
