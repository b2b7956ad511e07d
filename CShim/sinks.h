/* sinks.h: who writes to which slot. */
#ifndef SILT_SINKS_H
#define SILT_SINKS_H

#include "silt_internal.h"

/* A sink for a thread, or for the signal handlers that interrupt it: `owner` is its tid, or
 * SILT_OWNER_SHARED. NULL when there is no memory, or no slot is left. In a hook. */
struct silt_sink *silt_sink_take(bool for_signals, uint32_t owner);
void silt_sink_give_back(struct silt_sink *sink);
/* In a fork child: the inherited sinks belong to the parent's memory file, and none of them may be
 * used again. What they had in private memory is unmapped, but for those two, which a hook that the
 * fork interrupted may still be using. */
void silt_sinks_forget(const struct silt_sink *kept, const struct silt_sink *also_kept);

/* stream.c */
/* After a record of this sink was left half-made: goes back to the last one that was published. */
void silt_sink_recover(struct silt_sink *sink);
void silt_emit_thread(struct silt_sink *sink, uint32_t tid);
void silt_emit_thread_end(struct silt_sink *sink, uint32_t tid);
/* The ids of this sink's nodes begin anew. */
void silt_emit_tree(struct silt_sink *sink);

#endif
