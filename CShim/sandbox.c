/* sandbox.c: what the program has forbidden itself by seccomp(2), as seccomp.c finds it. Everything
 * but silt_sandbox_look may run in a hook. */
#define _GNU_SOURCE
#include "sandbox.h"

#include "system.h"

#include <sys/prctl.h>

/* Where glibc keeps a thread's id, from the thread pointer on. */
#define TID_OFFSET 720
static bool knows_tid;
static long mode_at_start;
static _Atomic uint32_t filters, filters_without_maps;

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

bool silt_is_filtered(void) {
    return filters;
}

bool silt_may_map(void) {
    return !filters_without_maps;
}

uint32_t silt_tid(void) {
    return filters && knows_tid ? tid_of_glibc() : (uint32_t)silt_call(SYS_gettid, 0);
}

void silt_sandbox_enter(bool allows_maps) {
    filters_without_maps += !allows_maps;
    filters++;
}

void silt_sandbox_leave(bool allows_maps) {
    filters--;
    filters_without_maps -= !allows_maps;
}
