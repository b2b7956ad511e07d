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
#include "loaded.h"
#include "lookup.h"
#include "system.h"

#include <link.h>

#define KEPT 1024 /* a power of two; calling modules beyond that are looked up each time */

/* By calling module; an entry's module is set last. Forgotten as a whole when a module goes: what
 * they point to may have gone with it. */
static struct kept {
    const struct link_map *module;
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
        __atomic_store_n(&kept[slot].module, module, __ATOMIC_RELEASE);
        kept_count++;
    }
    __atomic_store_n(&keeping, 0, __ATOMIC_RELEASE);
}

static uintptr_t look_up(const struct silt_origin *origin, uintptr_t of, uintptr_t index,
                         uintptr_t unused) {
    const struct link_map *module = (const struct link_map *)of;
    void *functions[SILT_OPERATORS] = {0};
    (void)origin, (void)unused;
    silt_lookup(module, silt_operator_names, functions, SILT_OPERATORS);
    keep(module, functions);
    return (uintptr_t)functions[index];
}

__attribute__((noinline)) void *silt_local_operator(enum silt_operator_index index,
                                                    const void *caller) {
    const struct link_map *module = silt_map_at(caller), *there;
    if (!module) {
        return NULL;
    }
    for (size_t slot = kept_slot(module);; slot = (slot + 1) % KEPT) {
        there = __atomic_load_n(&kept[slot].module, __ATOMIC_ACQUIRE);
        if (there == module) {
            return kept[slot].functions[index];
        }
        if (!there) {
            break;
        }
    }
    return (void *)silt_aside(look_up, (uintptr_t)module, index, 0);
}
