/* sandbox.c: what the program has forbidden itself by seccomp(2), as seccomp.c finds it. Everything
 * but silt_sandbox_look may run in a hook. */
#define _GNU_SOURCE
#include "sandbox.h"

#include "careful.h"
#include "image.h"
#include "system.h"

#include <sys/prctl.h>

/* Where glibc keeps a thread's id, from the thread pointer on. */
#define TID_OFFSET 720
/* Where a thread's memory says where it is (psABI, tcbhead_t's self). */
#define SELF_OFFSET 16
static bool knows_tid;
static long mode_at_start;
static _Atomic uint32_t filters, without_maps, without_futex, without_starts;
static _Atomic bool dispatched;
/* The thread whose vfork(2) child has put itself under a filter that forbids starts; 0: none. Of
 * several at the same moment the last. */
static _Atomic uintptr_t lender;

static uint32_t tid_of_glibc(void) {
    const char *thread = __builtin_thread_pointer();
    return *(const uint32_t *)(const void *)(thread + TID_OFFSET);
}

void silt_sandbox_look(void) {
    knows_tid = tid_of_glibc() == (uint32_t)silt_call(SYS_gettid, 0);
    mode_at_start = silt_call(SYS_prctl, PR_GET_SECCOMP);
}

bool silt_was_filtered_at_start(void) {
    return mode_at_start != 0;
}

void silt_sandbox_enter_child(void) {
    lender = silt_self();
}

/* Whether the caller is such a child. When its parent goes on, the child is gone. */
static bool is_filtered_child(void) {
    if (SILT_LIKELY(!lender) || lender != silt_self()) {
        return false;
    }
    if (!silt_is_borrowed()) {
        lender = 0;
        return false;
    }
    return true;
}

bool silt_is_filtered(void) {
    return filters || is_filtered_child();
}

bool silt_may_map(void) {
    return !without_maps;
}

bool silt_may_use_futex(void) {
    return !without_futex;
}

bool silt_may_start(void) {
    return !without_starts && !dispatched && !is_filtered_child();
}

bool silt_forbids_starts(void) {
    return without_starts || is_filtered_child();
}

bool silt_is_dispatched(void) {
    return dispatched;
}

uint32_t silt_tid(void) {
    bool asks_glibc = knows_tid && (silt_is_filtered() || silt_is_borrowed());
    return asks_glibc ? tid_of_glibc() : (uint32_t)silt_call(SYS_gettid, 0);
}

/* Where a filter may forbid to ask, nobody is the one. */
bool silt_is_guest(void) {
    uint32_t lender = silt_thread.lender;
    return lender && (!silt_may_start() || (uint32_t)silt_call(SYS_gettid, 0) != lender);
}

/* Whether the word at `at`, which may be unmapped, has that value. Wakes and moves no waiter. */
static bool holds(uintptr_t at, uint32_t value) {
    static uint32_t nobodys;
    return silt_call(SYS_futex, at, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0, &nobodys, value) == 0;
}

bool silt_look_at_thread(uintptr_t thread, bool stays, uint32_t *tid) {
    /* Tids are given out in turn: the next one is tried first, in 0.35 us. A copy takes 1.3. */
    static _Atomic uint32_t latest;
    uint32_t next = latest + 1;
    if (knows_tid && next > 1 && !silt_is_filtered() && !silt_was_filtered_at_start() &&
        holds(thread + TID_OFFSET, next)) {
        *tid = latest = next;
        return true;
    }
    enum { GAP = TID_OFFSET - SELF_OFFSET - sizeof(uint64_t) };
    _Static_assert(GAP <= SILT_MAXIMUM_GAP, "what lies between is read too");
    uint64_t words[2] = {0, 0};
    if (!silt_careful_copy(thread + SELF_OFFSET, words, knows_tid ? 2 : 1, GAP, stays) ||
        words[0] != thread) {
        return false;
    }
    if (knows_tid && (uint32_t)words[1] == UINT32_MAX) {
        return false; /* glibc's mark of one that is joined already */
    }
    *tid = knows_tid ? (uint32_t)words[1] : SILT_TID_UNKNOWN;
    latest = *tid;
    return true;
}

uint32_t silt_tid_of_unjoined(uintptr_t thread) {
    return knows_tid ? *(const uint32_t *)(thread + TID_OFFSET) : SILT_TID_UNKNOWN;
}

void silt_sandbox_enter(unsigned allowed) {
    without_maps += !(allowed & SILT_ALLOWS_MAPS);
    without_futex += !(allowed & SILT_ALLOWS_FUTEX);
    without_starts += !(allowed & SILT_ALLOWS_STARTS);
    filters++;
}

void silt_sandbox_leave(unsigned allowed) {
    filters--;
    without_maps -= !(allowed & SILT_ALLOWS_MAPS);
    without_futex -= !(allowed & SILT_ALLOWS_FUTEX);
    without_starts -= !(allowed & SILT_ALLOWS_STARTS);
}

void silt_sandbox_dispatch(bool begins) {
    static bool before;
    /* The kernel ends it at fork(2) and execve(2): a new image may start as ever. */
    if (begins) {
        before = dispatched;
        dispatched = true;
        silt_sandbox_enter(SILT_ALLOWS_STARTS);
    } else {
        dispatched = before;
        silt_sandbox_leave(SILT_ALLOWS_STARTS);
    }
}
