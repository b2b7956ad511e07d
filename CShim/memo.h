/* memo.h: stacks that join a kept walk after a few frames, found by return address and rsp. Runs
 * inside hooks. */
#ifndef SILT_MEMO_H
#define SILT_MEMO_H

#include "walk.h"

#define MEMO_SETS  64
#define MEMO_WAYS  4
#define MEMO_WORDS 16

/* A stack that was walked out to a kept frame: what was read before, and which frame that was. */
struct memo {
    uintptr_t join_slot, join_need;
    uint64_t join_key;
    uintptr_t need;
    uint32_t join, join_node;
    uint32_t node;
    uint16_t count;
    bool needs_rbp;
    struct word words[MEMO_WORDS]; /* innermost first */
};
struct memo_set {
    uintptr_t slots[MEMO_WAYS], addresses[MEMO_WAYS];
};

struct memos {
    bool lead; /* they are asked before the kept walk is */
    uint32_t asked, found;
    uint32_t rest;   /* captures that do not ask */
    uint32_t follow; /* periods until they may lead again */
    uint32_t victim;
    struct memo_set sets[MEMO_SETS];
    struct memo of[MEMO_SETS * MEMO_WAYS]; /* by set */
};

static inline unsigned memo_set_of(uintptr_t slot, uintptr_t address) {
    return (unsigned)(((slot >> 3 ^ address << 20) * 0x9E3779B97F4A7C15ull) >> 58);
}

/* It costs more than it gives unless most questions find something. Where they do, in a period of
 * 1024, memos are asked first: of a stack that swings between a few states, the kept walk is always
 * the one before. Unless most captures are found so, they follow again. */
static __attribute__((noinline)) void memo_judge(struct memos *memos) {
    bool pays = memos->found >= 1024 * 7 / 10;
    if (memos->lead) {
        memos->lead = pays;
        memos->follow = 64;
    } else if (!pays) {
        memos->rest = 16384;
    } else if (memos->follow) {
        memos->follow--;
    } else {
        memos->lead = true;
    }
    memos->asked = memos->found = 0;
}

static inline bool memo_is_on(struct memos *memos) {
    if (SILT_UNLIKELY(memos->rest)) {
        memos->rest--;
        return false;
    }
    return true;
}

static inline uint32_t memo_find(const struct memos *memos, const struct walk *walk, uintptr_t slot,
                                 uintptr_t address, uintptr_t rbp) {
    unsigned set = memo_set_of(slot, address);
    const struct memo_set *tags = &memos->sets[set];
    for (unsigned way = 0; way < MEMO_WAYS; way++) {
        if (tags->slots[way] != slot || tags->addresses[way] != address) {
            continue;
        }
        const struct memo *memo = &memos->of[set * MEMO_WAYS + way];
        if (memo->join >= walk->count || (memo->needs_rbp && memo->need != rbp)) {
            continue;
        }
        const struct frame *join = &walk->frames[memo->join];
        if (join->node != memo->join_node || join->slot != memo->join_slot ||
            join->key != memo->join_key || join->need != memo->join_need) {
            continue;
        }
        unsigned i = 0;
        while (i < memo->count && word(memo->words[i].at) == memo->words[i].value) {
            i++;
        }
        uint32_t outside;
        if (i == memo->count && holds(walk, memo->join, &outside)) {
            return memo->node;
        }
    }
    return 0;
}

static inline uint32_t memo_ask(struct memos *memos, const struct walk *walk, uintptr_t slot,
                                uintptr_t address, uintptr_t rbp) {
    if (SILT_UNLIKELY(++memos->asked > 1024)) {
        memo_judge(memos);
    }
    uint32_t node = memo_find(memos, walk, slot, address, rbp);
    memos->found += node != 0;
    return node;
}

/* Remembers the frames of `walk` inside of frame `join`, as they have just been kept. */
static inline void memo_keep(struct memos *memos, const struct walk *walk, uint32_t join) {
    const struct frame *outer = &walk->frames[join], *inner = &walk->frames[walk->count - 1];
    uint32_t count = inner->words - outer->words;
    if (count > MEMO_WORDS) {
        return;
    }
    unsigned set = memo_set_of(inner->slot, inner->key & ~NEEDS_RBP);
    struct memo_set *tags = &memos->sets[set];
    unsigned way = 0;
    while (way < MEMO_WAYS && tags->slots[way]) {
        way++;
    }
    if (way == MEMO_WAYS) {
        way = memos->victim++ % MEMO_WAYS;
    }
    struct memo *memo = &memos->of[set * MEMO_WAYS + way];
    tags->slots[way] = inner->slot;
    tags->addresses[way] = inner->key & ~NEEDS_RBP;
    memo->join = join;
    memo->join_slot = outer->slot;
    memo->join_key = outer->key;
    memo->join_need = outer->need;
    memo->join_node = outer->node;
    memo->node = inner->node;
    memo->needs_rbp = (inner->key & NEEDS_RBP) != 0;
    memo->need = inner->need;
    memo->count = (uint16_t)count;
    for (unsigned i = 0; i < count; i++) {
        memo->words[i] = walk->words[inner->words - 1 - i];
    }
}

#endif
