/*
 * sinks.c: who writes to which slot. Runs inside hooks; takes no lock.
 *
 * A thread takes a sink at its first event and gives it back at its end. A sink that was given back
 * keeps its tree of stacks and its kept walks for the next thread, so that threads of a request
 * each find the stacks of those before them; of more idle sinks than that pays for, everything
 * private is unmapped, and the analyzer gives back the memory of their rings. A thread may end
 * without giving its sink back (exit(2)): before a sink is made, some owners are checked.
 */
#define _GNU_SOURCE
#include "sinks.h"

#include "image.h"
#include "memory.h"
#include "rooms.h"
#include "sandbox.h"
#include "system.h"
#include "walker.h"

#include <errno.h>
#include <string.h>

#define PROBES   8u  /* owners that are checked when a sink is wanted and none is idle */
#define MIN_IDLE 16u /* so many idle sinks are kept; beyond them half as many as are in use */

/* A list of sinks: index + 1 of the first in the low half, a counter against ABA in the high half.
 */
typedef _Atomic uint64_t sink_list;

/* The sinks of the slots of a block. */
static struct silt_sink *sinks[SILT_MAX_SLOTS / SILT_BLOCK_SLOTS];
static sink_list idle[2]; /* of threads; of signal handlers */
static sink_list bare;    /* without ring and walker */
static _Atomic uint32_t used_count, idle_count;
static uint32_t probed; /* the last slot whose owner was checked */

static struct silt_sink *sink_at(uint32_t index) {
    struct silt_sink *of_block =
        __atomic_load_n(&sinks[index / SILT_BLOCK_SLOTS], __ATOMIC_ACQUIRE);
    return of_block ? of_block + index % SILT_BLOCK_SLOTS : NULL;
}

static void push(sink_list *list, struct silt_sink *sink) {
    uint64_t head = *list;
    do {
        sink->next_free = (uint32_t)head;
    } while (!__atomic_compare_exchange_n(list, &head, ((head >> 32) + 1) << 32 | (sink->index + 1),
                                          false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

static struct silt_sink *pop(sink_list *list) {
    uint64_t head = *list;
    while ((uint32_t)head) {
        struct silt_sink *sink = sink_at((uint32_t)head - 1);
        uint64_t next = ((head >> 32) + 1) << 32 | sink->next_free;
        if (__atomic_compare_exchange_n(list, &head, next, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            return sink;
        }
    }
    return NULL;
}

/* ---- what a sink consists of ---- */

static void drop_parts(struct silt_sink *sink) {
    struct silt_walker *walker = sink->walker;
    uint64_t *ring = sink->ring;
    /* Forgotten first: a fork child of this moment unmaps what it finds here. */
    sink->walker = NULL;
    sink->ring = sink->at = sink->limit = NULL;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    silt_walker_drop(walker, sink->index);
    if (ring) {
        silt_memory_drop_ring(sink->index, ring);
    }
}

/* Maps ring and walker; false when there is no memory. */
static bool make_parts(struct silt_sink *sink) {
    sink->ring = silt_memory_ring(sink->index);
    sink->walker = sink->ring ? silt_walker_new(sink->index) : NULL;
    if (!sink->walker) {
        drop_parts(sink);
        return false;
    }
    sink->at = sink->limit = sink->ring + sink->committed % SILT_RING_BYTES / 8;
    sink->made_end = UINT64_MAX;
    sink->pending = UINT64_MAX;
    return true;
}

/* A slot that was never used, with a sink that has no parts yet. */
static struct silt_sink *new_slot(void) {
    uint32_t index = silt_shared->slot_count;
    do {
        if (index >= silt_memory_slots()) {
            return NULL;
        }
    } while (!__atomic_compare_exchange_n(&silt_shared->slot_count, &index, index + 1, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    struct silt_sink **of_block = &sinks[index / SILT_BLOCK_SLOTS], *there = NULL;
    if (!__atomic_load_n(of_block, __ATOMIC_ACQUIRE)) {
        struct silt_sink *made = silt_pages(SILT_BLOCK_SLOTS * sizeof *made);
        if (made && !__atomic_compare_exchange_n(of_block, &there, made, false, __ATOMIC_SEQ_CST,
                                                 __ATOMIC_SEQ_CST)) {
            silt_pages_drop(made, SILT_BLOCK_SLOTS * sizeof *made);
        }
    }
    struct silt_sink *sink = sink_at(index);
    struct silt_slot *slot = sink ? silt_memory_state(index) : NULL;
    if (!slot) {
        return NULL; /* that slot is never used */
    }
    sink->slot = slot;
    sink->index = index;
    sink->image = silt_image_number;
    return sink;
}

/* A slot whose ring had been unmapped. While the analyzer gives its memory back it is left alone.
 */
static struct silt_sink *bare_slot(uint32_t owner) {
    struct silt_sink *sink = pop(&bare);
    if (!sink) {
        return NULL;
    }
    uint32_t was = __atomic_load_n(&sink->slot->owner, __ATOMIC_ACQUIRE);
    if ((was == SILT_OWNER_BARE || was == SILT_OWNER_TRIMMED) &&
        __atomic_compare_exchange_n(&sink->slot->owner, &was, owner, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
        return sink;
    }
    push(&bare, sink);
    return NULL;
}

static void give_up(struct silt_sink *sink) {
    drop_parts(sink);
    __atomic_store_n(&sink->slot->owner, SILT_OWNER_BARE, __ATOMIC_SEQ_CST);
    push(&bare, sink);
}

/* ---- who has one ---- */

static bool is_gone(uint32_t tid) {
    return silt_call(SYS_tgkill, silt_shared->pid, tid, 0) == -ESRCH;
}

/* Takes back the sinks of threads that have ended without giving them back. */
static void collect_orphans(void) {
    uint32_t count = __atomic_load_n(&silt_shared->slot_count, __ATOMIC_ACQUIRE);
    if (silt_is_filtered()) {
        return; /* tgkill(2) may be forbidden */
    }
    for (uint32_t i = 0; i < PROBES && i < count; i++) {
        struct silt_sink *sink = sink_at(__atomic_add_fetch(&probed, 1, __ATOMIC_RELAXED) % count);
        struct silt_slot *slot = sink ? sink->slot : NULL;
        uint32_t owner = slot ? __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE) : 0;
        if (owner && owner < SILT_OWNER_FIRST && is_gone(owner) &&
            __atomic_compare_exchange_n(&slot->owner, &owner, SILT_OWNER_CLAIMED, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            silt_sink_recover(sink);
            if (!slot->signal_slot) {
                silt_emit_thread_end(sink, owner);
            }
            silt_sink_give_back(sink);
        }
    }
}

struct silt_sink *silt_sink_take(bool for_signals, uint32_t owner) {
    struct silt_sink *sink = pop(&idle[for_signals]);
    if (!sink) {
        collect_orphans();
        sink = pop(&idle[for_signals]);
    }
    if (sink) {
        __atomic_fetch_sub(&idle_count, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&sink->slot->owner, owner, __ATOMIC_SEQ_CST);
        sink->walker->stack = (struct silt_readable){0, 0}; /* another thread's */
    } else {
        sink = bare_slot(owner);
        bool again = sink != NULL;
        if (!sink) {
            sink = new_slot();
        }
        if (!sink) {
            return NULL;
        }
        if (!make_parts(sink)) {
            give_up(sink);
            return NULL;
        }
        sink->slot->signal_slot = for_signals;
        __atomic_store_n(&sink->slot->owner, owner, __ATOMIC_SEQ_CST);
        if (again) {
            silt_emit_tree(sink);
        }
    }
    __atomic_fetch_add(&used_count, 1, __ATOMIC_RELAXED);
    return sink;
}

void silt_sink_give_back(struct silt_sink *sink) {
    bool of_signals = sink->slot->signal_slot != 0;
    uint32_t used = __atomic_sub_fetch(&used_count, 1, __ATOMIC_RELAXED);
    uint32_t kept = MIN_IDLE + used / 2;
    __atomic_store_n(&sink->slot->owner, SILT_OWNER_NONE, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&idle_count, __ATOMIC_RELAXED) < kept) {
        __atomic_fetch_add(&idle_count, 1, __ATOMIC_RELAXED);
        push(&idle[of_signals], sink);
        return;
    }
    give_up(sink);
    /* Fewer are in use than before: one more goes, so that memory comes back as threads end. */
    if (__atomic_load_n(&idle_count, __ATOMIC_RELAXED) > kept && (sink = pop(&idle[of_signals]))) {
        __atomic_fetch_sub(&idle_count, 1, __ATOMIC_RELAXED);
        give_up(sink);
    }
}

void silt_sinks_forget(const struct silt_sink *kept, const struct silt_sink *also_kept) {
    for (uint32_t i = 0; i < sizeof sinks / sizeof *sinks && sinks[i]; i++) {
        bool holds_kept = false;
        for (uint32_t k = 0; k < SILT_BLOCK_SLOTS; k++) {
            struct silt_sink *sink = sinks[i] + k;
            uint32_t number = i * SILT_BLOCK_SLOTS + k;
            if (sink == kept || sink == also_kept) {
                holds_kept = true;
            } else {
                silt_walker_forget_parent(sink->walker, number);
            }
        }
        if (!holds_kept) {
            silt_pages_drop(sinks[i], SILT_BLOCK_SLOTS * sizeof *sinks[i]);
        }
    }
    silt_rooms_forget();
    memset(sinks, 0, sizeof sinks);
    idle[0] = idle[1] = bare = 0;
    used_count = idle_count = 0;
}
