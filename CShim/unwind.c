/*
 * unwind.c: the current stack of a thread, by unwind rules and verified reuse. Runs inside hooks.
 *
 * Unwinding is a deterministic function of the words it reads. A walker therefore keeps the frames
 * of its last walks, outermost first, with the words that were read to get from each frame to the
 * next one and the id of the stack that ends there. A capture walks from the innermost frame until
 * it meets a kept one, checks the kept words from there outward, and is done: the id is known. The
 * words are checked in the order in which an unwinder would read them, so that nothing is read that
 * it would not read; stacks of coroutines come and go.
 *
 * A walker keeps several walks, since programs change between stacks. Frames of a signal handler
 * are walked each time, with careful reads, until they meet the kept walk of the stack that was
 * interrupted.
 *
 * Frames deeper than MAX_FRAMES are named from a cut on: a frame at depth 1024 m to 1024 m + 1023,
 * counted from the outermost kept one, is named by the frames from 1024 (m - 1) inward. So between
 * 1024 and 2047 frames name it, a recursion shares the nodes of its outer part, and no capture
 * reads more than that.
 */
#define _GNU_SOURCE
#include "unwind.h"

#include "careful.h"
#include "image.h"
#include "memo.h"
#include "memory.h"
#include "rules.h"
#include "slow.h"
#include "stacks.h"
#include "walk.h"

#include <string.h>

#define WALKS    32         /* stacks of coroutines that are told apart; made as they are met */
#define REGION   (8u << 20) /* a walk's outermost frame is at most this far from its innermost */
#define MAX_STEP SILT_PLAIN_STEP /* a larger frame is left only after a look at where it leads */
#define EXACT    ((uint64_t)SILT_NODE_EXACT << 56)

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
    bool crossed;        /* a signal frame was passed */
    bool damaged;        /* END_INCOMPLETE for what was read, not for want of a rule */
    uint32_t count;      /* steps */
    uint32_t join;       /* END_JOINED: the frame met */
    struct walk *joined; /* in this walk */
    uintptr_t last_at;   /* where the address beyond the last step was read; 0: none was */
    uintptr_t last_slot;
    uintptr_t last;
};

/* Where a walk has come to. */
struct place {
    uintptr_t slot, address; /* the frame to be left next */
    uintptr_t rbp_at;        /* where its rbp can be read */
    uint32_t k;              /* kept frames that may still be met: the outermost ones */
    uint32_t count;          /* steps so far */
};

/* The walk under way: it stops at a frame whose rule is not known (END_UNKNOWN), and goes on with
 * `rule`. It lies here, not in a frame: the program's stack may be a small one (aside.c). */
struct way {
    struct place here;
    struct walk *walk; /* whose frames may be met */
    silt_rule rule;
    uintptr_t at;
    uint64_t exact;
    bool careful;
    uint8_t slow_flags; /* of silt_walk_slowly */
    struct silt_readable known;
    struct outcome out;
};

struct silt_walker {
    uintptr_t low, span; /* slots in [low, low + span] belong to the current walk for sure */
    uint32_t current;
    uint32_t victim;
    uint32_t generation; /* silt_rules_generation when it was last begun anew */
    bool busy;           /* a capture is under way */
    struct walk walks[WALKS];
    struct walk none;       /* always empty */
    struct frame beyond;    /* what lies before its first frame */
    uintptr_t highs[WALKS]; /* slots of the outermost frames; 0: empty */
    struct silt_trie trie;
    struct memos memos;
    struct way way;
    struct step steps[SILT_MAX_FRAMES]; /* innermost first */
};

struct silt_walker *silt_walker_new(void) {
    struct silt_walker *walker = silt_pages(sizeof *walker);
    if (walker && !silt_trie_init(&walker->trie)) {
        silt_pages_drop(walker, sizeof *walker);
        return NULL;
    }
    if (walker) {
        walker->low = UINTPTR_MAX;
        walker->generation = silt_rules_generation;
        walker->beyond.slot = UINTPTR_MAX;
        walker->none.frames = &walker->beyond + 1;
    }
    return walker;
}

/* Bytes of a walk's frames, with the one before the first, and their words. */
static size_t walk_bytes(uint32_t room) {
    return (room + 1) * (sizeof(struct frame) + WORDS_A_FRAME * sizeof(struct word));
}

static void walk_drop(const struct walk *walk) {
    if (walk->frames) {
        silt_pages_drop(walk->frames - 1, walk_bytes(walk->room));
    }
}

/* Gives a walk room for so many frames; false when there is no memory: then it is as it was. */
static __attribute__((noinline)) bool walk_grow(struct walk *walk, uint32_t room) {
    struct walk old = *walk;
    struct frame *frames = silt_pages(walk_bytes(room));
    if (!frames) {
        return false;
    }
    struct word *words = (struct word *)(void *)(frames + 1 + room);
    if (old.count) {
        memcpy(frames + 1, old.frames, old.count * sizeof *frames);
        memcpy(words, old.words, old.frames[old.count - 1].words * sizeof *words);
    }
    frames->slot = UINTPTR_MAX;
    walk->frames = frames + 1;
    walk->words = words;
    walk->room = room;
    walk_drop(&old);
    return true;
}

/* Whether a walk has room for so many frames, made if need be. */
static inline bool walk_has_room(struct walk *walk, uint32_t frames) {
    if (SILT_LIKELY(frames <= walk->room)) {
        return true;
    }
    uint32_t room = walk->room ? walk->room : FIRST_ROOM;
    while (room < frames) {
        room = room * 2 + 1;
    }
    return room <= KEPT && walk_grow(walk, room);
}

void silt_walker_drop(struct silt_walker *walker) {
    if (walker) {
        for (unsigned i = 0; i < WALKS; i++) {
            walk_drop(&walker->walks[i]);
        }
        silt_trie_drop(&walker->trie);
        silt_pages_drop(walker, sizeof *walker);
    }
}

static void forget_walks(struct silt_walker *walker) {
    for (unsigned i = 0; i < WALKS; i++) {
        walker->walks[i].count = walker->walks[i].cursor = 0;
        walker->highs[i] = 0;
    }
    walker->low = UINTPTR_MAX;
    walker->span = 0;
    memset(walker->memos.sets, 0, sizeof walker->memos.sets);
}

/* ---- which walk ---- */

/* The walk of the stack that holds `slot`: the one whose outermost frame is nearest above it. */
static __attribute__((noinline)) struct walk *find_walk(struct silt_walker *walker,
                                                        uintptr_t slot) {
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

/* Makes a walk the current one, and finds which slots are its own. */
static void make_current(struct silt_walker *walker, const struct walk *current) {
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

static inline struct walk *choose_walk(struct silt_walker *walker, uintptr_t slot) {
    if (SILT_LIKELY(slot - walker->low <= walker->span)) {
        return &walker->walks[walker->current];
    }
    struct walk *walk = find_walk(walker, slot);
    if (walk->count) {
        make_current(walker, walk);
    }
    return walk;
}

/* Room for a walk of so many frames that met no kept one: that of the same stack, an empty one, or
 * the victim. NULL when there is no memory. */
static struct walk *place_walk(struct silt_walker *walker, uintptr_t high, uint32_t frames) {
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

static void join(struct outcome *out, struct walk *walk, uint32_t frame, uintptr_t at,
                 const struct place *place) {
    out->end = END_JOINED;
    out->join = frame;
    out->joined = walk;
    out->last_at = at;
    out->last_slot = place->slot;
    out->last = place->address;
    out->count = place->count;
}

/* Walks on while frames are left by plain rules, as most are; true when a kept one was met. */
static inline bool walk_plainly(struct silt_walker *walker, struct walk *walk, struct place *place,
                                struct outcome *out) {
    const struct silt_rule_table *table = __atomic_load_n(&silt_rules, __ATOMIC_ACQUIRE);
    if (SILT_UNLIKELY(!table)) {
        return false;
    }
    uintptr_t slot = place->slot, address = place->address, rbp_at = place->rbp_at;
    const struct frame *met = walk->frames + place->k - 1;
    struct step *step = walker->steps + place->count;
    bool joined = false;
    for (;;) {
        while (met->slot < slot) {
            met--;
        }
        if (met->slot == slot && (met->key & ~NEEDS_RBP) == address &&
            (!(met->key & NEEDS_RBP) || word(rbp_at) == met->need)) {
            uint32_t outside = (uint32_t)(met - walk->frames);
            if (SILT_LIKELY(holds(walk, outside, &outside))) {
                joined = true;
                break;
            }
            met = walk->frames + outside - 1;
        }
        if (SILT_UNLIKELY(address == 0 || step == walker->steps + SILT_MAX_FRAMES)) {
            break;
        }
        silt_rule rule = silt_rule_in(table, (uint64_t)address << 1);
        if (silt_rule_kind(rule) != SILT_RULE_PLAIN) {
            break;
        }
        uintptr_t cfa = slot + 8 + (uintptr_t)silt_rule_cfa_offset(rule);
        uintptr_t saved = cfa + (uintptr_t)silt_rule_rbp_offset(rule);
        /* Without a branch: which functions save rbp cannot be foreseen. */
        _Static_assert(SILT_RBP_SAME == 0 && SILT_RBP_AT_CFA == 1, "the mode of a plain rule");
        uintptr_t mask = 0 - (uintptr_t)silt_rule_rbp_mode(rule);
        step->slot = slot;
        step->key = address;
        step->rbp_at = saved & mask;
        step->cfa_at = 0;
        step++;
        rbp_at ^= (rbp_at ^ saved) & mask;
        slot = cfa - 8;
        address = word(slot);
    }
    *place = (struct place){slot, address, rbp_at, (uint32_t)(met + 1 - walk->frames),
                            (uint32_t)(step - walker->steps)};
    if (joined) {
        join(out, walk, place->k - 1, slot, place);
    }
    return joined;
}

/* Begins a walk outward from the hook's frame; a kept frame is met only among the first `limit`
 * ones. */
static inline void begin_walk(struct way *way, struct walk *walk, uint32_t limit,
                              uintptr_t hook_frame) {
    way->here = (struct place){hook_frame + 8, word(hook_frame + 8), hook_frame, limit, 0};
    way->walk = walk;
    way->rule = SILT_RULE_NONE;
    way->exact = 0;
    way->careful = false;
    way->known = (struct silt_readable){0, 0};
    way->out.crossed = false;
    way->out.damaged = true;
}

/* Walks on to the end, or to a frame whose rule is not known: the last step's. */
static __attribute__((noinline)) void walk_out(struct silt_walker *walker) {
    struct way *way = &walker->way;
    struct place *here = &way->here;
    struct outcome *out = &way->out;
    struct step *step;
    uintptr_t at = way->at, rbp, cfa;
    silt_rule rule = way->rule;
    out->end = END_INCOMPLETE;
#define READ(place, into)                                                                          \
    do {                                                                                           \
        uintptr_t place_ = (place);                                                                \
        if (SILT_UNLIKELY(way->careful)) {                                                         \
            if (!silt_careful_word(&way->known, place_, &(into))) {                                \
                goto done;                                                                         \
            }                                                                                      \
        } else {                                                                                   \
            (into) = word(place_);                                                                 \
        }                                                                                          \
    } while (0)
    if (SILT_UNLIKELY(rule != SILT_RULE_NONE)) {
        way->rule = SILT_RULE_NONE;
        step = &walker->steps[here->count - 1];
        goto by_rule;
    }
    for (;;) {
        if (SILT_LIKELY(!way->careful)) {
            if (SILT_LIKELY(walk_plainly(walker, way->walk, here, out))) {
                return;
            }
            at = here->slot;
        } else {
            const struct frame *met = way->walk->frames + here->k - 1;
            while (met->slot < here->slot) {
                met--;
            }
            here->k = (uint32_t)(met + 1 - way->walk->frames);
            if (met->slot == here->slot &&
                (met->key & ~NEEDS_RBP) == (here->address | way->exact)) {
                bool same = true;
                if (met->key & NEEDS_RBP) {
                    READ(here->rbp_at, rbp);
                    same = rbp == met->need;
                }
                uint32_t outside = here->k - 1;
                if (same && holds(way->walk, here->k - 1, &outside)) {
                    join(out, way->walk, here->k - 1, at, here);
                    return;
                }
                here->k = outside;
            }
        }
        if (here->address == 0) {
            out->end = END_OUTERMOST;
            break;
        }
        if (SILT_UNLIKELY(here->count == SILT_MAX_FRAMES)) {
            out->end = END_TRUNCATED;
            break;
        }
        step = &walker->steps[here->count++];
        step->slot = here->slot;
        step->key = here->address | way->exact;
        step->rbp_at = 0;
        step->cfa_at = 0;
        rule = silt_rule_known(here->address, way->exact != 0);
        if (SILT_UNLIKELY(rule == SILT_RULE_NONE)) {
            way->at = at;
            out->end = END_UNKNOWN;
            out->last_at = 0;
            out->count = here->count;
            return;
        }
    by_rule:
        way->exact = 0;
        switch (silt_rule_kind(rule)) {
        case SILT_RULE_PLAIN:
        case SILT_RULE_RSP:
            cfa = here->slot + 8 + (uintptr_t)silt_rule_cfa_offset(rule);
            break;
        case SILT_RULE_RBP:
            READ(here->rbp_at, rbp);
            step->key |= NEEDS_RBP;
            step->need = rbp;
            cfa = rbp + (uintptr_t)silt_rule_cfa_offset(rule);
            break;
        case SILT_RULE_DEREF: {
            READ(here->rbp_at, rbp);
            step->key |= NEEDS_RBP;
            step->need = rbp;
            uintptr_t cfa_at = rbp + (uintptr_t)silt_rule_cfa_offset(rule);
            if (way->careful || (cfa_at & 7) || cfa_at - here->slot > MAX_STEP) {
                if (!silt_careful_word(&way->known, cfa_at, &cfa)) {
                    goto done;
                }
            } else {
                cfa = word(cfa_at);
            }
            step->cfa_at = cfa_at;
            break;
        }
        case SILT_RULE_SIGNAL: {
            /* The ucontext lies at rsp = slot + 8; its gregs begin at 40, rbp is the 11th of them,
             * rsp the 16th, rip the 17th (sys/ucontext.h). */
            uintptr_t registers = here->slot + 8 + 40, rsp;
            way->careful = out->crossed = true;
            READ(registers + 15 * 8, rsp);
            READ(registers + 16 * 8, here->address);
            step->rbp_at = here->rbp_at = registers + 10 * 8;
            here->slot = rsp - 8;
            at = registers + 16 * 8;
            way->exact = EXACT;
            way->walk = find_walk(walker, here->slot);
            here->k = way->walk->count;
            continue;
        }
        case SILT_RULE_END:
            out->end = END_OUTERMOST;
            goto done;
        case SILT_RULE_SLOW:
            out->end = END_SLOW;
            goto done;
        default:
            out->damaged = false;
            goto done;
        }
        uintptr_t next = cfa - 8;
        if (SILT_UNLIKELY(next <= here->slot || (next & 7))) {
            goto done;
        }
        if (SILT_UNLIKELY(next - here->slot > MAX_STEP)) {
            uintptr_t probe;
            if (!silt_careful_word(&way->known, next, &probe)) {
                goto done;
            }
        }
        switch (silt_rule_rbp_mode(rule)) {
        case SILT_RBP_AT_CFA:
            here->rbp_at = step->rbp_at = cfa + (uintptr_t)silt_rule_rbp_offset(rule);
            break;
        case SILT_RBP_AT_RBP:
            READ(here->rbp_at, rbp);
            step->key |= NEEDS_RBP;
            step->need = rbp;
            here->rbp_at = step->rbp_at = rbp + (uintptr_t)silt_rule_rbp_offset(rule);
            break;
        default:
            break;
        }
        at = here->slot = next;
        READ(at, here->address);
    }
#undef READ
    out->last_at = at;
    out->last_slot = here->slot;
    out->last = here->address;
    out->count = here->count;
    return;
done:
    out->last_at = 0;
    out->count = here->count;
}

/* Finds the rule that a walk stopped for; false when there is none, and the stack ends there. */
static __attribute__((noinline)) bool find_rule(struct way *way) {
    uint64_t key = (uint64_t)way->here.address << 1 | (way->exact != 0);
    way->rule = silt_rule_learn(key);
    if (way->rule != SILT_RULE_NONE) {
        return true;
    }
    way->out.end = END_INCOMPLETE;
    way->out.damaged = false;
    return false;
}

/* ---- keeping and naming ---- */

/* These name frames on the program's stack, whose room may be small: they answer SILT_NODE_WAITS
 * when a node has to wait for something rare, and are called again when it is there. */

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
    const struct outcome *out = &walker->way.out;
    uintptr_t at = out->last_at, slot = out->last_slot, address = out->last;
    const struct step *step = walker->steps + out->count;
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
            name_only(walker, walker->way.out.count, outermost_parent(walker, flags, sink), sink);
    } while (node == SILT_NODE_WAITS && silt_trie_provide(&walker->trie, sink));
    return node == SILT_NODE_WAITS ? 0 : node;
}

/* As name_loose, inside of a kept frame. */
static __attribute__((noinline)) uint32_t name_inside(struct silt_walker *walker, uint32_t parent,
                                                      struct silt_sink *sink) {
    uint32_t node;
    do {
        node = name_only(walker, walker->way.out.count, parent, sink);
    } while (node == SILT_NODE_WAITS && silt_trie_provide(&walker->trie, sink));
    return node == SILT_NODE_WAITS ? 0 : node;
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
    struct walk *walk =
        place_walk(walker, walker->steps[walker->way.out.count - 1].slot, walker->way.out.count);
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
    make_current(walker, walk);
    return node;
}

/* Names a stack that was walked to its end. */
static __attribute__((noinline)) uint32_t name_ended(struct silt_walker *walker,
                                                     uintptr_t hook_frame, struct silt_sink *sink) {
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
    if (out->crossed || (out->end == END_INCOMPLETE && out->damaged)) {
        return name_loose(walker, flags, sink);
    }
    return keep_whole(walker, flags, sink);
}

/* A stack that no memo has: walked, named and kept. */
static inline uint32_t capture_anew(struct silt_walker *walker, struct walk *walk, uint32_t limit,
                                    uintptr_t hook_frame, bool memorize, struct silt_sink *sink) {
    struct way *way = &walker->way;
    for (;;) {
        begin_walk(way, walk, limit, hook_frame);
        do {
            walk_out(walker);
        } while (SILT_UNLIKELY(way->out.end == END_UNKNOWN) && find_rule(way));
        if (SILT_UNLIKELY(way->out.end != END_JOINED)) {
            return name_ended(walker, hook_frame, sink);
        }
        if (way->out.crossed) {
            return name_inside(walker, way->out.joined->frames[way->out.join].node, sink);
        }
        if (SILT_LIKELY(walk_has_room(walk, way->out.join + 1 + way->out.count))) {
            break;
        }
        /* Too deep to add to: begin with the innermost frames. */
        walk->count = walk->cursor = 0;
        limit = 0;
        memorize = false;
    }
    uint32_t node;
    do {
        node = keep(walker, walk, way->out.join + 1, walk->frames[way->out.join].node, sink);
    } while (SILT_UNLIKELY(node == SILT_NODE_WAITS) && silt_trie_provide(&walker->trie, sink));
    if (SILT_UNLIKELY(node == SILT_NODE_WAITS)) {
        return 0;
    }
    if (memorize) {
        memo_keep(&walker->memos, walk, way->out.join);
    }
    return node;
}

/* What a module that went or a capture that was left by longjmp(3) makes void. */
static __attribute__((noinline)) void start_over(struct silt_walker *walker,
                                                 struct silt_sink *sink) {
    forget_walks(walker);
    silt_trie_clear(&walker->trie);
    silt_emit_tree(sink);
    walker->generation = silt_rules_generation;
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
    walker->busy = false;
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
