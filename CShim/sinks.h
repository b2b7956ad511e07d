/* sinks.h: who writes to which slot. */
#ifndef SILT_SINKS_H
#define SILT_SINKS_H

#include "stream.h"

/* A sink for a thread, or for the signal handlers that interrupt it: `owner` is its tid, or
 * SILT_OWNER_SHARED. NULL when there is no memory, or no slot is left. In a hook. */
struct silt_sink *silt_sink_take(bool for_signals, uint32_t owner);
/* In a hook, and when a thread ends. */
void silt_sink_give_back(struct silt_sink *sink);
/* In a fork child: the inherited sinks belong to the parent's memory file, and none of them may be
 * used again. What they had in private memory is unmapped, except for those two, which a hook that
 * the fork interrupted may still be using. */
void silt_sinks_forget(const struct silt_sink *kept, const struct silt_sink *also_kept);

#endif
