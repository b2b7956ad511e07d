/*
 * unwind.c: walks outward by unwind rules, until a kept frame is met or the stack ends.
 *
 * Frames of a signal handler are walked each time, with careful reads, until they meet the kept
 * walk of the stack that was interrupted. Everything here may run in a hook.
 */
#include "unwind.h"

#include "generated.h"
#include "rules.h"
#include "untabled.h"

#define EXACT ((uint64_t)SILT_NODE_EXACT << 56)

/* Pages that a frame may span for the range to stay one: those in between are looked at too. */
#define SPAN (1u << 20)

/* How far a frame record is looked for. */
#define RECORD_REACH 8192u

void silt_walk_enter_page(struct silt_walker *walker, uintptr_t hook_frame) {
    struct silt_readable *stack = &walker->stack;
    uintptr_t page = hook_frame & ~(uintptr_t)4095, low = stack->low;
    if (walker->unmaps == silt_walker_unmaps && page < low && low - page <= SPAN) {
        while (low - 4096 > page && silt_is_there(low - 4096)) {
            low -= 4096;
        }
        if (low - 4096 == page) {
            stack->low = page;
            return;
        }
    }
    walker->unmaps = silt_walker_unmaps;
    *stack = (struct silt_readable){page, page + 4096};
}

/* Whether a word outside of the known pages can be read. */
static __attribute__((noinline)) bool can_read(struct silt_walker *walker, uintptr_t at) {
    struct silt_readable *stack = &walker->stack;
    uintptr_t page = at & ~(uintptr_t)4095;
    if (page - stack->high > SPAN) {
        if (!silt_is_there(at)) {
            return false;
        }
        *stack = (struct silt_readable){page, page + 4096};
        return true;
    }
    while (stack->high <= page) {
        if (!silt_is_there(stack->high)) {
            return false;
        }
        stack->high += 4096;
    }
    return true;
}

static inline bool is_readable(struct silt_walker *walker, uintptr_t at) {
    return SILT_LIKELY(silt_is_seen(&walker->stack, at)) || can_read(walker, at);
}

/* Walks on while frames are left by plain rules, as most are; true when a kept one was met. */
static inline bool walk_plainly(struct silt_walker *walker, struct walk *walk,
                                struct place *place) {
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
            (!(met->key & NEEDS_RBP) ||
             (is_readable(walker, rbp_at) && word(rbp_at) == met->need))) {
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
        if (SILT_UNLIKELY(!is_readable(walker, cfa - 8))) {
            break;
        }
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
    return joined;
}

/* Generated code may use rbp for something else, as that of HotSpot's second compiler does, which
 * saves its caller's all the same. Then the next frame record further out is looked for: an rbp
 * that can be, and behind it an address in generated code; of frames of the program none is made
 * up so. 0: none is found. */
static __attribute__((noinline)) uintptr_t find_record(struct silt_walker *walker,
                                                       const struct place *here) {
    uintptr_t from = here->slot + 8;
    for (uintptr_t at = from; at - from < RECORD_REACH && is_readable(walker, at + 8); at += 8) {
        if (silt_may_be_frame(word(at), at) && silt_is_generated(word(at + 8) - 1, word(at + 8))) {
            return at;
        }
    }
    return 0;
}

__attribute__((noinline)) void silt_walk_out(struct silt_walker *walker) {
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
        if (SILT_UNLIKELY(way->careful || (place_ & 7) ||                                          \
                          !silt_is_seen(&walker->stack, place_))) {                                \
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
            bool joined = walk_plainly(walker, way->walk, here);
            at = here->slot;
            if (SILT_LIKELY(joined)) {
                out->end = END_JOINED;
                break;
            }
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
                    out->end = END_JOINED;
                    break;
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
            goto done;
        }
    by_rule:
        way->exact = 0;
        way->framed = false;
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
            READ(cfa_at, cfa);
            step->cfa_at = cfa_at;
            break;
        }
        case SILT_RULE_SIGNAL: {
            /* The ucontext lies at rsp = slot + 8; its gregs begin at 40, rbp is the 11th of them,
             * rsp the 16th, rip the 17th (sys/ucontext.h). */
            uintptr_t registers = here->slot + 8 + 40, rsp;
            way->careful = true;
            READ(registers + 15 * 8, rsp);
            READ(registers + 16 * 8, here->address);
            step->rbp_at = here->rbp_at = registers + 10 * 8;
            here->slot = rsp - 8;
            at = registers + 16 * 8;
            way->exact = EXACT;
            way->walk = silt_walk_find(walker, here->slot);
            here->k = way->walk->count;
            continue;
        }
        case SILT_RULE_FRAMED:
            READ(here->rbp_at, rbp);
            step->key |= NEEDS_RBP;
            step->need = rbp;
            if (rbp == 0) {
                out->end = END_OUTERMOST;
                goto done;
            }
            if (!silt_may_be_frame(rbp, here->slot) && !way->careful &&
                silt_is_generated(here->address - 1, here->address)) {
                rbp = find_record(walker, here);
                way->searched = true;
            }
            if (!silt_may_be_frame(rbp, here->slot)) {
                out->damaged = false; /* as often as it is walked with this rbp */
                goto done;
            }
            cfa = rbp + 16;
            way->framed = true;
            break;
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
        if (SILT_UNLIKELY(!way->careful && !is_readable(walker, next))) {
            out->damaged = false; /* the stack ends here, as often as it is walked */
            goto done;
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
    return;
done:
    out->last_at = 0;
}

__attribute__((noinline)) bool silt_walk_learn(struct way *way) {
    uint64_t key = (uint64_t)way->here.address << 1 | (way->exact != 0);
    way->rule = silt_rule_learn(key);
    if (way->rule != SILT_RULE_NONE) {
        return true;
    }
    way->out.end = END_INCOMPLETE;
    way->out.damaged = false;
    if (way->framed) {
        /* Nothing returns there: what lies where a frame was looked for is none. */
        way->here.count--;
        way->out.last_at = way->at;
    }
    return false;
}
