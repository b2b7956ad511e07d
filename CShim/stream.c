/* stream.c: records → ring → news. Everything here may run inside a hook. */
#include "stream.h"

#include "aside.h"
#include "image.h"
#include "modules.h"
#include "sandbox.h"
#include "system.h"
#include "verify.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/prctl.h>

#define RING_WORDS (SILT_RING_BYTES / 8)

/* Tells the analyzer that something is ready. */
static void announce(struct silt_sink *sink) {
    sink->announced = sink->committed;
    if (sink->stacks) {
        __atomic_fetch_add(&silt_shared->stacks, sink->stacks, __ATOMIC_RELAXED);
        sink->stacks = 0;
    }
    silt_modules_check(false);
    if (silt_shared->reader_gone) {
        silt_switch_off(SILT_OFF_READER_GONE);
        return;
    }
    silt_raise_news();
}

enum room { NO_ROOM, ROOM, MUST_WAIT };

/* Whether the analyzer has read enough; MUST_WAIT until it has. A full ring makes the program wait;
 * nothing is dropped. `unheard`: the last wait ended without an answer. */
static enum room look_for_room(struct silt_sink *sink, uint64_t bytes, bool unheard) {
    struct silt_slot *slot = sink->slot;
    if (sink->committed + bytes - __atomic_load_n(&slot->consumed, __ATOMIC_ACQUIRE) <=
        SILT_RING_BYTES) {
        return ROOM;
    }
    if (!sink->waiting_since) {
        sink->waiting_since = silt_now_ns();
        announce(sink);
        __atomic_fetch_add(&silt_shared->waits, 1, __ATOMIC_RELAXED);
        silt_patience_begin(&sink->patience);
    } else if (unheard) {
        silt_patience_look(&sink->patience);
    }
    enum room found = NO_ROOM;
    if (*silt_live) {
        __atomic_store_n(&slot->waiting, 1, __ATOMIC_SEQ_CST);
        uint64_t consumed = __atomic_load_n(&slot->consumed, __ATOMIC_SEQ_CST);
        if (sink->committed + bytes - consumed > SILT_RING_BYTES) {
            return MUST_WAIT;
        }
        found = ROOM;
    }
    __atomic_store_n(&slot->waiting, 0, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&silt_shared->wait_ns, silt_now_ns() - sink->waiting_since,
                       __ATOMIC_RELAXED);
    return found;
}

/* Publishes how far the sink has come. */
static inline void publish_position(struct silt_sink *sink) {
    __atomic_store_n(&sink->slot->published, silt_published(sink->committed, sink->events),
                     __ATOMIC_RELEASE);
}

/* One look at the ring: enum room. Aside. */
static uintptr_t make_room(const struct silt_origin *origin, uintptr_t of, uintptr_t words,
                           uintptr_t unheard) {
    struct silt_sink *sink = (struct silt_sink *)of;
    (void)origin;
    if (!sink->waiting_since && sink->committed - sink->announced >= SILT_NOTIFY_BYTES - 64) {
        announce(sink);
    }
    size_t position = (size_t)(sink->at - sink->ring);
    size_t to_end = RING_WORDS - position;
    enum room found = look_for_room(sink, (to_end < words ? to_end + words : words) * 8, unheard);
    if (found != ROOM) {
        return found; /* without room the event comes after the end of what is recorded */
    }
    if (to_end < words) {
        if (to_end) {
            *sink->at = (uint64_t)to_end << 4 | SILT_PAD;
            sink->committed += to_end * 8;
            publish_position(sink);
        }
        sink->at = sink->ring;
        position = 0;
    }
    uint64_t free_words =
        (SILT_RING_BYTES -
         (sink->committed - __atomic_load_n(&sink->slot->consumed, __ATOMIC_ACQUIRE))) /
        8;
    size_t stretch = RING_WORDS - position;
    if (stretch > free_words) {
        stretch = free_words;
    }
    size_t to_notify =
        (SILT_NOTIFY_BYTES - (sink->committed - sink->announced) % SILT_NOTIFY_BYTES) / 8;
    if (to_notify < words) {
        to_notify = words;
    }
    sink->limit = sink->at + (stretch < to_notify ? stretch : to_notify);
    return *silt_live ? ROOM : NO_ROOM;
}

/* Waits on the program's stack, where signals reach the program. */
bool silt_make_room(struct silt_sink *sink, unsigned words) {
    bool unheard = false;
    if (SILT_UNLIKELY(sink->image != silt_image_number)) {
        /* The parent's, of a hook that a fork in a signal handler interrupted: what it writes goes
         * nowhere. */
        sink->at = sink->ring;
        sink->limit = sink->ring + RING_WORDS;
        return true;
    }
    sink->waiting_since = 0;
    for (;;) {
        uintptr_t found = silt_aside(make_room, (uintptr_t)sink, words, unheard);
        if (found != MUST_WAIT) {
            return found == ROOM;
        }
        struct timespec pause = {0, 100000000};
        long woken = silt_call(SYS_futex, &sink->slot->waiting, FUTEX_WAIT, 1, &pause, 0, 0);
        unheard = woken != 0 && woken != -EAGAIN;
    }
}

static inline uint64_t *reserve(struct silt_sink *sink, unsigned words) {
    if (SILT_UNLIKELY(sink->at + words > sink->limit) && !silt_make_room(sink, words)) {
        return NULL;
    }
    return sink->at;
}

/* How far ahead the ring's lines are asked for: the analyzer has them, and they take a while. */
#define AHEAD_WORDS 96

/* Asks for a line to be written, so that the analyzer's copy of it is given up by then. Processors
 * that do not know the instruction take it for a no-op (Intel SDM, PREFETCHW). */
static inline void ask_to_write(const uint64_t *at) {
    __asm__ volatile("prefetchw %0" : : "m"(*at));
}

static inline void publish(struct silt_sink *sink, unsigned words) {
    ask_to_write(sink->at + AHEAD_WORDS);
    sink->at += words;
    sink->committed += words * 8;
    publish_position(sink);
}

/* As publish, for a record that is an event: the analyzer compares its count with ours, so one
 * store tells of both. */
static inline void publish_event(struct silt_sink *sink, unsigned words) {
    sink->events++;
    publish(sink, words);
}

static void emit_extended(struct silt_sink *sink, uint32_t type, const uint64_t *payload,
                          unsigned words) {
    uint64_t *record = reserve(sink, words + 1);
    if (!record) {
        return;
    }
    record[0] = (uint64_t)type << 32 | (uint64_t)(words + 1) << 16 | SILT_EXTENDED;
    for (unsigned i = 0; i < words; i++) {
        record[i + 1] = payload[i];
    }
    if (type == SILT_X_THREAD || type == SILT_X_THREAD_END || type == SILT_X_TREE) {
        publish(sink, words + 1);
    } else {
        publish_event(sink, words + 1);
    }
}

void silt_emit_thread(struct silt_sink *sink, uint32_t tid) {
    uint64_t payload[3] = {tid, 0, 0};
    if (!silt_is_filtered()) {
        silt_call(SYS_prctl, PR_GET_NAME, &payload[1], 0, 0, 0); /* 16 bytes */
    }
    emit_extended(sink, SILT_X_THREAD, payload, 3);
}

void silt_emit_thread_end(struct silt_sink *sink, uint32_t tid) {
    uint64_t payload[1] = {tid};
    emit_extended(sink, SILT_X_THREAD_END, payload, 1);
}

void silt_emit_tree(struct silt_sink *sink) {
    emit_extended(sink, SILT_X_TREE, NULL, 0);
}

bool silt_emit_node(struct silt_sink *sink, uint32_t id, uint32_t parent, uint8_t flags,
                    uint16_t module, uint64_t address) {
    if (SILT_UNLIKELY(sink->at + 2 > sink->limit)) {
        return false;
    }
    silt_verify_node(sink->index, id, parent, flags, address);
    uint64_t *record = sink->at;
    record[0] = (uint64_t)id << 38 | (uint64_t)parent << 12 | (uint64_t)flags << 4 | SILT_NODE;
    record[1] = (uint64_t)module << 48 | (address & 0xffffffffffffULL);
    publish(sink, 2);
    return true;
}

/* Stamps: the order of events at one address (silt_wire.h). Records carry the low 16 bits.
 *
 * While there is one thread, counters that lie close together are counted on: 8 of the 64 KiB that
 * a line each takes, which the program needs for itself. From the first stamp on that another
 * thread might take too, those of a line each are, on top of what the others have come to. */
static _Alignas(64) uint64_t stamps_alone[SILT_ALL_SHARDS];
static struct {
    _Alignas(64) uint64_t next;
} stamps_among[SILT_ALL_SHARDS];
static bool stamps_shared;

extern char __libc_single_threaded __attribute__((weak));

void silt_stamps_reset(void) {
    memset(stamps_alone, 0, sizeof stamps_alone);
    memset(stamps_among, 0, sizeof stamps_among);
    stamps_shared = false;
}

/* Whether no other thread takes stamps, nor ever did. */
static inline bool alone(void) {
    return &__libc_single_threaded && __libc_single_threaded && !stamps_shared;
}

/* The next stamp of a shard. */
static inline uint64_t next_stamp(uint32_t shard) {
    uint64_t next = __atomic_load_n(&stamps_alone[shard], __ATOMIC_RELAXED);
    return SILT_LIKELY(alone())
               ? next
               : next + __atomic_load_n(&stamps_among[shard].next, __ATOMIC_RELAXED);
}

/* Publishes an event that is whole but for its stamp, which goes to bit `shift` of a word. Nothing
 * may come between stamp and record: room has been made before. A handler that leaves in between
 * is made good by silt_sink_recover, which finds in `pending` what the counter was before. Returns
 * the stamp. */
static inline uint64_t publish_stamped(struct silt_sink *sink, uint32_t shard, uint64_t *into,
                                       unsigned shift, unsigned words) {
    uint64_t stamp = 1, pending = sink->committed << 32 | shard << 16;
    /* Each stamp is taken by one instruction, so that a signal handler cannot come in between. */
    if (SILT_LIKELY(alone())) {
        volatile uint64_t *next = &stamps_alone[shard];
        sink->pending = pending | (uint16_t)*next;
        __asm__ volatile("xaddq %0, %1" : "+r"(stamp), "+m"(*next) : : "memory", "cc");
    } else {
        volatile uint64_t *next = &stamps_among[shard].next;
        uint64_t before = stamps_alone[shard];
        if (SILT_UNLIKELY(!stamps_shared)) {
            stamps_shared = true;
        }
        sink->pending = pending | (uint16_t)(before + *next);
        __asm__ volatile("lock xaddq %0, %1" : "+r"(stamp), "+m"(*next) : : "memory", "cc");
        stamp += before;
    }
    *into |= (uint64_t)(uint16_t)stamp << shift;
    publish_event(sink, words);
    return stamp;
}

void silt_sink_recover(struct silt_sink *sink) {
    /* Raised before they were published, perhaps. */
    uint64_t published = sink->slot->published;
    sink->committed -= (uint64_t)((uint32_t)(sink->committed >> 3) - (uint32_t)published) << 3;
    sink->events -= (uint32_t)sink->events - (uint32_t)(published >> 32);
    sink->at = sink->limit = sink->ring + sink->committed % SILT_RING_BYTES / 8;
    if ((uint32_t)sink->committed != sink->pending >> 32) {
        return;
    }
    /* A stamp was about to be taken for the record that lies there. It was if the counter has moved
     * on: by one, unless another thread came by in those few instructions. Then the gap remains. */
    uint16_t before = (uint16_t)sink->pending;
    uint16_t now = (uint16_t)next_stamp((uint16_t)(sink->pending >> 16));
    if (now == (uint16_t)(before + 1)) {
        uint64_t first = sink->at[0];
        if ((first & 15) == SILT_EXTENDED) {
            sink->at[1] = before;
            publish_event(sink, (uint16_t)(first >> 16));
        } else {
            sink->at[0] |= (uint64_t)before << 4;
            publish_event(sink, (first & 15) == SILT_FREE || (first & 15) == SILT_UNFREE ? 1 : 2);
        }
    }
}

void silt_emit_event(struct silt_sink *sink, uint32_t type, uint32_t shard, const uint64_t *payload,
                     unsigned words) {
    uint64_t *record = reserve(sink, words + 2);
    if (!record) {
        return;
    }
    record[0] = (uint64_t)type << 32 | (uint64_t)(words + 2) << 16 | SILT_EXTENDED;
    record[1] = 0;
    for (unsigned i = 0; i < words; i++) {
        record[i + 2] = payload[i];
    }
    publish_stamped(sink, shard, record + 1, 0, words + 2);
}

static inline bool fits_short(uintptr_t address) {
    return !(address & 7) && address < (1ull << 47);
}

/* What does not fit a short record. */
static __attribute__((noinline)) void emit_long(struct silt_sink *sink, uint32_t type,
                                                uintptr_t address, size_t bytes, uint32_t node,
                                                unsigned words) {
    uint64_t payload[3] = {address, bytes, node};
    silt_emit_event(sink, type, silt_stamp_shard(address), payload, words - 2);
}

/* The first glance of `reserve`, so that the usual case keeps nothing across a call. */
static inline bool has_room(const struct silt_sink *sink, unsigned words) {
    return SILT_LIKELY(sink->at + words <= sink->limit);
}

static inline void write_free(struct silt_sink *sink, uintptr_t address, bool undo) {
    uint64_t *record = sink->at;
    record[0] = (uint64_t)(address >> 3) << 20 | (undo ? SILT_UNFREE : SILT_FREE);
    publish_stamped(sink, silt_stamp_shard(address), record, 4, 1);
}

static __attribute__((noinline)) void free_after_room(struct silt_sink *sink, uintptr_t address,
                                                      bool undo) {
    if (silt_make_room(sink, 1)) {
        write_free(sink, address, undo);
    }
}

void silt_emit_free(struct silt_sink *sink, uintptr_t address, bool undo) {
    if (SILT_UNLIKELY(!fits_short(address))) {
        emit_long(sink, undo ? SILT_X_UNFREE : SILT_X_FREE, address, 0, 0, 3);
    } else if (has_room(sink, 1)) {
        write_free(sink, address, undo);
    } else {
        free_after_room(sink, address, undo);
    }
}

/* True when the block was made by the last record of this sink, nothing has happened at its address
 * since, and the record now stands for its free as well (silt_wire.h). */
static inline bool make_temporary(struct silt_sink *sink, uintptr_t address) {
    if (sink->made_end != sink->committed) {
        return false;
    }
    uint64_t first = *sink->made;
    return (first >> 20) << 3 == address && (first & 15) == SILT_ALLOC &&
           next_stamp(silt_stamp_shard(address)) == sink->made_stamp + 1 &&
           __atomic_compare_exchange_n(sink->made, &first, first ^ SILT_ALLOC ^ SILT_TEMPORARY,
                                       false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

void silt_emit_last_free(struct silt_sink *sink, uintptr_t address) {
    if (!make_temporary(sink, address)) {
        silt_emit_free(sink, address, false);
    }
}

static inline void write_stacked(struct silt_sink *sink, uint32_t kind, uintptr_t address,
                                 size_t bytes, uint32_t node) {
    uint64_t *record = sink->at;
    record[0] = (uint64_t)(address >> 3) << 20 | kind;
    record[1] = (uint64_t)bytes << 26 | node;
    sink->made_stamp = publish_stamped(sink, silt_stamp_shard(address), record, 4, 2);
    sink->made = record;
    sink->made_end = sink->committed;
}

static __attribute__((noinline)) void stacked_after_room(struct silt_sink *sink, uint32_t kind,
                                                         uintptr_t address, size_t bytes,
                                                         uint32_t node) {
    if (silt_make_room(sink, 2)) {
        write_stacked(sink, kind, address, bytes, node);
    }
}

/* The extended type of what a short record of that kind cannot hold. */
static uint32_t long_type(uint32_t kind) {
    return kind == SILT_ALLOC     ? SILT_X_ALLOC
           : kind == SILT_REALLOC ? SILT_X_REALLOC
                                  : SILT_X_FREE_BY;
}

void silt_emit_stacked(struct silt_sink *sink, uint32_t kind, uintptr_t address, size_t bytes,
                       uint32_t node) {
    if (SILT_UNLIKELY(!fits_short(address) || bytes >= 1ull << 38)) {
        emit_long(sink, long_type(kind), address, bytes, node, 5);
    } else if (has_room(sink, 2)) {
        write_stacked(sink, kind, address, bytes, node);
    } else {
        stacked_after_room(sink, kind, address, bytes, node);
    }
}

uintptr_t silt_last_allocation(const struct silt_sink *sink) {
    /* TAKEN differs from ALLOC in bit 3. */
    bool is_last = sink->made_end == sink->committed && (*sink->made & 7) == SILT_ALLOC;
    return is_last ? (uintptr_t)(*sink->made >> 20) << 3 : 0;
}
