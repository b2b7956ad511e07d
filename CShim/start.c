/*
 * start.c: which parts start in which order, in a new image and in a fork child.
 *
 * The first hook of an image starts them, or the constructor, whichever comes first; in a fork
 * child its first event does.
 */
#define _GNU_SOURCE
#include "start.h"

#include "aside.h"
#include "follow.h"
#include "fork.h"
#include "generated.h"
#include "hello.h"
#include "image.h"
#include "lookup.h"
#include "memory.h"
#include "modules.h"
#include "news.h"
#include "operators.h"
#include "own.h"
#include "real.h"
#include "rules.h"
#include "sandbox.h"
#include "sinks.h"
#include "stream.h"
#include "system.h"
#include "thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

static uint32_t *live_page; /* fork wipes it */
/* The header once more, in a mapping that fork children inherit: a child that is not recorded
 * counts itself there. */
static struct silt_header *kin;
static bool refused;     /* the analyzer was told why this image is not recorded */
static bool free_stacks; /* SILT_FREE_STACKS=1, as it was at the program's start */

static struct silt_header *map_for_kin(int memory) {
    long at =
        silt_call(SYS_mmap, 0, SILT_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    return silt_call_failed(at) ? NULL : (struct silt_header *)at;
}

/* Opens this image's stream; false when no analyzer can be reached. `parent` is the header of the
 * image that it was forked from. */
static bool begin(struct silt_header *parent) {
    const char *elsewhere = silt_malloc_is_elsewhere();
    if (elsewhere) {
        refused = silt_refuse(SILT_REFUSED_MALLOC, elsewhere);
        return false;
    }
    enum silt_refusal reason = SILT_REFUSED_MEMORY;
    if (!live_page) {
        live_page = silt_pages(4096);
    }
    int memory = -1;
    if (live_page && silt_call(SYS_madvise, live_page, 4096, MADV_WIPEONFORK) == 0) {
        memory = silt_memory_make(&reason);
    }
    if (memory < 0) {
        refused = silt_refuse(reason, "");
        return false;
    }
    silt_fill_header(parent ? parent->image : 0, free_stacks);
    kin = map_for_kin(memory);
    long error = kin ? silt_say_hello(memory, parent) : -ENOMEM;
    silt_call(SYS_close, memory);
    if (error < 0) {
        if (error == -EMFILE) {
            refused = silt_refuse(SILT_REFUSED_DESCRIPTORS, "");
        }
        if (kin) {
            silt_call(SYS_munmap, kin, SILT_HEADER_BYTES);
            kin = NULL;
        }
        silt_memory_drop();
        return false;
    }
    silt_image_begin(live_page, free_stacks ? SILT_LIVE_FREE_STACKS : SILT_LIVE);
    return true;
}

/* In a fork child, which has one thread: makes it an image of its own. What it inherited belongs to
 * the parent and must not be written to. */
static bool begin_again(void) {
    silt_lent_forget();
    bool interrupted = silt_thread.state != SILT_IDLE && silt_thread.state != SILT_ENDED;
    silt_image_next();
    silt_memory_forget();
    silt_sinks_forget(interrupted ? silt_thread.sink : NULL,
                      interrupted ? silt_thread.signal_sink : NULL);
    silt_threads_forget();
    silt_rules_unlock();
    silt_generated_unlock();
    silt_operators_unlock();
    silt_modules_forget();
    silt_stamps_reset();
    struct silt_header *parent = kin;
    kin = NULL;
    if (silt_is_filtered()) {
        silt_phase = SILT_PHASE_OFF;
        __atomic_fetch_add(&parent->children_filtered, 1, __ATOMIC_RELAXED);
        return false;
    }
    bool begun = false, alone = silt_own_is_alone(true, parent->pid);
    if (alone) {
        if (silt_own_is_still(SILT_LIFE_LINE)) {
            silt_call(SYS_close, silt_own[SILT_LIFE_LINE]); /* the parent's */
        }
        silt_own[SILT_LIFE_LINE] = -1;
        begun = begin(parent);
        silt_own_spare();
    }
    if (!begun) {
        silt_phase = SILT_PHASE_OFF;
        if (!alone && silt_own_has_threads()) {
            __atomic_fetch_add(&parent->children_threaded, 1, __ATOMIC_RELAXED);
        } else {
            uint64_t *count = alone ? &parent->children_missed : &parent->children_sharing;
            __atomic_fetch_add(count, !refused, __ATOMIC_RELAXED);
        }
    }
    silt_call(SYS_munmap, parent, SILT_HEADER_BYTES);
    return begun;
}

static uintptr_t begin_again_aside(const struct silt_origin *origin, uintptr_t unused,
                                   uintptr_t unused_too, uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    return begin_again();
}

static uintptr_t begin_aside(const struct silt_origin *origin, uintptr_t unused,
                             uintptr_t unused_too, uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    bool begun = silt_own_is_alone(false, 0) && begin(NULL);
    silt_own_spare();
    return begun;
}

static bool constructed; /* the constructor has run: nothing is early any more */

static void start(void) {
    silt_find_real();
    if (!environ && !constructed) {
        /* While the loader relocates, as for an audit library (rtld-audit(7)): nobody has told the
         * C library what there is in the environment. */
        silt_phase = SILT_PHASE_NOTHING;
        return;
    }
    silt_follow_init();
    if (getauxval(AT_SECURE) || !silt_find_analyzer()) {
        silt_phase = SILT_PHASE_OFF;
        return;
    }
    const char *wanted = silt_variable("SILT_FREE_STACKS");
    free_stacks = wanted && strcmp(wanted, "1") == 0;
    silt_threads_init();
    silt_sandbox_look();
    if (!silt_aside(begin_aside, 0, 0, 0)) {
        silt_phase = SILT_PHASE_OFF;
    }
}

/* silt_live read 0 in a program that was being recorded: a fork child. */
bool silt_wake_child(void) {
    uint32_t recording = SILT_PHASE_RECORDING;
    if (silt_phase == SILT_PHASE_RECORDING && *silt_live) {
        return true;
    }
    if (!__atomic_compare_exchange_n(&silt_phase, &recording, SILT_PHASE_STARTING, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        return false;
    }
    silt_aside_forget();
    return silt_aside(begin_again_aside, 0, 0, 0);
}

/* silt_live read 0: this is the first call, a fork child's first, or recording is off. */
bool silt_wake_up(void) {
    uint32_t expected = SILT_PHASE_NOTHING;
    if (SILT_LIKELY(silt_phase == SILT_PHASE_OFF || silt_phase == SILT_PHASE_STARTING)) {
        return false;
    }
    if (silt_phase == SILT_PHASE_RECORDING) {
        return silt_wake_child();
    }
    if (!__atomic_compare_exchange_n(&silt_phase, &expected, SILT_PHASE_STARTING, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        return false;
    }
    start();
    return silt_phase == SILT_PHASE_RECORDING;
}

__attribute__((constructor)) static void at_start(void) {
    constructed = true;
    silt_wake_up();
    /* The first hook must not do this: its caller may hold the lock of the list of handlers. */
    if (silt_phase == SILT_PHASE_RECORDING) {
        pthread_atfork(NULL, NULL, silt_forked);
    }
}

/* At the end of pid 1 the kernel kills the rest of its pid namespace. An analyzer that was started
 * there gets up to 10 s to close its recording. */
__attribute__((destructor)) static void at_end(void) {
    if (silt_phase != SILT_PHASE_RECORDING || !*silt_live || silt_shared->pid != 1) {
        return;
    }
    silt_shared->leaving = 1;
    silt_raise_news();
    for (int i = 0; i < 1000 && !silt_shared->leave_answer && !silt_shared->reader_gone; i++) {
        struct timespec pause = {0, 10000000};
        silt_call(SYS_futex, &silt_shared->leave_answer, FUTEX_WAIT, 0, &pause);
    }
}
