/* news.h: tells the analyzer that there is something to read, and watches whether it lives. In a
 * hook. */
#ifndef SILT_NEWS_H
#define SILT_NEWS_H

#include <stdint.h>

/* How long the analyzer has not moved while a thread waits for it. */
struct silt_patience {
    uint64_t beats, looked_ns, still_ns;
};

void silt_raise_news(void);
void silt_patience_begin(struct silt_patience *patience);
/* The thread has waited once more: switches recording off when the analyzer is gone, or has not
 * moved for too long. */
void silt_patience_look(struct silt_patience *patience);

#endif
