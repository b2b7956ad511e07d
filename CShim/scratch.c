/*
 * scratch.c: pages for a hook that starts a program, which may have little stack: a thread of 16
 * KiB, or a signal handler's alternate stack. Everything here runs in an exec hook.
 *
 * A vfork(2) child shares its parent's memory and does not come back when it has executed a
 * program. So that its pages come back, their owner lies where the kernel clears the id of a thread
 * whose memory another one still uses (set_tid_address(2)).
 */
#include "scratch.h"

#include "sandbox.h"
#include "system.h"

#include <linux/prctl.h>
#include <sys/mman.h>

#define SCRATCHES 16 /* hooks at the same moment; others use their stack */

static struct {
    uint32_t owner; /* tid; 0: free */
    size_t bytes;   /* 0: no pages yet */
    void *pages;
} scratches[SCRATCHES];

/* Pages of whoever has the scratch now; false when there is no memory. */
static bool has_room(uint32_t index, size_t bytes) {
    if (scratches[index].bytes < bytes) {
        if (scratches[index].bytes) {
            silt_call(SYS_munmap, scratches[index].pages, scratches[index].bytes);
            scratches[index].bytes = 0;
        }
        long at = silt_call(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                            -1, 0);
        if (silt_call_failed(at)) {
            return false;
        }
        scratches[index].pages = (void *)at;
        scratches[index].bytes = bytes;
    }
    return true;
}

struct silt_scratch silt_scratch_take(size_t bytes, bool leaves) {
    struct silt_scratch scratch = {NULL, 0, 0};
    if (!silt_may_start()) {
        return scratch;
    }
    uint32_t tid = (uint32_t)silt_call(SYS_gettid, 0), none = 0;
    while (!__atomic_compare_exchange_n(&scratches[scratch.index].owner, &none, tid, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        none = 0;
        if (++scratch.index == SCRATCHES) {
            return scratch;
        }
    }
    if (!has_room(scratch.index, silt_whole_pages(bytes))) {
        __atomic_store_n(&scratches[scratch.index].owner, 0, __ATOMIC_SEQ_CST);
        return scratch;
    }
    scratch.pages = scratches[scratch.index].pages;
    /* Where the old address cannot be learned it must not be lost: then a vfork child's pages stay
     * taken. */
    uint64_t before = 0;
    if (leaves && silt_call(SYS_prctl, PR_GET_TID_ADDRESS, &before) == 0) {
        scratch.tid_address = before | 1;
        silt_call(SYS_set_tid_address, &scratches[scratch.index].owner);
    }
    return scratch;
}

void silt_scratch_drop(const struct silt_scratch *scratch) {
    if (!scratch->pages) {
        return;
    }
    if (scratch->tid_address) {
        silt_call(SYS_set_tid_address, scratch->tid_address & ~(uint64_t)1);
    }
    __atomic_store_n(&scratches[scratch->index].owner, 0, __ATOMIC_SEQ_CST);
}
