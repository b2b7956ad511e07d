/* stream.h: records of a sink. In a hook. */
#ifndef SILT_STREAM_H
#define SILT_STREAM_H

#include "news.h"
#include "silt_wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One producer of records: a thread, or the signal handlers that interrupt it. */
struct silt_sink {
    uint64_t *at;    /* where the next record goes */
    uint64_t *limit; /* up to here nothing else needs to be looked at */
    uint64_t *ring;
    struct silt_slot *slot;
    uint64_t committed;
    uint64_t events; /* written by this sink */
    uint64_t announced;
    struct silt_walker *walker;
    uint32_t index;
    uint32_t next_free; /* index + 1 of the next in the list it is in (sinks.c) */
    uint32_t image;     /* silt_image_number when it was made */
    uint64_t stacks;
    struct silt_patience patience;
    uint64_t waiting_since; /* CLOCK_MONOTONIC; 0: it does not wait for room */
    /* The last stamp that was taken: low half of `committed` before it, shard (16), counter (16).
     */
    uint64_t pending;
    /* The last short record that has a stack, where it ends in `committed`'s counting, and its
     * stamp before it was cut to 16 bits. */
    uint64_t *made;
    uint64_t made_end;
    uint64_t made_stamp;
};

/* Makes room for a record of that many words at `at`; false when recording is over. */
bool silt_make_room(struct silt_sink *sink, unsigned words);

/* The block is about to be freed; with `undo`, the free before did not happen. */
void silt_emit_free(struct silt_sink *sink, uintptr_t address, bool undo);
/* The block is about to be freed, and no undo will follow. */
void silt_emit_last_free(struct silt_sink *sink, uintptr_t address);
/* SILT_ALLOC, SILT_REALLOC: the block has been made by the stack that `node` names. SILT_FREE_BY:
 * it is about to be freed by that stack. */
void silt_emit_stacked(struct silt_sink *sink, uint32_t kind, uintptr_t address, size_t bytes,
                       uint32_t node);
/* An extended record that is stamped: `payload` is what follows the stamp. */
void silt_emit_event(struct silt_sink *sink, uint32_t type, uint32_t shard, const uint64_t *payload,
                     unsigned words);
/* False when there is no room for it: silt_make_room is to be called before. */
bool silt_emit_node(struct silt_sink *sink, uint32_t id, uint32_t parent, uint8_t flags,
                    uint16_t module, uint64_t address);
/* By the thread itself, for its name. */
void silt_emit_thread(struct silt_sink *sink, uint32_t tid);
void silt_emit_thread_end(struct silt_sink *sink, uint32_t tid);
/* The ids of this sink's nodes begin anew. */
void silt_emit_tree(struct silt_sink *sink);

/* The block whose allocation is the last record of a sink; 0 if that is another record. */
uintptr_t silt_last_allocation(const struct silt_sink *sink);
/* After a record of this sink was left half-made: goes back to the last one that was published. */
void silt_sink_recover(struct silt_sink *sink);
/* In a fork child: all counters of stamps begin at 0 again. */
void silt_stamps_reset(void);

#endif
