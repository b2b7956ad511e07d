/*
 * generated.c: executable memory that the program has mapped itself, as hooks of mmap(2),
 * mprotect(2) and their kin see it: what just-in-time compilers write their code to.
 *
 * One sorted list of ranges. Readers take no lock: they look again when `version` has moved
 * meanwhile, which is odd while the list changes. Changes are made aside, where no signal handler
 * can come in between.
 */
#include "generated.h"

#include "aside.h"
#include "system.h"

#include <string.h>

#define MAX_RANGES 1024 /* beyond them code is not known, and ends a stack */
#define PATIENCE   1000 /* silt_rest: about a tenth of a second at most */

static struct range {
    uintptr_t start, end;
} ranges[MAX_RANGES]; /* by address; no two touch */
static uint32_t count, version;
static int changing;
uintptr_t silt_generated_lowest = UINTPTR_MAX, silt_generated_highest;

/* The first range that ends behind `address`. */
static uint32_t first_behind(uintptr_t address) {
    uint32_t low = 0, high = __atomic_load_n(&count, __ATOMIC_RELAXED);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (__atomic_load_n(&ranges[middle].end, __ATOMIC_RELAXED) > address) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

__attribute__((noinline)) bool silt_find_generated(uintptr_t start, uintptr_t end) {
    for (unsigned i = 0; i < PATIENCE; i++) {
        uint32_t before = __atomic_load_n(&version, __ATOMIC_ACQUIRE);
        if (before & 1) {
            silt_rest(&changing);
            continue;
        }
        uint32_t at = first_behind(start);
        bool found = at < __atomic_load_n(&count, __ATOMIC_RELAXED) &&
                     __atomic_load_n(&ranges[at].start, __ATOMIC_RELAXED) < end;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&version, __ATOMIC_RELAXED) == before) {
            return found;
        }
    }
    return false;
}

/* Puts `made` ranges in the place of those from `first` up to `last`. */
static void replace(uint32_t first, uint32_t last, const struct range *with, uint32_t made) {
    if (first + made + (count - last) > MAX_RANGES) {
        if (last == first) {
            return; /* one more does not fit */
        }
        made--; /* of one in two pieces the second does not */
    }
    memmove(ranges + first + made, ranges + last, (count - last) * sizeof *ranges);
    memcpy(ranges + first, with, made * sizeof *ranges);
    __atomic_store_n(&count, count + made - (last - first), __ATOMIC_RELAXED);
}

static void add(uintptr_t start, uintptr_t end) {
    uint32_t first = first_behind(start - 1), last = first; /* one that ends there is continued */
    while (last < count && ranges[last].start <= end) {
        last++;
    }
    struct range whole = {start, end};
    if (last > first) {
        whole.start = ranges[first].start < start ? ranges[first].start : start;
        whole.end = ranges[last - 1].end > end ? ranges[last - 1].end : end;
    }
    replace(first, last, &whole, 1);
    silt_generated_lowest = start < silt_generated_lowest ? start : silt_generated_lowest;
    silt_generated_highest = end > silt_generated_highest ? end : silt_generated_highest;
}

static void drop(uintptr_t start, uintptr_t end) {
    uint32_t first = first_behind(start), last = first, made = 0;
    while (last < count && ranges[last].start < end) {
        last++;
    }
    if (last == first) {
        return;
    }
    struct range pieces[2];
    if (ranges[first].start < start) {
        pieces[made++] = (struct range){ranges[first].start, start};
    }
    if (ranges[last - 1].end > end) {
        pieces[made++] = (struct range){end, ranges[last - 1].end};
    }
    replace(first, last, pieces, made);
}

static uintptr_t change(const struct silt_origin *origin, uintptr_t start, uintptr_t end,
                        uintptr_t adds) {
    (void)origin;
    unsigned waited = 0;
    while (__atomic_exchange_n(&changing, 1, __ATOMIC_ACQUIRE)) {
        if (waited++ == PATIENCE) {
            return 0; /* where signals cannot be blocked: a handler has interrupted a change */
        }
        silt_rest(&changing);
    }
    __atomic_store_n(&version, version + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    if (adds) {
        add(start, end);
    } else {
        drop(start, end);
    }
    __atomic_store_n(&version, version + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&changing, 0, __ATOMIC_RELEASE);
    return 0;
}

void silt_generated_add(uintptr_t start, uintptr_t end) {
    if (start < end) {
        silt_aside(change, start, end, true);
    }
}

bool silt_generated_drop(uintptr_t start, uintptr_t end) {
    bool known = start < end && silt_is_generated(start, end);
    if (known) {
        silt_aside(change, start, end, false);
    }
    return known;
}

void silt_generated_unlock(void) {
    if (version & 1) {
        count = 0; /* half-changed */
        version++;
    }
    changing = 0;
}
