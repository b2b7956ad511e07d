/*
 * unwind.c: the current stack of a thread, by unwind rules and verified reuse. Runs inside hooks.
 *
 * Unwinding is a deterministic function of the words it reads. A walker therefore keeps what its
 * last walks read, outermost frame first, with the stack id of each frame. A new capture walks from
 * the innermost frame until it meets a kept one, checks that every word read from there outward
 * still holds, and is done: the id is known.
 */
#define _GNU_SOURCE
#include "silt_internal.h"

#include "cfi.h"
#include "stacks.h"
#include "system.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define MAX_FRAMES 2048
#define WALKS      6
#define MAX_STEP   (1u << 20) /* a frame larger than this is taken for damage */

/* One return address found on the stack, and what led from it to the next one outward. */
struct frame {
    uintptr_t slot;      /* where the return address lies */
    uintptr_t address;   /* the return address itself */
    uintptr_t rbp_slot;  /* where this frame's function saved its caller's rbp; 0 if it did not */
    uintptr_t rbp_value; /* what must still be there, when `checks_rbp` */
    uintptr_t need;      /* rbp this frame must be entered with, when `needs_rbp` */
    uint32_t node;
    uint8_t checks_rbp, needs_rbp, exact;
    uint8_t fresh; /* a walk may not be joined here: behind a signal frame or a slow step */
};

struct walk {
    struct frame *frames; /* outermost first */
    uint32_t count;
    uintptr_t high; /* slot of the outermost frame */
};

struct silt_walker {
    struct walk walks[WALKS];
    uint32_t current;
    uint32_t victim;
    uint32_t generation;
    struct frame *fresh; /* the frames of the walk under way, innermost first */
    struct silt_trie trie;
};

static uint32_t generation; /* rises when a module goes */

/* ---- rules by address: insert-only, lock-free, shared by all threads ---- */

struct rule_entry {
    _Atomic uint64_t address;
    _Atomic uint64_t rule;
};
static struct {
    struct rule_entry *entries;
    uint32_t bits;
    _Atomic uint32_t used;
} tables[] = {{NULL, 13, 0}, {NULL, 16, 0}, {NULL, 19, 0}, {NULL, 22, 0}};
#define TABLES       (sizeof tables / sizeof *tables)
#define RULE_DROPPED UINT64_MAX

static inline size_t rule_slot(uintptr_t address, uint32_t bits) {
    return (address * 0x9E3779B97F4A7C15ull) >> (64 - bits);
}

static struct rule_entry *table_entries(unsigned t) {
    struct rule_entry *entries = __atomic_load_n(&tables[t].entries, __ATOMIC_ACQUIRE);
    if (!entries) {
        struct rule_entry *made = silt_pages(sizeof *made << tables[t].bits);
        if (made && __atomic_compare_exchange_n(&tables[t].entries, &entries, made, false,
                                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            return made;
        }
        if (made) {
            silt_call(SYS_munmap, made, sizeof *made << tables[t].bits);
        }
    }
    return entries;
}

static __attribute__((noinline)) silt_rule learn_rule(uintptr_t address, bool exact) {
    silt_rule rule = silt_cfi_rule(exact ? address : address - 1);
    if (rule == SILT_RULE_NONE) {
        return rule; /* perhaps not mapped yet: never remembered */
    }
    uint64_t key = (uint64_t)address << 1 | exact;
    for (unsigned t = 0; t < TABLES; t++) {
        struct rule_entry *entries = table_entries(t);
        uint32_t mask = (1u << tables[t].bits) - 1;
        if (!entries || tables[t].used > mask / 2) {
            continue;
        }
        for (size_t i = rule_slot(key, tables[t].bits);; i = (i + 1) & mask) {
            uint64_t there = entries[i].address;
            if (there == 0 && __atomic_compare_exchange_n(&entries[i].address, &there, key, false,
                                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
                tables[t].used++;
                entries[i].rule = rule;
                return rule;
            }
            if (there == key) {
                entries[i].rule = rule;
                return rule;
            }
        }
    }
    return rule;
}

static inline silt_rule rule_of(uintptr_t address, bool exact) {
    uint64_t key = (uint64_t)address << 1 | exact;
    for (unsigned t = 0; t < TABLES; t++) {
        struct rule_entry *entries = tables[t].entries;
        if (!entries) {
            break;
        }
        uint32_t mask = (1u << tables[t].bits) - 1;
        for (size_t i = rule_slot(key, tables[t].bits);; i = (i + 1) & mask) {
            uint64_t there = entries[i].address;
            if (there == key) {
                uint64_t rule = entries[i].rule;
                if (rule != 0 && rule != RULE_DROPPED) {
                    return rule;
                }
                return learn_rule(address, exact);
            }
            if (there == 0) {
                break;
            }
        }
    }
    return learn_rule(address, exact);
}

void silt_walker_forget_range(uintptr_t start, uintptr_t end) {
    for (unsigned t = 0; t < TABLES; t++) {
        struct rule_entry *entries = tables[t].entries;
        for (size_t i = 0; entries && i < (size_t)1 << tables[t].bits; i++) {
            uintptr_t address = entries[i].address >> 1;
            if (address - start < end - start) {
                entries[i].rule = RULE_DROPPED;
            }
        }
    }
    __atomic_fetch_add(&generation, 1, __ATOMIC_SEQ_CST);
}

/* ---- walking ---- */

struct silt_walker *silt_walker_new(void) {
    size_t frames = MAX_FRAMES * sizeof(struct frame);
    struct silt_walker *walker = silt_pages(sizeof *walker);
    uint8_t *memory = silt_pages((WALKS + 1) * frames);
    if (!walker || !memory || !silt_trie_init(&walker->trie)) {
        return NULL;
    }
    for (unsigned i = 0; i < WALKS; i++) {
        walker->walks[i].frames = (struct frame *)(void *)(memory + i * frames);
    }
    walker->fresh = (struct frame *)(void *)(memory + WALKS * frames);
    walker->generation = generation;
    return walker;
}

void silt_walker_reset(struct silt_walker *walker) {
    for (unsigned i = 0; i < WALKS; i++) {
        walker->walks[i].count = 0;
    }
    silt_trie_reset(&walker->trie);
}

/* The kept walk of the stack that holds `slot`: the one whose outermost frame is nearest above it.
 */
static struct walk *choose_walk(struct silt_walker *walker, uintptr_t slot) {
    struct walk *current = &walker->walks[walker->current];
    uintptr_t best = current->count && current->high >= slot ? current->high - slot : UINTPTR_MAX;
    if (best < 65536) {
        return current;
    }
    uint32_t found = WALKS;
    best = 8u << 20;
    for (uint32_t i = 0; i < WALKS; i++) {
        struct walk *walk = &walker->walks[i];
        if (walk->count && walk->high >= slot && walk->high - slot < best) {
            best = walk->high - slot;
            found = i;
        }
    }
    if (found == WALKS) {
        for (found = 0; found < WALKS && walker->walks[found].count; found++) {
        }
        if (found == WALKS) {
            found = walker->victim++ % WALKS;
        }
        walker->walks[found].count = 0;
    }
    walker->current = found;
    return &walker->walks[found];
}

static inline uintptr_t word(uintptr_t address) {
    return *(const uintptr_t *)address;
}

/* Reads memory that may not be there (process_vm_readv(2) on oneself). */
static bool careful_read(uintptr_t address, void *into, size_t bytes) {
    struct iovec here = {into, bytes}, there = {(void *)address, bytes};
    static long pid_of_image;
    static uint32_t image;
    if (image != silt_image_number) {
        pid_of_image = silt_call(SYS_getpid, 0);
        image = silt_image_number;
    }
    return silt_call(SYS_process_vm_readv, pid_of_image, &here, 1, &there, 1, 0) == (long)bytes;
}

enum end { END_OUTERMOST, END_JOINED, END_INCOMPLETE, END_TRUNCATED };

/* Walks outward from the hook's frame; the frames found go to walker->fresh, innermost first. */
static enum end walk_out(struct silt_walker *walker, struct walk *walk, const void *hook_frame,
                         uint32_t *count, int64_t *joined) {
    uintptr_t slot = (uintptr_t)hook_frame + 8;
    uintptr_t rbp_at = (uintptr_t)hook_frame; /* where the current frame's rbp value can be read */
    uintptr_t address = word(slot);
    int64_t k = (int64_t)walk->count - 1;
    bool exact = false, careful = false;
    uintptr_t rbp_copy; /* home of an rbp that came out of a ucontext */
    *count = 0;
    for (;;) {
        while (k >= 0 && walk->frames[k].slot < slot) {
            k--;
        }
        if (k >= 0 && walk->frames[k].slot == slot && walk->frames[k].address == address &&
            !careful && walk->frames[k].exact == exact && !walk->frames[k].fresh &&
            (!walk->frames[k].needs_rbp || word(rbp_at) == walk->frames[k].need)) {
            /* Candidate: every word from here outward must be what it was. */
            int64_t i = k;
            bool holds = true;
            for (;;) {
                const struct frame *f = &walk->frames[i];
                if (f->checks_rbp && word(f->rbp_slot) != f->rbp_value) {
                    holds = false;
                    break;
                }
                if (i == 0) {
                    break;
                }
                const struct frame *outer = f - 1;
                if (outer->fresh) {
                    break; /* reached through a signal frame: the part outside of it is on another
                              stack */
                }
                if (word(outer->slot) != outer->address) {
                    holds = false;
                    break;
                }
                i--;
            }
            if (holds && (i == 0)) {
                *joined = k;
                return END_JOINED;
            }
            /* Frames k..i are still right, what lies outside of i is not: go on walking from i. */
            for (; k > i; k--) {
                if (*count >= MAX_FRAMES) {
                    return END_TRUNCATED;
                }
                walker->fresh[(*count)++] = walk->frames[k];
                if (walk->frames[k].rbp_slot) {
                    rbp_at = walk->frames[k].rbp_slot;
                }
            }
            slot = walk->frames[i].slot;
            address = walk->frames[i].address;
            k = i - 1;
        }
        if (address == 0) {
            return END_OUTERMOST;
        }
        if (*count >= MAX_FRAMES) {
            return END_TRUNCATED;
        }
        struct frame *frame = &walker->fresh[(*count)++];
        *frame = (struct frame){.slot = slot, .address = address, .exact = exact, .fresh = careful};
        silt_rule rule = rule_of(address, exact);
        exact = false;
        uintptr_t cfa, rbp;
        switch (silt_rule_kind(rule)) {
        case SILT_RULE_RSP:
            cfa = slot + 8 + (uintptr_t)silt_rule_cfa_offset(rule);
            break;
        case SILT_RULE_RBP:
            rbp = word(rbp_at);
            frame->needs_rbp = 1;
            frame->need = rbp;
            cfa = rbp + (uintptr_t)silt_rule_cfa_offset(rule);
            break;
        case SILT_RULE_DEREF:
            rbp = word(rbp_at);
            frame->needs_rbp = 1;
            frame->need = rbp;
            /* The word that the CFA is read from is not kept: such a frame is always walked. */
            if (rbp - slot > MAX_STEP || (rbp & 7)) {
                return END_INCOMPLETE;
            }
            cfa = word(rbp + (uintptr_t)silt_rule_cfa_offset(rule));
            frame->fresh = 1;
            break;
        case SILT_RULE_SIGNAL: {
            /* ucontext at rsp = slot + 8: gregs begin at 40; rbp is 10th, rsp 15th, rip 16th
             * (sys/ucontext.h). */
            uintptr_t registers = slot + 8 + 40;
            rbp_copy = registers + 10 * 8;
            rbp_at = rbp_copy;
            uintptr_t rsp = word(registers + 15 * 8);
            address = word(registers + 16 * 8);
            slot = rsp - 8;
            exact = true;
            careful = true; /* another stack: nothing is reused across, and the words are read each
                               time */
            frame->fresh = 1;
            k = -1;
            continue;
        }
        case SILT_RULE_END:
            return END_OUTERMOST;
        default:
            return END_INCOMPLETE;
        }
        uintptr_t next = cfa - 8;
        if (next <= slot && !frame->exact) {
            return END_INCOMPLETE;
        }
        if (next - slot > MAX_STEP || (next & 7)) {
            uintptr_t probe;
            if ((next & 7) || !careful_read(next, &probe, sizeof probe)) {
                return END_INCOMPLETE;
            }
            frame->fresh = 1;
        }
        switch (silt_rule_rbp_mode(rule)) {
        case SILT_RBP_AT_CFA:
            rbp_at = frame->rbp_slot = cfa + (uintptr_t)silt_rule_rbp_offset(rule);
            break;
        case SILT_RBP_AT_RBP:
            rbp_at = frame->rbp_slot = word(rbp_at) + (uintptr_t)silt_rule_rbp_offset(rule);
            break;
        default:
            break;
        }
        slot = next;
        address = word(slot);
    }
}

uint32_t silt_walker_capture(struct silt_walker *walker, const void *hook_frame,
                             struct silt_sink *sink) {
    if (SILT_UNLIKELY(walker->generation != generation)) {
        walker->generation = generation;
        for (unsigned i = 0; i < WALKS; i++) {
            walker->walks[i].count = 0;
        }
        silt_trie_unlink(&walker->trie);
    }
    struct walk *walk = choose_walk(walker, (uintptr_t)hook_frame + 8);
    uint32_t count;
    int64_t joined = -1;
    enum end end = walk_out(walker, walk, hook_frame, &count, &joined);
    uint32_t node = 0;
    struct frame *outer = NULL;
    if (end == END_JOINED) {
        outer = &walk->frames[joined];
        node = outer->node;
        walk->count = (uint32_t)joined + 1;
    } else {
        walk->count = 0;
        if (end == END_TRUNCATED) {
            __atomic_fetch_add(&silt_shared->stacks_truncated, 1, __ATOMIC_RELAXED);
            node = silt_trie_child(&walker->trie, 0, 0, SILT_NODE_TRUNCATED, sink);
        } else if (end == END_INCOMPLETE) {
            node = silt_trie_child(&walker->trie, 0, 0, SILT_NODE_INCOMPLETE, sink);
        }
    }
    if (count + walk->count > MAX_FRAMES) {
        walk->count = 0; /* kept too deep: this stack is named, but not kept */
        outer = NULL;
    }
    for (uint32_t i = count; i-- > 0;) {
        struct frame *frame = &walk->frames[walk->count];
        *frame = walker->fresh[i];
        node = silt_trie_child(&walker->trie, node, frame->address,
                               frame->exact ? SILT_NODE_EXACT : 0, sink);
        frame->node = node;
        /* The rbp that the frames further out depend on, where it is saved by this one or passes
         * through it. */
        frame->checks_rbp = 0;
        if (outer && outer->needs_rbp) {
            if (frame->rbp_slot) {
                frame->checks_rbp = 1;
                frame->rbp_value = outer->need;
            } else if (!frame->needs_rbp) {
                frame->needs_rbp = 1;
                frame->need = outer->need;
            }
        }
        outer = frame;
        walk->count++;
    }
    walk->high = walk->count ? walk->frames[0].slot : 0;
    return node;
}

void silt_unwind_init(void) {}
