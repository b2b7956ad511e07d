/* news.c: tells the analyzer through the memory file that there is something to read, and watches
 * whether it lives. Everything here may run inside a hook. */
#include "news.h"

#include "image.h"
#include "own.h"
#include "sandbox.h"
#include "system.h"

#include <linux/futex.h>

/* Costs a system call only when the analyzer sleeps. A barrier on each way: what was published
 * before is seen by an analyzer that finds the word raised. */
void silt_raise_news(void) {
    uint32_t *news = &silt_shared->news;
    if (__atomic_exchange_n(news, SILT_NEWS_RAISED, __ATOMIC_SEQ_CST) == SILT_NEWS_ASLEEP) {
        silt_call(SYS_futex, news, FUTEX_WAKE, 1);
    }
}

/* One look counts for at most this time. A program that was stopped itself, perhaps together with
 * its analyzer, has not waited meanwhile. */
#define MAX_LOOK_NS 300000000u

static uint64_t beats(void) {
    return __atomic_load_n(&silt_shared->reader_beats, __ATOMIC_RELAXED);
}

void silt_patience_begin(struct silt_patience *patience) {
    *patience = (struct silt_patience){beats(), silt_now_ns(), 0};
}

void silt_patience_look(struct silt_patience *patience) {
    if (silt_shared->reader_gone || (!silt_is_filtered() && silt_own_line_is_broken())) {
        silt_switch_off(SILT_OFF_READER_GONE);
        return;
    }
    uint64_t now = silt_now_ns(), passed = now - patience->looked_ns;
    patience->looked_ns = now;
    if (patience->beats != beats()) {
        patience->beats = beats();
        patience->still_ns = 0;
        return;
    }
    patience->still_ns += passed < MAX_LOOK_NS ? passed : MAX_LOOK_NS;
    if (patience->still_ns >= SILT_PATIENCE_NS) {
        silt_switch_off(SILT_OFF_READER_STILL);
    }
}
