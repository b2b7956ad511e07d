/*
 * operators.c: C++ operators that are not in the global scope.
 *
 * A C++ library that a C program opened RTLD_LOCAL finds our names first, though no definition
 * follows us in the global scope. Then the definition that the loader would have found from the
 * calling module is looked up, and kept for that module.
 */
#define _GNU_SOURCE
#include "operators.h"

#include "aside.h"
#include "held.h"
#include "loaded.h"
#include "lookup.h"
#include "system.h"

#include <link.h>

#define KEPT 1024 /* a power of two; calling modules beyond that are looked up each time */

/* By calling module; an entry's module is set last. Forgotten as a whole when a module goes: what
 * they point to may have gone with it. The dynamic section tells a module from one that was
 * described at the same place before. */
static struct kept {
    const struct link_map *module;
    const void *dynamic;
    void *functions[SILT_OPERATORS];
} kept[KEPT];
static uint32_t kept_count;
static uint32_t keeping;

static inline size_t kept_slot(const struct link_map *module) {
    return ((uintptr_t)module >> 4) * 0x9E3779B97F4A7C15ull >> 54;
}

void silt_operators_forget(void) {
    if (!kept_count) {
        return;
    }
    while (__atomic_exchange_n(&keeping, 1, __ATOMIC_ACQUIRE)) {
        silt_rest(&keeping);
    }
    for (unsigned i = 0; i < KEPT; i++) {
        __atomic_store_n(&kept[i].module, NULL, __ATOMIC_RELEASE);
    }
    kept_count = 0;
    __atomic_store_n(&keeping, 0, __ATOMIC_RELEASE);
}

void silt_operators_unlock(void) {
    keeping = 0;
}

static void keep(const struct link_map *module, void *const *functions) {
    if (kept_count > KEPT / 2 || __atomic_exchange_n(&keeping, 1, __ATOMIC_ACQUIRE)) {
        return;
    }
    size_t slot = kept_slot(module);
    while (kept[slot].module && kept[slot].module != module) {
        slot = (slot + 1) % KEPT;
    }
    if (!kept[slot].module) {
        for (unsigned i = 0; i < SILT_OPERATORS; i++) {
            kept[slot].functions[i] = functions[i];
        }
        kept[slot].dynamic = module->l_ld;
        __atomic_store_n(&kept[slot].module, module, __ATOMIC_RELEASE);
        kept_count++;
    }
    __atomic_store_n(&keeping, 0, __ATOMIC_RELEASE);
}

struct wanted {
    const struct link_map *module;
    enum silt_operator_index index;
    void *function;
};

static uintptr_t look_up(const struct silt_origin *origin, uintptr_t of, uintptr_t unused,
                         uintptr_t unused_too) {
    struct wanted *wanted = (struct wanted *)of;
    void *functions[SILT_OPERATORS] = {0};
    (void)origin, (void)unused, (void)unused_too;
    silt_lookup(wanted->module, silt_operator_names, functions, SILT_OPERATORS);
    keep(wanted->module, functions);
    wanted->function = functions[wanted->index];
    return 0;
}

static int look_up_aside(struct dl_phdr_info *info, size_t bytes, void *with) {
    (void)info, (void)bytes;
    silt_aside(look_up, (uintptr_t)with, 0, 0);
    return 1;
}

/* What is kept for a module; false when nothing is. */
static bool find_kept(struct wanted *wanted) {
    const struct link_map *module = wanted->module, *there;
    for (size_t slot = kept_slot(module);; slot = (slot + 1) % KEPT) {
        const struct kept *at = &kept[slot];
        there = __atomic_load_n(&at->module, __ATOMIC_ACQUIRE);
        if (there == module) {
            const void *dynamic = at->dynamic;
            wanted->function = at->functions[wanted->index];
            __atomic_thread_fence(__ATOMIC_ACQUIRE);
            return dynamic == module->l_ld &&
                   __atomic_load_n(&at->module, __ATOMIC_RELAXED) == module;
        }
        if (!there) {
            return false;
        }
    }
}

__attribute__((noinline)) void *silt_local_operator(enum silt_operator_index index,
                                                    const void *caller) {
    struct wanted wanted = {silt_map_at(caller), index, NULL};
    if (wanted.module && !find_kept(&wanted)) {
        /* A handler must not leave while the list of modules is held. */
        uint64_t mask;
        bool blocked = silt_signals_block(&mask);
        silt_held(look_up_aside, &wanted);
        if (blocked) {
            silt_signals_restore(&mask);
        }
    }
    return wanted.function;
}
